#include "core/table_profile.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mlpd::core {
namespace {

TableProfiler profiler_of(const Table& table) {
  TableProfiler profiler(table.columns, RowUnit::line);
  for (std::size_t r = 0; r < table.rows.size(); ++r) profiler.add(r + 2, table.rows[r]);
  return profiler;
}

TableProfile profiled(const Table& table, const std::string& target = "",
                      const std::map<std::string, ColumnType>& types = {}) {
  Result<TableProfile> profile = profiler_of(table).finish(target, types);
  EXPECT_TRUE(profile.ok()) << (profile.ok() ? "" : profile.error().fields.at(0).detail);
  return profile.ok() ? std::move(profile).value() : TableProfile{};
}

Table columns_of(const std::vector<std::pair<std::string, std::vector<Cell>>>& columns) {
  Table table;
  table.rows.resize(columns[0].second.size());
  for (const auto& [name, cells] : columns) {
    table.columns.push_back(name);
    for (std::size_t r = 0; r < cells.size(); ++r) table.rows[r].push_back(cells[r]);
  }
  return table;
}

TEST(Infer, KnowsNumbersCategoriesLabelsAndTheRest) {
  std::vector<Cell> number, category, id, empty, price, digit;
  for (int r = 0; r < 60; ++r) {
    number.push_back(std::to_string(r) + ".5");
    category.push_back(r % 2 == 0 ? "f" : "m");
    id.push_back("user-" + std::to_string(r));
    empty.push_back(Cell());
    price.push_back(std::to_string(r * 7 % 60));
    digit.push_back(std::to_string(r % 10));
  }
  const Table table = columns_of({{"number", number},
                                  {"category", category},
                                  {"id", id},
                                  {"empty", empty},
                                  {"price", price},
                                  {"digit", digit}});
  const TableProfile profile = profiled(table);
  const ColumnType expected[] = {ColumnType::number,  ColumnType::category, ColumnType::ignored,
                                 ColumnType::ignored, ColumnType::number,   ColumnType::label};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(profile.columns[i].type, expected[i]) << i;
  EXPECT_EQ(profile.target, "digit");
  EXPECT_EQ(profiled(table, "price").find("price")->type, ColumnType::number);
  EXPECT_EQ(profiled(table, "category").find("category")->type, ColumnType::label);
  EXPECT_EQ(profiled(table, "digit", {{"digit", ColumnType::number}}).find("digit")->type,
            ColumnType::number);
  EXPECT_EQ(profiled(table, "", {{"category", ColumnType::label}}).target, "category");
}

TEST(Profile, StatesTheStatisticsOfNumbers) {
  const ColumnProfile column =
      profiled(columns_of({{"x", {"1", "2", "NA", Cell(), "3", "10"}}, {"y", {1., 2., 3., 4., 5., 6.}}}))
          .columns[0];
  EXPECT_EQ(column.count, 4u);
  EXPECT_EQ(column.missing, 2u);
  EXPECT_EQ(column.minimum, 1);
  EXPECT_EQ(column.maximum, 10);
  EXPECT_EQ(column.mean, 4);
  EXPECT_DOUBLE_EQ(column.deviation, std::sqrt(12.5));
  EXPECT_EQ(column.quantiles[2], 2.5);
  EXPECT_FALSE(column.sampled);
}

TEST(Profile, ListsTheTopCategories) {
  std::vector<Cell> cells;
  for (int r = 0; r < 120; ++r) cells.push_back("c" + std::to_string(r % 15));
  for (int r = 0; r < 5; ++r) cells.push_back("c7");
  const ColumnProfile column = profiled(columns_of({{"k", cells}})).columns[0];
  EXPECT_EQ(column.distinct, 15u);
  ASSERT_EQ(column.top.size(), kProfileTopMax);
  EXPECT_EQ(column.top[0], (CategoryCount{"c7", 13}));
  EXPECT_EQ(column.top[1], (CategoryCount{"c0", 8}));
}

TEST(Profile, SamplesLongColumnsAndStaysClose) {
  TableProfiler profiler({"x"}, RowUnit::line);
  for (int r = 0; r < 200'000; ++r) {
    const Cell cell = static_cast<double>((r * 7919LL) % 200'000);
    profiler.add(r + 1, {&cell, 1});
  }
  const ColumnProfile column = profiler.finish("", {})->columns[0];
  EXPECT_TRUE(column.sampled);
  EXPECT_EQ(column.distinct, 0u);
  EXPECT_NEAR(column.quantiles[2], 100'000, 5'000);
}

TEST(Faults, NameTheLineOfWhatIsNoNumber) {
  const Table table = columns_of({{"x", {"1", "2", "three", "4", "=A1"}}, {"y", {1., 2., 3., 4., 5.}}});
  const Result<TableProfile> refused = profiler_of(table).finish("", {});
  ASSERT_FALSE(refused.ok());
  ASSERT_EQ(refused.error().fields.size(), 2u);
  EXPECT_EQ(refused.error().fields[0].pointer, "#/lines/4/x");
  EXPECT_EQ(refused.error().fields[0].detail.substr(0, 40), "line 4, column 'x': 'three' is not a num");
  EXPECT_EQ(profiled(table, "", {{"x", ColumnType::ignored}}).columns[0].type, ColumnType::ignored);
}

TEST(Faults, RefuseWhatDoesNotFit) {
  const Table table = columns_of({{"x", {"a", "b"}}, {"y", {1., 2.}}});
  const auto pointer = [&](const std::string& target, const std::map<std::string, ColumnType>& types) {
    const Result<TableProfile> refused = profiler_of(table).finish(target, types);
    return refused.ok() ? "" : refused.error().fields.at(0).pointer;
  };
  EXPECT_EQ(pointer("z", {}), "#/target");
  EXPECT_EQ(pointer("", {{"z", ColumnType::number}}), "#/types/z");
  EXPECT_EQ(pointer("y", {{"x", ColumnType::label}}), "#/types/x");
  EXPECT_EQ(pointer("y", {{"y", ColumnType::ignored}}), "#/types/y");
  EXPECT_EQ(pointer("y", {{"x", ColumnType::number}}), "#/lines/2/x");
  EXPECT_EQ(profiler_of({{"x"}, {}}).finish("", {}).error().fields.at(0).pointer, "#/rows");
}

TEST(Faults, ListAtMostTwentyInTheOrderOfLines) {
  std::vector<Cell> a, b;
  for (int r = 0; r < 100; ++r) {
    a.push_back(r % 3 == 0 ? "bad" : "1");
    b.push_back(r % 4 == 0 ? "bad" : "1");
  }
  const Result<TableProfile> refused = profiler_of(columns_of({{"a", a}, {"b", b}})).finish("", {});
  ASSERT_EQ(refused.error().fields.size(), kRowFaultsMax);
  EXPECT_EQ(refused.error().fields[2].pointer, "#/lines/5/a");
  EXPECT_EQ(refused.error().fields[3].pointer, "#/lines/6/b");
}

TEST(Plan, TakesEveryColumnButTheTargetAsInput) {
  const TableProfile profile = profiled(
      columns_of({{"y", {"a", "b", "a", "b"}}, {"x", {1., 2., 3., 4.}}, {"k", {"u", "v", "u", "v"}}}), "y");
  const Preprocess plan = plan_of(profile);
  ASSERT_EQ(plan.columns.size(), 2u);
  EXPECT_EQ(plan.columns[0].name, "x");
  EXPECT_EQ(plan.columns[1].type, ColumnType::category);
  EXPECT_EQ(plan.target.type, ColumnType::label);
}

TEST(Plan, PlainNumbersRefuseCategoriesByName) {
  const Table table =
      columns_of({{"k", {"u", "v", "u", "v"}}, {"x", {1., 2., 3., 4.}}, {"y", {"0", "1", "0", "1"}}});
  const Result<Preprocess> refused = plain_preprocess(profiled(table), TableSource(table));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().fields.at(0).detail.find("'k'"), std::string::npos);
  const TableProfile numbers = profiled(table, "y", {{"k", ColumnType::ignored}});
  const Preprocess plain = *plain_preprocess(numbers, TableSource(table));
  EXPECT_EQ(encode(plain, TableSource(table), {0, 1, 2, 3}, 2)->inputs, (std::vector<double>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace mlpd::core
