#include "core/learning_rate_test.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/generator.h"
#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

std::shared_ptr<const Dataset> points() { return std::make_shared<const Dataset>(article_xor()); }

NetworkSpec linear_regression() {
  NetworkSpec spec = dense_network(2, {2}, Activation::linear, Activation::linear);
  spec.loss.kind = Loss::half_squared_error;
  spec.hyper_parameters.optimizer = default_options(Optimizer::sgd);
  return spec;
}

TEST(LearningRateTestTest, RatesRiseExponentiallyUntilTheLossBursts) {
  const auto learner = make_learner(linear_regression());
  const Result<RateTest> test = test_learning_rates(*learner, points(), {1e-4, 1e4, 81, {}});
  ASSERT_TRUE(test.ok()) << test.error().message;
  ASSERT_EQ(test->rates.size(), test->losses.size());
  EXPECT_TRUE(test->burst);
  EXPECT_LT(test->rates.size(), 81u);
  for (std::size_t i = 0; i < test->rates.size(); ++i)
    EXPECT_NEAR(test->rates[i], 1e-4 * std::pow(10, static_cast<double>(i) / 10), 1e-9 * test->rates[i]);
  // The largest curvature of this data is near 1: plain descent is stable below a rate of about 2.
  EXPECT_GT(test->suggestion, 0.01);
  EXPECT_LT(test->suggestion, 1.5);
}

TEST(LearningRateTestTest, ASuggestedRateTrains) {
  const NetworkSpec spec = dense_network(2, {8, 2}, Activation::tanh, Activation::softmax);
  const auto learner = make_learner(spec);
  const Result<RateTest> test = test_learning_rates(*learner, points(), {});
  ASSERT_TRUE(test.ok());
  NetworkSpec tuned = spec;
  tuned.hyper_parameters.optimizer.learning_rate = test->suggestion;
  const auto trained = make_learner(tuned);
  ASSERT_TRUE(trained->bind(points(), {}).ok());
  trained->advance(500, 0, {});
  EXPECT_LT(trained->evaluate(*points())->loss, 0.2);
}

TEST(LearningRateTestTest, RefusesWhatIsOutOfRange) {
  struct Row {
    RateTestOptions options;
    const char* pointer;
  };
  for (const Row& row : {Row{{0, 1, 100, {}}, "#/from"}, Row{{1, 1, 100, {}}, "#/to"},
                         Row{{1e-3, 1, kRateTestStepsMin - 1, {}}, "#/steps"},
                         Row{{1e-3, 1, kRateTestStepsMax + 1, {}}, "#/steps"}}) {
    const auto learner = make_learner(linear_regression());
    const Result<RateTest> test = test_learning_rates(*learner, points(), row.options);
    ASSERT_FALSE(test.ok()) << row.pointer;
    EXPECT_EQ(test.error().fields.at(0).pointer, row.pointer);
  }
  NetworkSpec solver = linear_regression();
  solver.hyper_parameters.optimizer = default_options(Optimizer::lbfgs);
  EXPECT_FALSE(test_learning_rates(*make_learner(solver), points(), {}).ok());
  // 1,000 steps × 300 rows × 44,445 parameters: past the limit
  const auto wide = make_learner(dense_network(2, {11'111, 1}, Activation::tanh, Activation::linear));
  Dataset regression = article_xor();
  regression.output_count = 1;
  regression.targets.resize(300);
  const auto refused =
      test_learning_rates(*wide, std::make_shared<const Dataset>(regression), {1e-3, 1, 1'000, {}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().fields.at(0).pointer, "#/batch_size");
}

}  // namespace
}  // namespace mlpd::core
