#include "api/dataset_document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace mlpd::api {
namespace {

DatasetView make_view() {
  DatasetView view;
  view.name = "flowers";
  view.source = "csv";
  view.bytes = 12;
  view.sha256 = std::string(64, 'b');
  view.created_at =
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(1'700'000'000'123));
  view.profile = {3, "species", {}};
  core::ColumnProfile number;
  number.name = "a \"quoted\" name";
  number.type = core::ColumnType::number;
  number.count = 2;
  number.missing = 1;
  number.distinct = 2;
  number.minimum = -0.1;
  number.maximum = 1e300;
  number.mean = 1.0 / 3;
  number.deviation = 2;
  number.quantiles = {1, 2, 3, 4, 5};
  number.sampled = true;
  core::ColumnProfile label;
  label.name = "species";
  label.type = core::ColumnType::label;
  label.count = 3;
  label.distinct = 2;
  label.top = {{"a", 2}, {"b", 1}};
  view.profile.columns = {number, label};
  return view;
}

std::string write(const DatasetView& view) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  write_dataset_fields(out, view);
  out.end_object();
  return text;
}

TEST(DatasetDocument, ComesBackAsItWas) {
  const DatasetView view = make_view();
  const Json json = *parse_json(write(view));
  Faults faults;
  ObjectReader body(json, "#", faults);
  const DatasetView read = read_dataset_fields(body);
  body.finish();
  ASSERT_TRUE(faults.empty()) << faults.error().message;
  EXPECT_EQ(read.name, view.name);
  EXPECT_EQ(read.source, view.source);
  EXPECT_EQ(read.bytes, view.bytes);
  EXPECT_EQ(read.sha256, view.sha256);
  EXPECT_EQ(read.created_at, view.created_at);
  EXPECT_EQ(read.profile, view.profile);
}

TEST(DatasetDocument, NamesEveryFieldThatIsWrong) {
  const Json json = *parse_json(
      R"({"name":"x","source":"csv","rows":1,"target":"y","columns":[{"name":"y","type":"odd"}],
          "created_at":"now"})");
  Faults faults;
  ObjectReader body(json, "#", faults);
  (void)read_dataset_fields(body);
  std::vector<std::string> pointers;
  for (const core::FieldError& fault : faults.error().fields) pointers.push_back(fault.pointer);
  for (const char* pointer :
       {"#/sha256", "#/created_at", "#/columns/0/count", "#/columns/0/missing", "#/columns/0/type"})
    EXPECT_NE(std::find(pointers.begin(), pointers.end(), pointer), pointers.end()) << pointer;
}

TEST(DatasetDocument, CellsAreNumbersTextsOrNull) {
  std::string text;
  JsonWriter out(text);
  out.begin_array();
  for (const core::Cell& cell : {core::Cell(1.5), core::Cell("x"), core::Cell()}) write_cell(out, cell);
  out.end_array();
  EXPECT_EQ(text, R"([1.5,"x",null])");
}

}  // namespace
}  // namespace mlpd::api
