#include "api/history_document.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mlpd::api {
namespace {

TEST(HistoryDocument, ComesBackWithAbsentValues) {
  core::History::State history;
  history.stride = 4;
  history.seen = 11;
  history.records.resize(3);
  history.records[1].step = 4;
  history.records[2].step = 8;
  history.records[2].epoch = 2;
  history.records[1].loss = 0.1;
  history.records[2].validation_accuracy = 0.75;
  std::string text;
  JsonWriter out(text);
  write_history_fields(out, history);
  EXPECT_EQ(text.find("penalty"), std::string::npos);
  Faults faults;
  const auto back = read_history_fields(*parse_json(text), "#", faults);
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(back.stride, 4u);
  EXPECT_EQ(back.seen, 11u);
  ASSERT_EQ(back.records.size(), 3u);
  EXPECT_EQ(back.records[1].loss, 0.1);
  EXPECT_TRUE(std::isnan(back.records[2].loss));
  EXPECT_EQ(back.records[2].epoch, 2u);
  EXPECT_EQ(back.records[2].validation_accuracy, 0.75);
}

TEST(HistoryDocument, SaysWhatIsWrong) {
  const struct {
    std::string_view text, pointer;
  } kCases[] = {{"[]", "#"},
                {"{}", "#/columns"},
                {R"({"stride":0,"columns":{"step":[]}})", "#/stride"},
                {R"({"columns":{"step":[1,1]}})", "#/columns/step"},
                {R"({"columns":{"step":[0.5]}})", "#/columns/step"},
                {R"({"columns":{"step":[0],"loss":[1,2]}})", "#/columns/loss"},
                {R"({"columns":{"step":[0],"loss":["a"]}})", "#/columns/loss"},
                {R"({"columns":{"step":[0],"los":[1]}})", "#/columns/los"}};
  for (const auto& c : kCases) {
    Faults faults;
    read_history_fields(*parse_json(c.text), "#", faults);
    ASSERT_FALSE(faults.empty()) << c.text;
    EXPECT_EQ(faults.error().fields[0].pointer, c.pointer) << c.text;
  }
}

}  // namespace
}  // namespace mlpd::api
