#include <gtest/gtest.h>

#include "api/table_parser.h"

namespace mlpd::api {
namespace {

using core::Cell;
using core::Error;
using core::Table;

constexpr std::size_t kManyCells = 10'000'000;

struct Good {
  const char* name;
  std::string text;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  CsvOptions options = {};
};

class TakesCsv : public testing::TestWithParam<Good> {};

TEST_P(TakesCsv, Whole) {
  const Good& good = GetParam();
  const core::Result<Table> table = read_csv_table(good.text, good.options, kManyCells);
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(table->columns, good.columns);
  EXPECT_EQ(table->rows, good.rows);
}

struct Collected final : TableSink {
  Table table;
  core::Result<void> columns(const std::vector<std::string>& names) override {
    table.columns = names;
    return {};
  }
  core::Result<void> row(std::uint64_t, std::span<const Cell> cells) override {
    table.rows.emplace_back(cells.begin(), cells.end());
    return {};
  }
};

TEST_P(TakesCsv, ByteByByte) {
  const Good& good = GetParam();
  Collected collected;
  const auto parser = make_csv_parser(good.options, collected);
  for (char c : good.text) ASSERT_TRUE(parser->feed({&c, 1}).ok());
  ASSERT_TRUE(parser->finish().ok());
  EXPECT_EQ(collected.table.columns, good.columns);
  EXPECT_EQ(collected.table.rows, good.rows);
}

const Cell kNone;

INSTANTIATE_TEST_SUITE_P(
    Torture, TakesCsv,
    testing::Values(
        Good{"plain", "a,b\n1,x\n2,y\n", {"a", "b"}, {{"1", "x"}, {"2", "y"}}},
        Good{"no_last_line_break", "a,b\n1,x", {"a", "b"}, {{"1", "x"}}},
        Good{"crlf", "a,b\r\n1,x\r\n", {"a", "b"}, {{"1", "x"}}},
        Good{"cr_alone", "a,b\r1,x\r2,y\r", {"a", "b"}, {{"1", "x"}, {"2", "y"}}},
        Good{"quotes", "a,b\n\"1,5\",\"say \"\"hi\"\"\"\n", {"a", "b"}, {{"1,5", "say \"hi\""}}},
        Good{"embedded_line_breaks",
             "a,b\n\"1\n2\",\"x\r\ny\"\n3,z\n",
             {"a", "b"},
             {{"1\n2", "x\r\ny"}, {"3", "z"}}},
        Good{"mark",
             "\xEF\xBB\xBF"
             "a,b\n1,x\n",
             {"a", "b"},
             {{"1", "x"}}},
        Good{"mark_and_quote", "\xEF\xBB\xBF\"a\",b\n1,x\n", {"a", "b"}, {{"1", "x"}}},
        Good{"empty_cells",
             "a,b,c\n1,,\n,\"\",3\n",
             {"a", "b", "c"},
             {{"1", kNone, kNone}, {kNone, kNone, "3"}}},
        Good{"blanks", "a , b\n 1 ,\" x \"\n", {"a", "b"}, {{"1", " x "}}},
        Good{"blank_lines", "a,b\n\n1,x\n\r\n\n2,y\n\n", {"a", "b"}, {{"1", "x"}, {"2", "y"}}},
        Good{"one_column", "a\n1\n2\n", {"a"}, {{"1"}, {"2"}}},
        Good{"one_column_missing", "a\n\"\"\n2\n", {"a"}, {{kNone}, {"2"}}},
        Good{"no_header", "1,x\n2,y\n", {"x1", "x2"}, {{"1", "x"}, {"2", "y"}}},
        Good{"said_no_header", "p,q\nr,s\n", {"x1", "x2"}, {{"p", "q"}, {"r", "s"}}, {0, false}},
        Good{"said_header", "1990,x\n2,y\n", {"1990", "x"}, {{"2", "y"}}, {0, true}},
        Good{"unnamed_column", ",b\n1,x\n", {"column_1", "b"}, {{"1", "x"}}},
        Good{"semicolon", "a;b\n1,5;x\n2,5;y\n", {"a", "b"}, {{"1,5", "x"}, {"2,5", "y"}}},
        Good{"tab", "a\tb\n1\tx, y\n", {"a", "b"}, {{"1", "x, y"}}},
        Good{"bar", "a|b\n1|x\n", {"a", "b"}, {{"1", "x"}}},
        Good{"said_delimiter", "a;b,c\n1;2,3\n", {"a;b", "c"}, {{"1;2", "3"}}, {',', std::nullopt}},
        Good{"delimiter_in_quotes",
             "a,b\n\"x;y;z\",1\n\"u;v;w\",2\n",
             {"a", "b"},
             {{"x;y;z", "1"}, {"u;v;w", "2"}}},
        Good{"formula_cells", "a,b\n=1+1,@x\n-2,+3\n", {"a", "b"}, {{"=1+1", "@x"}, {"-2", "+3"}}},
        Good{"unicode", "größe,ort\n1,Köln 🚲\n", {"größe", "ort"}, {{"1", "Köln 🚲"}}},
        Good{"header_only", "a,b\n", {"a", "b"}, {}}),
    [](const auto& instance) { return std::string(instance.param.name); });

struct Bad {
  const char* name;
  std::string text;
  std::vector<std::string> faults;  // pointers
};

class RefusesCsv : public testing::TestWithParam<Bad> {};

TEST_P(RefusesCsv, WithItsLine) {
  const core::Result<Table> table = read_csv_table(GetParam().text, {}, kManyCells);
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code, core::ErrorCode::invalid_argument);
  std::vector<std::string> pointers;
  for (const core::FieldError& fault : table.error().fields) pointers.push_back(fault.pointer);
  EXPECT_EQ(pointers, GetParam().faults) << table.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Torture, RefusesCsv,
    testing::Values(Bad{"empty", "", {"#/lines/1"}}, Bad{"only_mark", "\xEF\xBB\xBF", {"#/lines/1"}},
                    Bad{"only_blank_lines", "\n\n\r\n", {"#/lines/1"}},
                    Bad{"ragged", "a,b\n1\n1,2\n1,2,3\n", {"#/lines/2", "#/lines/4"}},
                    Bad{"ragged_after_embedded_break", "a,b\n\"1\n2\",x\n3\n", {"#/lines/4"}},
                    Bad{"doubled_column", "a,b,a\n1,2,3\n", {"#/lines/1/a"}},
                    Bad{"quote_in_cell", "a,b\n1,x\"y\n", {"#/lines/2/b"}},
                    Bad{"text_after_quote", "a,b\n\"1\"2,x\n", {"#/lines/2/a"}},
                    Bad{"open_quote", "a,b\n1,x\n\"2,y\n3,z\n", {"#/lines/3"}},
                    Bad{"latin_1", "a,b\n1,x\n2,K\xF6ln\n", {"#/lines/3"}},
                    Bad{"cut_utf_8", "a,b\n1,\xC3\n", {"#/lines/2"}},
                    Bad{"utf_16",
                        std::string("\xFF\xFE"
                                    "a\0,\0b\0\n\0",
                                    10),
                        {"#/lines/1", "#/lines/2"}},
                    Bad{"nul", std::string("a,b\n1,\0\n", 8), {"#/lines/2"}}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(CsvLimits, ListAtMostTwentyFaults) {
  std::string text = "a,b\n";
  for (int i = 0; i < 50; ++i) text += "1\n";
  const core::Result<Table> table = read_csv_table(text, {}, kManyCells);
  EXPECT_EQ(table.error().fields.size(), core::kRowFaultsMax);
  EXPECT_EQ(table.error().fields.back().pointer, "#/lines/21");
}

TEST(CsvLimits, BoundColumnsCellsAndLines) {
  const auto header = [](std::size_t columns) {
    std::string text;
    for (std::size_t i = 0; i < columns; ++i) text += (i > 0 ? ",c" : "c") + std::to_string(i);
    return text + "\n";
  };
  EXPECT_TRUE(read_csv_table(header(kTableColumnsMax), {}, kManyCells).ok());
  EXPECT_FALSE(read_csv_table(header(kTableColumnsMax + 1), {}, kManyCells).ok());
  EXPECT_TRUE(read_csv_table("a\n" + std::string(kCellBytesMax, 'x') + "\n", {}, kManyCells).ok());
  EXPECT_FALSE(read_csv_table("a\n\"" + std::string(kCellBytesMax + 1, 'x') + "\n\"\n", {}, kManyCells).ok());
  EXPECT_FALSE(read_csv_table("a\n" + std::string(kLineBytesMax + 1, 'x'), {}, kManyCells).ok());
  EXPECT_TRUE(read_csv_table("a,b\n1,2\n3,4\n", {}, 4).ok());
  EXPECT_EQ(read_csv_table("a,b\n1,2\n3,4\n", {}, 3).error().code, core::ErrorCode::resource_exhausted);
}

TEST(CsvLimits, TakeTenThousandColumns) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += (i > 0 ? ",c" : "c") + std::to_string(i);
  text += "\n";
  for (int i = 0; i < 10'000; ++i) text += (i > 0 ? "," : "") + std::to_string(i);
  const core::Result<Table> table = read_csv_table(text, {}, kManyCells);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->rows[0][9'999], Cell("9999"));
}

}  // namespace
}  // namespace mlpd::api
