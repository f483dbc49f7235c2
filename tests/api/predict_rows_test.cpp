#include "api/predict_rows.h"

#include <gtest/gtest.h>

namespace mlpd::api {
namespace {

core::Preprocess preprocess() {
  core::Preprocess out;
  out.columns.resize(2);
  out.columns[0].name = "age";
  out.columns[0].offset = 10;
  out.columns[0].scale = 2;
  out.columns[1].name = "sex";
  out.columns[1].type = core::ColumnType::category;
  out.columns[1].categories = {"f", "m"};
  out.target.name = "y";
  return out;
}

TEST(PredictRows, EncodesObjectsInAnyOrder) {
  const auto numbers =
      encode_named_rows(*parse_json(R"([{"age":12,"sex":"m"},{"sex":"f","age":"8"}])"), preprocess());
  ASSERT_TRUE(numbers.ok()) << numbers.error().message;
  EXPECT_EQ(*numbers, (std::vector<double>{1, 0, 1, -1, 1, 0}));
}

TEST(PredictRows, EncodesCsvWithAHeader) {
  const auto numbers = encode_csv_rows("sex,age\nm,12\nf,8\n", preprocess());
  ASSERT_TRUE(numbers.ok()) << numbers.error().message;
  EXPECT_EQ(*numbers, (std::vector<double>{1, 0, 1, -1, 1, 0}));
}

TEST(PredictRows, SaysWhatIsWrong) {
  for (auto text :
       {"[]", "5", "[5]", R"([{"age":12}])", R"([{"age":"x","sex":"m"}])", R"([{"age":1,"sex":"z"}])",
        R"([{"age":1,"sex":"m","odd":1}])", R"([{"age":null,"sex":"m"}])", R"([{"age":[1],"sex":"m"}])"}) {
    const auto numbers = encode_named_rows(*parse_json(text), preprocess());
    ASSERT_FALSE(numbers.ok()) << text;
    EXPECT_EQ(numbers.error().code, core::ErrorCode::invalid_argument);
    EXPECT_FALSE(numbers.error().message.empty());
  }
  for (auto text : {"", "age,sex\n", "age,sex\n1\n", "age\n1\n"})
    EXPECT_FALSE(encode_csv_rows(text, preprocess()).ok()) << text;
}

}  // namespace
}  // namespace mlpd::api
