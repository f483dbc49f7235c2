#include "core/table.h"

#include <gtest/gtest.h>

namespace mlpd::core {
namespace {

TEST(ParseNumber, TakesFiniteDecimalsOnly) {
  const std::pair<std::string_view, std::optional<double>> cases[] = {
      {"1", 1},
      {"-2.5e3", -2500},
      {" 7 ", 7},
      {"+3", 3},
      {".5", 0.5},
      {"5.", 5},
      {"0.1", 0.1},
      {"", std::nullopt},
      {" ", std::nullopt},
      {"1,5", std::nullopt},
      {"1e999", std::nullopt},
      {"nan", std::nullopt},
      {"inf", std::nullopt},
      {"0x10", std::nullopt},
      {"+-1", std::nullopt},
      {"=1+1", std::nullopt},
      {"12a", std::nullopt},
      {"1 2", std::nullopt},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(parse_number(text), value) << text;
}

TEST(Cells, NumbersAndTextsConvert) {
  EXPECT_EQ(number_of(Cell(2.5)), 2.5);
  EXPECT_EQ(number_of(Cell("2.5")), 2.5);
  EXPECT_EQ(number_of(Cell()), std::nullopt);
  EXPECT_EQ(text_of(Cell(3.0)), "3");
  EXPECT_EQ(text_of(Cell(0.1)), "0.1");
  EXPECT_EQ(text_of(Cell(" a")), " a");
  EXPECT_EQ(text_of(Cell()), "");
}

TEST(TableSource, VisitsFromARowUntilTold) {
  const Table table{{"a"}, {{1.0}, {2.0}, {3.0}}};
  std::vector<std::size_t> seen;
  const Result<void> read = TableSource(table).for_each(1, [&](std::size_t row, std::span<const Cell> cells) {
    seen.push_back(row);
    return std::get<double>(cells[0]) < 2.5;
  });
  EXPECT_TRUE(read.ok());
  EXPECT_EQ(seen, (std::vector<std::size_t>{1, 2}));
}

}  // namespace
}  // namespace mlpd::core
