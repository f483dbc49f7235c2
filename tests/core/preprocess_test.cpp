#include "core/preprocess.h"

#include <gtest/gtest.h>

#include <numeric>

namespace mlpd::core {
namespace {

Preprocess fitted() {
  Preprocess p;
  p.columns = {{.name = "age", .offset = 30, .scale = 10},
               {.name = "id", .type = ColumnType::ignored},
               {.name = "sex", .type = ColumnType::category, .categories = {"f", "m"}}};
  p.target = {.name = "class", .type = ColumnType::label, .categories = {"no", "yes"}};
  return p;
}

Result<std::vector<double>> encoded(const Preprocess& preprocess, const Table& table) {
  return encode_inputs(preprocess, TableSource(table));
}

TEST(Encode, MatchesColumnsByNameWhateverTheirOrder) {
  EXPECT_EQ(*encoded(fitted(), {{"sex", "age"}, {{"m", 40.0}, {"f", "25"}}}),
            (std::vector<double>{1, 0, 1, -0.5, 1, 0}));
  EXPECT_EQ(*encoded(fitted(), {{"id", "class", "age", "sex"}, {{"x", "no", 30.0, "f"}}}),
            (std::vector<double>{0, 1, 0}));
}

TEST(Encode, RefusesMissingUnknownAndDoubledColumnsByName) {
  const auto refused = encoded(fitted(), {{"agee", "sex", "sex"}, {}});
  ASSERT_FALSE(refused.ok());
  ASSERT_EQ(refused.error().fields.size(), 3u);
  EXPECT_EQ(refused.error().fields[0].detail, "column 'sex' comes twice");
  EXPECT_EQ(refused.error().fields[1].detail, "column 'age' is missing");
  EXPECT_EQ(refused.error().fields[2].detail, "column 'agee' is unknown; did you mean 'age'?");
}

TEST(Encode, RefusesBadCellsAllAtOnceByRowAndColumn) {
  const auto refused = encoded(fitted(), {{"age", "sex"}, {{"old", "x"}, {Cell(), "f"}, {1e308, Cell()}}});
  ASSERT_FALSE(refused.ok());
  const std::vector<FieldError>& faults = refused.error().fields;
  ASSERT_EQ(faults.size(), 4u);
  EXPECT_EQ(faults[0].pointer, "#/rows/0/age");
  EXPECT_EQ(faults[0].detail, "row 1, column 'age': 'old' is not a finite number");
  EXPECT_EQ(faults[1].pointer, "#/rows/0/sex");
  EXPECT_EQ(faults[2].detail, "row 2, column 'age': is missing, and the column's policy is to refuse that");
  EXPECT_EQ(faults[3].pointer, "#/rows/2/sex");
}

TEST(Encode, ListsAtMostTwentyFaults) {
  Table table{{"age", "sex"}, {}};
  for (int i = 0; i < 50; ++i) table.rows.push_back({"?", "f"});
  EXPECT_EQ(encoded(fitted(), table).error().fields.size(), kRowFaultsMax);
}

TEST(Encode, FollowsTheMissingAndUnseenPolicies) {
  Preprocess p = fitted();
  p.columns[0].missing = MissingPolicy::indicator;
  p.columns[0].fill = 30;
  p.columns[2].missing = MissingPolicy::most_frequent;
  p.columns[2].fill_category = "m";
  p.columns[2].unseen = UnseenPolicy::other;
  EXPECT_EQ(p.input_names(), (std::vector<std::string>{"age", "age missing", "sex=f", "sex=m", "sex other"}));
  EXPECT_EQ(*encoded(p, {{"age", "sex"}, {{"NA", Cell()}, {40.0, "d"}}}),
            (std::vector<double>{0, 1, 0, 1, 0, 1, 0, 0, 0, 1}));
  p.columns[2].missing = MissingPolicy::indicator;
  EXPECT_EQ(*encoded(p, {{"age", "sex"}, {{30.0, ""}}}), (std::vector<double>{0, 0, 0, 0, 0, 1}));
}

TEST(Encode, MakesOneHotBinaryAndScaledTargets) {
  const Table table{{"age", "sex", "class"}, {{30.0, "f", "yes"}, {30.0, "f", "no"}}};
  const Result<Dataset> two = encode(fitted(), TableSource(table), {0, 1}, 2);
  EXPECT_EQ(two->targets, (std::vector<double>{0, 1, 1, 0}));
  EXPECT_EQ(two->class_labels, (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(encode(fitted(), TableSource(table), {0, 1}, 1)->targets, (std::vector<double>{1, 0}));
  EXPECT_EQ(encode(fitted(), TableSource(table), {1}, 2)->targets, (std::vector<double>{1, 0}));
  EXPECT_FALSE(encode(fitted(), TableSource(table), {0, 1}, 3).ok());
}

TEST(Decode, UndoesTheTargetsEncoding) {
  Preprocess p = fitted();
  EXPECT_EQ(decode_label(p, std::vector<double>{0.1, 0.9}), "yes");
  EXPECT_EQ(decode_label(p, std::vector<double>{0.49}), "no");
  EXPECT_EQ(decode_label(p, std::vector<double>{0.5}), "yes");
  p.target = {.name = "price", .offset = 100, .scale = 20};
  EXPECT_EQ(decode_number(p, -0.5), 90);
}

TEST(Tables, NameEveryEnumerator) {
  EXPECT_EQ(column_types().size(), 4u);
  EXPECT_EQ(scalings().size(), 3u);
  EXPECT_EQ(missing_policies().size(), 4u);
  EXPECT_EQ(unseen_policies().size(), 2u);
}

}  // namespace
}  // namespace mlpd::core
