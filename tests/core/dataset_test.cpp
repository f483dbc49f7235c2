#include "core/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace mlpd::core {
namespace {

// Row r has input r; every fourth row is of class 1.
std::shared_ptr<const Dataset> numbered(std::size_t rows) {
  Dataset data;
  data.rows = rows;
  data.input_count = 1;
  data.output_count = 2;
  for (std::size_t r = 0; r < rows; ++r) {
    data.inputs.push_back(static_cast<double>(r));
    data.targets.push_back(r % 4 == 0 ? 0 : 1);
    data.targets.push_back(r % 4 == 0 ? 1 : 0);
  }
  return std::make_shared<const Dataset>(std::move(data));
}

double second_class(const Dataset& data) {
  double count = 0;
  for (std::size_t r = 0; r < data.rows; ++r) count += data.targets[2 * r + 1];
  return count;
}

TEST(Split, CoversEveryRowOnceAndIsStratified) {
  const auto data = numbered(100);
  const Result<Split> parts = split(data, 0.2, 7);
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(parts->validation->rows, 20u);
  EXPECT_EQ(parts->training->rows, 80u);
  EXPECT_EQ(second_class(*parts->validation), 5);
  EXPECT_EQ(second_class(*parts->training), 20);
  std::set<double> seen(parts->training->inputs.begin(), parts->training->inputs.end());
  seen.insert(parts->validation->inputs.begin(), parts->validation->inputs.end());
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_TRUE(std::is_sorted(parts->training->inputs.begin(), parts->training->inputs.end()));
}

TEST(Split, IsDecidedByTheSeedAlone) {
  const auto data = numbered(60);
  EXPECT_EQ(split(data, 0.3, 1)->validation->inputs, split(data, 0.3, 1)->validation->inputs);
  EXPECT_NE(split(data, 0.3, 1)->validation->inputs, split(data, 0.3, 2)->validation->inputs);
}

TEST(Split, ASmallerFractionIsPartOfALargerOne) {
  const auto data = numbered(97);
  std::vector<double> previous;
  for (double fraction : {0.05, 0.1, 0.25, 0.5, 0.9}) {
    const std::vector<double> held = split(data, fraction, 3)->validation->inputs;
    EXPECT_TRUE(std::includes(held.begin(), held.end(), previous.begin(), previous.end())) << fraction;
    previous = held;
  }
}

TEST(Split, WithoutAFractionIsTheDataItself) {
  const auto data = numbered(5);
  const Result<Split> parts = split(data, 0, 1);
  EXPECT_EQ(parts->training, data);
  EXPECT_EQ(parts->validation, nullptr);
}

TEST(Split, RefusesAnEmptySide) {
  EXPECT_FALSE(split(numbered(3), 0.1, 1).ok());
  EXPECT_FALSE(split(numbered(3), 0.99, 1).ok());
  EXPECT_EQ(split(numbered(1), 0.5, 1).error().fields.at(0).pointer, "#/validation/fraction");
}

TEST(ClassIndices, KnowsOneHotRowsZeroOneColumnsAndNeither) {
  Dataset data{.rows = 2,
               .input_count = 0,
               .output_count = 2,
               .inputs = {},
               .targets = {0, 1, 1, 0},
               .class_labels = {}};
  EXPECT_EQ(class_indices(data), (std::vector<std::size_t>{1, 0}));
  data.targets = {1, 1, 1, 0};
  EXPECT_TRUE(class_indices(data).empty());
  data.output_count = 1;
  data.targets = {0, 1};
  EXPECT_EQ(class_indices(data), (std::vector<std::size_t>{0, 1}));
  data.targets = {0.5, 1};
  EXPECT_TRUE(class_indices(data).empty());
}

TEST(DatasetDigest, DependsOnShapeAndNumbersNotOnLabels) {
  Dataset data{.rows = 2,
               .input_count = 1,
               .output_count = 1,
               .inputs = {1, 2},
               .targets = {3, 4},
               .class_labels = {}};
  Dataset labelled = data;
  labelled.class_labels = {"a"};
  EXPECT_EQ(data.digest(), labelled.digest());
  Dataset moved = data;
  moved.inputs = {1, 2, 3};
  moved.targets = {4};
  EXPECT_NE(data.digest(), moved.digest());
  Dataset reshaped = data;
  reshaped.rows = 1;
  reshaped.input_count = 2;
  reshaped.output_count = 2;
  EXPECT_NE(data.digest(), reshaped.digest());
}

}  // namespace
}  // namespace mlpd::core
