#include <gtest/gtest.h>

#include "api/table_parser.h"

namespace mlpd::api {
namespace {

using core::Cell;
using core::Table;

constexpr std::size_t kManyCells = 1'000'000;

TEST(Ndjson, TakesObjectsWhateverTheOrderOfTheirKeys) {
  const core::Result<Table> table = read_ndjson_table(
      "{\"a\": 1.5, \"b\": \"x\"}\r\n\n{\"b\":\"caf\\u00e9\",\"a\":-2e3}\n{\"a\":null}\n{\"b\":true,\"a\":7}",
      kManyCells);
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(table->columns, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(table->rows,
            (std::vector<std::vector<Cell>>{{1.5, "x"}, {-2000.0, "café"}, {Cell(), Cell()}, {7.0, "true"}}));
}

TEST(Ndjson, NamesTheLineOfEveryFault) {
  const core::Result<Table> table = read_ndjson_table(
      "{\"a\":1}\n{\"a\":}\n{\"z\":1}\n[1]\n{\"a\":1,\"a\":2}\n{\"a\":{\"b\":1}}\n{\"a\":1} "
      "x\n{\"a\":\"\xFF\"}\n",
      kManyCells);
  ASSERT_FALSE(table.ok());
  std::vector<std::string> pointers;
  for (const core::FieldError& fault : table.error().fields) pointers.push_back(fault.pointer);
  EXPECT_EQ(pointers, (std::vector<std::string>{"#/lines/2", "#/lines/3/z", "#/lines/4", "#/lines/5/a",
                                                "#/lines/6/a", "#/lines/7", "#/lines/8"}));
}

TEST(Ndjson, RefusesWordsThatOnlyBeginLikeNull) {
  const core::Result<Table> table = read_ndjson_table("{\"a\":1}\n{\"a\":nUll}\n", kManyCells);
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().fields.at(0).pointer, "#/lines/2");
}

TEST(Ndjson, RefusesNothing) { EXPECT_FALSE(read_ndjson_table("\n \n", kManyCells).ok()); }

TEST(JsonRows, TakesAnArrayOfObjects) {
  const core::Result<Table> table =
      read_json_table("[{\"a\":1,\"b\":\"x\"}, {\"b\":null,\"a\":2}]", kManyCells);
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(table->rows, (std::vector<std::vector<Cell>>{{1.0, "x"}, {2.0, Cell()}}));
}

TEST(JsonRows, NamesTheRowOfEveryFault) {
  const core::Result<Table> table =
      read_json_table("[{\"a\":1}, 3, {\"b\":1}, {\"a\":[1,{\"x\":2}]}, {\"a\":1}]", kManyCells);
  ASSERT_FALSE(table.ok());
  std::vector<std::string> pointers;
  for (const core::FieldError& fault : table.error().fields) pointers.push_back(fault.pointer);
  EXPECT_EQ(pointers, (std::vector<std::string>{"#/rows/1", "#/rows/2/b", "#/rows/3/a"}));
  for (const char* text :
       {"{}", "[", "[{\"a\":1}", "[{\"a\":1}]]", "[]", "", "[{\"a\":01}]", "[{\"a\":1e999}]", "[{}]",
        "[{\"a\":nUll}]", "[{\"a\":1,\"b\":nul}]", "[{\"a\":tru}]"})
    EXPECT_FALSE(read_json_table(text, kManyCells).ok()) << text;
}

TEST(JsonRows, TakesArraysUnderGivenColumns) {
  struct Sink final : TableSink {
    std::vector<std::vector<Cell>> rows;
    core::Result<void> columns(const std::vector<std::string>&) override { return {}; }
    core::Result<void> row(std::uint64_t, std::span<const Cell> cells) override {
      rows.emplace_back(cells.begin(), cells.end());
      return {};
    }
  } sink;
  ASSERT_TRUE(parse_json_rows("[[1,\"x\"],[2,null]]", {"a", "b"}, sink).ok());
  EXPECT_EQ(sink.rows, (std::vector<std::vector<Cell>>{{1.0, "x"}, {2.0, Cell()}}));
  EXPECT_EQ(parse_json_rows("[[1]]", {"a", "b"}, sink).error().fields.at(0).pointer, "#/rows/0");
  EXPECT_EQ(parse_json_rows("[]", {"a", "a"}, sink).error().fields.at(0).pointer, "#/columns/1");
}

TEST(JsonRows, BoundsTheCells) {
  EXPECT_TRUE(read_json_table("[{\"a\":1},{\"a\":2}]", 2).ok());
  EXPECT_EQ(read_json_table("[{\"a\":1},{\"a\":2}]", 1).error().code, core::ErrorCode::resource_exhausted);
}

}  // namespace
}  // namespace mlpd::api
