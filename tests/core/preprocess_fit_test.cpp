#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/preprocess.h"

namespace mlpd::core {
namespace {

// 40 rows: x = row, colour cycles through three, label by row mod 4 = 0.
Table make_table() {
  Table table{{"x", "colour", "label"}, {}};
  const std::string colours[] = {"red", "green", "blue"};
  for (std::size_t r = 0; r < 40; ++r)
    table.rows.push_back({static_cast<double>(r), colours[r % 3], r % 4 == 0 ? "1" : "0"});
  return table;
}

Preprocess make_plan() {
  Preprocess plan;
  plan.columns = {{.name = "x"}, {.name = "colour", .type = ColumnType::category}};
  plan.target = {.name = "label", .type = ColumnType::label};
  return plan;
}

TEST(Fit, SeesTheTrainingPartOnly) {
  Table table = make_table();
  Preprocess plan = make_plan();
  plan.held_out = {.test = 0.2, .validation = 0.25};
  const Result<Preprocess> first = fit(plan, TableSource(table), 5);
  ASSERT_TRUE(first.ok());
  const Parts parts = *parts_of(*first, TableSource(table), 5);
  ASSERT_EQ(parts.test.size(), 8u);
  ASSERT_EQ(parts.validation.size(), 8u);
  ASSERT_EQ(parts.training.size(), 24u);
  double sum = 0;
  for (std::size_t row : parts.training) sum += static_cast<double>(row);
  EXPECT_NEAR(first->columns[0].offset, sum / 24, 1e-12);
  // What is held out may be anything: the fit is the same.
  for (std::size_t row : parts.test) table.rows[row][0] = 1e9;
  for (std::size_t row : parts.validation) table.rows[row][1] = "never seen";
  EXPECT_EQ(*fit(plan, TableSource(table), 5), *first);
}

TEST(Fit, PartsAreThoseOfTheTrainersSplit) {
  const Table table = make_table();
  Preprocess plan = make_plan();
  plan.held_out = {.test = 0.2, .validation = 0.25};
  const Preprocess fitted = *fit(plan, TableSource(table), 9);
  const Parts parts = *parts_of(fitted, TableSource(table), 9);
  std::vector<std::size_t> seen = parts.training;
  seen.insert(seen.end(), parts.validation.begin(), parts.validation.end());
  std::sort(seen.begin(), seen.end());
  const auto data = std::make_shared<const Dataset>(*encode(fitted, TableSource(table), seen, 2));
  const Split split_rows = *split(data, 0.25, 9);
  EXPECT_EQ(split_rows.training->inputs, encode(fitted, TableSource(table), parts.training, 2)->inputs);
  EXPECT_EQ(split_rows.validation->inputs, encode(fitted, TableSource(table), parts.validation, 2)->inputs);
  // A smaller validation fraction holds out a part of these rows, so the fit saw none of them.
  const Split smaller = *split(data, 0.1, 9);
  for (std::size_t r = 0; r < smaller.validation->rows; ++r) {
    const double x = smaller.validation->inputs[r * data->input_count];
    bool found = false;
    for (std::size_t i = 0; i < split_rows.validation->rows; ++i)
      found = found || split_rows.validation->inputs[i * data->input_count] == x;
    EXPECT_TRUE(found);
  }
}

TEST(Fit, ScalesNumbersAndOrdersCategories) {
  Table table{{"a", "b", "c", "n", "y"}, {}};
  for (double v : {1.0, 2.0, 3.0, 6.0}) table.rows.push_back({v, v, 7.0, std::to_string(int(v) * 5), v * 10});
  Preprocess plan;
  plan.columns = {{.name = "a"},
                  {.name = "b", .scaling = Scaling::min_max},
                  {.name = "c"},
                  {.name = "n", .type = ColumnType::category}};
  plan.target = {.name = "y"};
  const Preprocess fitted = *fit(plan, TableSource(table), 0);
  EXPECT_EQ(fitted.columns[0].offset, 3);
  EXPECT_DOUBLE_EQ(fitted.columns[0].scale, std::sqrt(3.5));
  EXPECT_EQ(fitted.columns[1].offset, 1);
  EXPECT_EQ(fitted.columns[1].scale, 5);
  EXPECT_EQ(fitted.columns[2].scale, 1) << "a constant column";
  EXPECT_EQ(fitted.columns[3].categories, (std::vector<std::string>{"5", "10", "15", "30"}));
  const Dataset data = *encode(fitted, TableSource(table), {0, 1, 2, 3}, 1);
  for (std::size_t r = 0; r < 4; ++r)
    EXPECT_NEAR(decode_number(fitted, data.targets[r]), std::get<double>(table.rows[r][4]), 1e-12);
}

TEST(Fit, FillsMissingValuesAndSendsRareCategoriesToOther) {
  Table table{{"a", "b", "k", "y"}, {}};
  table.rows = {
      {1.0, "2", "u", 0.0}, {Cell(), "2", "v", 1.0}, {3.0, "NA", "u", 2.0}, {8.0, "5", Cell(), 3.0}};
  Preprocess plan;
  plan.columns = {{.name = "a", .missing = MissingPolicy::mean},
                  {.name = "b", .missing = MissingPolicy::most_frequent},
                  {.name = "k",
                   .type = ColumnType::category,
                   .missing = MissingPolicy::most_frequent,
                   .unseen = UnseenPolicy::other}};
  plan.target = {.name = "y"};
  const Preprocess fitted = *fit(plan, TableSource(table), 0);
  EXPECT_EQ(fitted.columns[0].fill, 4);
  EXPECT_EQ(fitted.columns[1].fill, 2);
  EXPECT_EQ(fitted.columns[2].fill_category, "u");
  EXPECT_EQ(fitted.columns[2].categories, std::vector<std::string>{"u"});
}

TEST(Fit, RefusesWhatItCannotUseByName) {
  const Table table = make_table();
  const auto refused = [&](auto change) {
    Preprocess plan = make_plan();
    Table changed = table;
    change(plan, changed);
    const Result<Preprocess> result = fit(plan, TableSource(changed), 1);
    EXPECT_FALSE(result.ok());
    return result.ok() ? Error{} : result.error();
  };
  EXPECT_EQ(refused([](auto&, Table& t) { t.rows[2][0] = Cell(); }).fields.at(0).pointer, "#/rows/2/x");
  EXPECT_EQ(refused([](auto&, Table& t) { t.rows[4][2] = Cell(); }).fields.at(0).detail,
            "row 5, column 'label': the target is missing");
  EXPECT_NE(refused([](Preprocess& p, auto&) { p.columns[1].missing = MissingPolicy::mean; }).fields.size(),
            0u);
  EXPECT_NE(refused([](Preprocess& p, auto&) { p.columns[0].name = "z"; }).fields.size(), 0u);
  refused([](Preprocess& p, auto&) { p.columns.clear(); });
  refused([](auto&, Table& t) { t.rows.clear(); });
  refused([](Preprocess& p, auto&) { p.held_out.validation = 0.999; });
  refused([](auto&, Table& t) {
    for (auto& row : t.rows) row[2] = "same";
  });
}

TEST(Fit, BoundsTheCategoriesOfAColumn) {
  for (std::size_t values : {kCategoriesMax, kCategoriesMax + 1}) {
    Table table{{"k", "y"}, {}};
    for (std::size_t r = 0; r < values; ++r) table.rows.push_back({"v" + std::to_string(r), 1.0});
    Preprocess plan;
    plan.columns = {{.name = "k", .type = ColumnType::category}};
    plan.target = {.name = "y"};
    EXPECT_EQ(fit(plan, TableSource(table), 1).ok(), values == kCategoriesMax);
  }
}

}  // namespace
}  // namespace mlpd::core
