#include "api/preprocess_document.h"

#include <gtest/gtest.h>

namespace mlpd::api {
namespace {

TEST(PreprocessDocument, ComesBackWithEveryField) {
  core::Preprocess preprocess;
  preprocess.columns.resize(2);
  preprocess.columns[0] = {"age",
                           core::ColumnType::number,
                           core::Scaling::min_max,
                           core::MissingPolicy::mean,
                           core::UnseenPolicy::refuse,
                           0.1,
                           3,
                           -2.5};
  preprocess.columns[1].name = "sex";
  preprocess.columns[1].type = core::ColumnType::category;
  preprocess.columns[1].unseen = core::UnseenPolicy::other;
  preprocess.columns[1].missing = core::MissingPolicy::most_frequent;
  preprocess.columns[1].fill_category = "f";
  preprocess.columns[1].categories = {"f", "m"};
  preprocess.target.name = "y";
  preprocess.held_out = {0.1, 0.2};
  std::string text;
  JsonWriter out(text);
  write_preprocess(out, preprocess);
  Faults faults;
  const auto back = read_preprocess(*parse_json(text), "#", faults);
  ASSERT_TRUE(back) << faults.error().message;
  EXPECT_EQ(*back, preprocess);
}

TEST(PreprocessDocument, SaysWhatIsWrong) {
  const struct {
    std::string_view text, pointer;
  } kCases[] = {
      {"5", "#/p"},
      {"{}", "#/p/columns"},
      {R"({"columns":[{"name":"a"}],"target":{"name":"b","type":"number"}})", "#/p/columns/0/type"},
      {R"({"columns":[{"name":"a","type":"nubmer"}],"target":{"name":"b","type":"number"}})",
       "#/p/columns/0/type"},
      {R"({"columns":[{"name":"a","type":"number","scale":0}],"target":{"name":"b","type":"number"}})",
       "#/p/columns/0/scale"},
      {R"({"columns":[{"name":"a","type":"number"}],"target":{"name":"b","type":"number"},"x":1})", "#/p/x"},
  };
  for (const auto& c : kCases) {
    Faults faults;
    EXPECT_FALSE(read_preprocess(*parse_json(c.text), "#/p", faults)) << c.text;
    ASSERT_FALSE(faults.empty()) << c.text;
    EXPECT_EQ(faults.error().fields[0].pointer, c.pointer) << c.text;
  }
}

}  // namespace
}  // namespace mlpd::api
