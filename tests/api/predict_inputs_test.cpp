#include "api/predict_inputs.h"

#include <gtest/gtest.h>

#include <bit>

namespace mlpd::api {
namespace {

TEST(PredictInputs, ReadsRowsAndFlatListsStraight) {
  std::vector<float> flat;
  EXPECT_EQ(read_inputs<float>(R"({"inputs":[[1,2],[3,4e0]]})", 2, flat), FastRead::ok);
  EXPECT_EQ(flat, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(read_inputs<float>(R"( { "inputs" : [ 0.5 , -1 ] } )", 2, flat), FastRead::ok);
  EXPECT_EQ(flat, (std::vector<float>{0.5f, -1}));
  EXPECT_EQ(read_inputs<float>(R"({"inputs":[-0,0]})", 2, flat), FastRead::ok);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(flat[0]), 0x80000000u);
  EXPECT_EQ(read_inputs<float>(R"({"inputs":[1,2,3]})", 1, flat), FastRead::ok);
  EXPECT_EQ(flat.size(), 3u);
  std::vector<double> doubles;
  EXPECT_EQ(read_inputs<double>(R"({"inputs":[[0.1]]})", 1, doubles), FastRead::ok);
  EXPECT_EQ(doubles[0], 0.1);
  EXPECT_EQ(read_inputs<float>(R"({"inputs":[7.038531e-26]})", 1, flat), FastRead::ok);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(flat[0]), 0x15ae43fdu);
}

TEST(PredictInputs, LeavesEverythingElseToTheSlowPath) {
  for (auto body :
       {"", "{}", "[]", "{\"inputs\":[]}", "{\"inputs\":[[1,2],[3]]}", "{\"inputs\":[1,2,3]}",
        "{\"inputs\":[[1,2],3]}", "{\"inputs\":[1e39,1]}", "{\"inputs\":[1,NaN]}", "{\"inputs\":[1,2]",
        "{\"inputs\":[1,2]} x", "{\"inputs\":[1,2],\"more\":1}", "{\"inputs\":[1,2],\"inputs\":[1,2]}",
        "{\"rows\":[]}", "{\"inputs\":\"x\"}", "{\"inputs\":[[1,\"2\"]]}", "{\"inputs\":[[[1,2]]]}"}) {
    std::vector<float> flat;
    EXPECT_EQ(read_inputs<float>(body, 2, flat), FastRead::other) << body;
  }
}

TEST(PredictInputs, ReadsCsvWithAndWithoutHeader) {
  std::vector<float> flat;
  ASSERT_TRUE(read_csv_inputs<float>("a,b\n1,2\r\n 3 ,\"4\"\n\n", 2, flat).ok());
  EXPECT_EQ(flat, (std::vector<float>{1, 2, 3, 4}));
  ASSERT_TRUE(read_csv_inputs<float>("1,2", 2, flat).ok());
  EXPECT_EQ(flat.size(), 2u);
}

TEST(PredictInputs, NamesTheLineOfBadCsv) {
  const struct {
    std::string_view text, says;
  } kCases[] = {{"", "no rows"},          {"a,b\n", "no rows"},       {"1,2\n1\n", "line 2: has 1 cells"},
                {"1,2\n3,x\n", "line 2"}, {"1,2\n3,inf\n", "line 2"}, {"1,2\n3,1e39\n", "line 2"},
                {"1,2,3\n", "line 1"}};
  for (const auto& c : kCases) {
    std::vector<float> flat;
    const auto read = read_csv_inputs<float>(c.text, 2, flat);
    ASSERT_FALSE(read.ok()) << c.text;
    EXPECT_NE(read.error().message.find(c.says), std::string::npos) << read.error().message;
  }
}

}  // namespace
}  // namespace mlpd::api
