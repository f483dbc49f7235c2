#include "core/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

struct Case {
  std::string name;
  Activation last;
  Loss loss;
  std::size_t outputs;
  std::vector<double> targets;
  std::vector<double> predicted;
  std::vector<std::pair<std::string, double>> metrics;
  std::vector<std::vector<std::uint64_t>> confusion;
};

TEST(Metrics, AreScikitLearns) {
  const Case cases[] = {
      {"three classes",
       Activation::softmax,
       Loss::cross_entropy,
       3,
       {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0},
       {.7, .2, .1, .3, .3, .4, .1, .2, .7, .5, .2, .3, .2, .6, .2},
       {{"accuracy", 0.6}, {"log_loss", 0.7264242240590656}, {"auc", 0.9444444444444445}},
       {{1, 0, 0}, {0, 1, 1}, {1, 0, 1}}},
      {"one output",
       Activation::sigmoid,
       Loss::binary_cross_entropy,
       1,
       {0, 1, 1, 0, 1},
       {.2, .9, .4, .4, .7},
       {{"accuracy", 0.8}, {"log_loss", 0.42245907331018284}, {"auc", 0.9166666666666666}},
       {{2, 0}, {1, 2}}},
      {"one-hot under a squared error",
       Activation::linear,
       Loss::half_squared_error,
       2,
       {1, 0, 0, 1, 0, 1},
       {1.5, .2, -3, 1, .4, .3},
       {{"accuracy", 2.0 / 3}, {"auc", 1}},
       {{1, 0}, {1, 1}}},
      {"regression",
       Activation::linear,
       Loss::mean_squared_error,
       2,
       {1, 2, 3, 4, 5, 9},
       {1.5, 2, 2, 5, 5, 7},
       {{"r2", 0.8257211538461539},
        {"mean_squared_error", 1.0416666666666667},
        {"mean_absolute_error", 0.75}},
       {}},
      {"regression without variance",
       Activation::linear,
       Loss::mean_squared_error,
       1,
       {2, 2},
       {1, 3},
       {{"mean_squared_error", 1}, {"mean_absolute_error", 1}},
       {}},
  };
  for (const Case& test : cases) {
    NetworkSpec spec = dense_network(2, {test.outputs}, Activation::tanh, test.last);
    spec.loss.kind = test.loss;
    Dataset data;
    data.output_count = test.outputs;
    data.rows = test.targets.size() / test.outputs;
    data.targets = test.targets;
    Evaluation made;
    measure(made, spec, {test.predicted.data(), data.rows, test.outputs}, data);
    ASSERT_EQ(made.metrics.size(), test.metrics.size()) << test.name;
    for (std::size_t i = 0; i < test.metrics.size(); ++i) {
      EXPECT_EQ(made.metrics[i].first, test.metrics[i].first) << test.name;
      EXPECT_NEAR(made.metrics[i].second, test.metrics[i].second, 1e-12)
          << test.name << test.metrics[i].first;
    }
    EXPECT_EQ(made.confusion, test.confusion) << test.name;
  }
}

TEST(UndoScaling, GivesErrorsInTheTargetsUnits) {
  Evaluation evaluation;
  evaluation.metrics = {{"r2", 0.5}, {"mean_squared_error", 2}, {"mean_absolute_error", 3}};
  Preprocess preprocess;
  preprocess.target.scale = 10;
  undo_scaling(evaluation, preprocess);
  EXPECT_EQ(evaluation.metric("r2"), 0.5);
  EXPECT_EQ(evaluation.metric("mean_squared_error"), 200);
  EXPECT_EQ(evaluation.metric("mean_absolute_error"), 30);
  preprocess.target.type = ColumnType::label;
  undo_scaling(evaluation, preprocess);
  EXPECT_EQ(evaluation.metric("mean_absolute_error"), 30);
}

}  // namespace
}  // namespace mlpd::core
