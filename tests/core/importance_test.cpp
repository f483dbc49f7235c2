#include "core/importance.h"

#include <gtest/gtest.h>

#include "core/executor.h"

namespace mlpd::core {
namespace {

// y = 3·x1 by given weights; x2 and x3 have none.
std::unique_ptr<Learner> make_learner(Executor& executor) {
  NetworkSpec spec;
  spec.inputs = 3;
  spec.dtype = Dtype::float64;
  spec.layers.resize(1);
  spec.layers[0].units = 1;
  spec.layers[0].activation = Activation::linear;
  spec.layers[0].start_weights = {3, 0, 0};
  return std::move(*Learner::create(spec, nullptr, executor));
}

Dataset make_data() {
  Dataset data{
      .rows = 200, .input_count = 3, .output_count = 1, .inputs = {}, .targets = {}, .class_labels = {}};
  for (std::size_t r = 0; r < data.rows; ++r) {
    const double x = static_cast<double>(r) / 100 - 1;
    data.inputs.insert(data.inputs.end(), {x, x * x, 1 - x});
    data.targets.push_back(3 * x);
  }
  return data;
}

TEST(PermutationImportance, IsTheRiseOfTheLossForWhatMattersAndZeroForTheRest) {
  SerialExecutor executor;
  const auto learner = make_learner(executor);
  const Dataset data = make_data();
  const auto all = *permutation_importance(*learner, data, column_inputs(learner->spec(), nullptr), 1);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].column, "x1");
  // E[(3x − 3x′)²] of independent draws = 2·9·Var(x) = 6.
  EXPECT_NEAR(all[0].importance, 6, 0.6);
  EXPECT_GT(all[0].deviation, 0);
  EXPECT_EQ(all[1].importance, 0);
  EXPECT_EQ(all[2].deviation, 0);
}

TEST(PermutationImportance, IsDecidedByTheSeed) {
  SerialExecutor executor;
  const auto learner = make_learner(executor);
  const Dataset data = make_data();
  const auto columns = column_inputs(learner->spec(), nullptr);
  EXPECT_EQ((*permutation_importance(*learner, data, columns, 1))[0].importance,
            (*permutation_importance(*learner, data, columns, 1))[0].importance);
  EXPECT_NE((*permutation_importance(*learner, data, columns, 1))[0].importance,
            (*permutation_importance(*learner, data, columns, 2))[0].importance);
}

TEST(ColumnInputs, FollowTheRawColumns) {
  Preprocess preprocess;
  preprocess.columns = {{.name = "colour", .type = ColumnType::category, .categories = {"a", "b", "c"}},
                        {.name = "id", .type = ColumnType::ignored},
                        {.name = "age", .missing = MissingPolicy::indicator}};
  const auto columns = column_inputs({}, &preprocess);
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].count, 3u);
  EXPECT_EQ(columns[1].column, "age");
  EXPECT_EQ(columns[1].first, 3u);
  EXPECT_EQ(columns[1].count, 2u);
}

}  // namespace
}  // namespace mlpd::core
