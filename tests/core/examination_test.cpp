#include <gtest/gtest.h>

#include <cmath>

#include "core/diagnosis.h"
#include "core/generator.h"
#include "core/number_array.h"
#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

Examination examined(const NetworkSpec& spec, const Dataset& data) {
  const auto learner = make_learner(spec);
  Result<Examination> examination = examine(learner->checkpoint(), data, serial());
  EXPECT_TRUE(examination.ok()) << examination.error().message;
  return examination.ok() ? *examination : Examination{};
}

NetworkSpec plain(std::vector<std::size_t> units, Activation hidden) {
  NetworkSpec spec = dense_network(2, units, hidden, Activation::softmax);
  spec.hyper_parameters.optimizer = default_options(Optimizer::sgd);
  return spec;
}

TEST(ExaminationTest, MeasuresWhatATraceShows) {
  const NetworkSpec spec = plain({5, 2}, Activation::tanh);
  const auto learner = make_learner(spec);
  const Dataset data = select(article_xor(), {0, 1, 2, 3, 4, 5, 6, 7});
  const Trace trace = *learner->trace(data, {});
  const Examination examination = examined(spec, data);
  EXPECT_DOUBLE_EQ(examination.loss, trace.loss);
  EXPECT_DOUBLE_EQ(examination.gradient_norm, trace.gradient_norm);
  ASSERT_EQ(examination.layers.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    double gradient = 0, weights = 0;
    for (const TracedArray* array : {&trace.layers[i].dloss_dweights, &trace.layers[i].dloss_dbias})
      for (double x : array->values) gradient += x * x;
    for (const TracedArray* array : {&trace.layers[i].weights, &trace.layers[i].bias})
      for (double x : array->values) weights += x * x;
    const LayerHealth& layer = examination.layers[i];
    EXPECT_NEAR(layer.gradient_norm, std::sqrt(gradient), 1e-12);
    EXPECT_NEAR(layer.weight_norm, std::sqrt(weights), 1e-12);
    EXPECT_NEAR(layer.update_ratio, 0.1 * std::sqrt(gradient / weights), 1e-12);
    EXPECT_GT(layer.rate_times_curvature, 0);
  }
  EXPECT_EQ(examination.stability_limit, 2);
}

TEST(ExaminationTest, KnowsTheLossOfAConstantAnswer) {
  const Dataset data{4, 2, 2, {0, 0, 0, 1, 1, 0, 1, 1}, {1, 0, 0, 1, 0, 1, 1, 0}, {}};
  NetworkSpec spec = plain({3, 2}, Activation::tanh);
  EXPECT_NEAR(examined(spec, data).constant_loss, std::log(2.0), 1e-12);
  spec.layers[1].activation = Activation::linear;
  spec.loss.kind = Loss::half_squared_error;
  EXPECT_NEAR(examined(spec, data).constant_loss, 0.25, 1e-12);
}

TEST(ExaminationTest, CountsUnitsThatAreStuck) {
  NetworkSpec spec = plain({4, 2}, Activation::relu);
  spec.layers[0].start_bias = {-100, -100, -100, 1};
  EXPECT_EQ(examined(spec, article_xor()).layers[0].dead, 0.75);
  spec.layers[0].activation = Activation::sigmoid;
  EXPECT_EQ(examined(spec, article_xor()).layers[0].saturated, 0.75);
  EXPECT_TRUE(std::isnan(examined(spec, article_xor()).layers[0].dead));
}

TEST(ExaminationTest, LeavesCurvatureToPlainDescent) {
  NetworkSpec spec = plain({4, 2}, Activation::tanh);
  spec.hyper_parameters.optimizer.momentum = 0.5;
  EXPECT_EQ(examined(spec, article_xor()).stability_limit, 3);
  spec.hyper_parameters.optimizer.nesterov = true;
  EXPECT_EQ(examined(spec, article_xor()).stability_limit, 1.5);
  for (const Optimizer kind : {Optimizer::adam, Optimizer::lbfgs}) {
    spec.hyper_parameters.optimizer = default_options(kind);
    const Examination examination = examined(spec, article_xor());
    EXPECT_TRUE(std::isnan(examination.layers[0].rate_times_curvature));
    EXPECT_TRUE(std::isnan(examination.stability_limit));
    EXPECT_EQ(std::isnan(examination.layers[0].update_ratio), kind == Optimizer::lbfgs);
    EXPECT_FALSE(is_unstable(examination));
  }
}

TEST(ExaminationTest, TakesBothDtypesAndFewerRowsOfMany) {
  NetworkSpec spec = plain({4, 2}, Activation::tanh);
  const double wide = examined(spec, article_xor()).loss;
  spec.dtype = Dtype::float32;
  EXPECT_NEAR(examined(spec, article_xor()).loss, wide, 1e-6);
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < kExaminedRowsMax; ++i) rows.insert(rows.end(), 2, i % 300);
  const Dataset doubled = select(article_xor(), rows);  // of each pair of equal rows one is looked at
  std::vector<std::size_t> half;
  for (std::size_t i = 0; i < kExaminedRowsMax; ++i) half.push_back(i % 300);
  EXPECT_EQ(examined(spec, doubled).loss, examined(spec, select(article_xor(), half)).loss);
}

TEST(ExaminationTest, ShowsBricksInsideResidualOnes) {
  NetworkSpec spec = plain({4, 4, 2}, Activation::tanh);
  LayerSpec residual;
  residual.kind = LayerKind::residual;
  residual.layers = {spec.layers[1]};
  spec.layers[1] = residual;
  const Examination examination = examined(spec, article_xor());
  ASSERT_EQ(examination.layers.size(), 3u);
  EXPECT_EQ(examination.layers[1].path, "1.0");
  EXPECT_EQ(examination.layers[1].index, 1u);
  EXPECT_EQ(examination.layers[2].index, 2u);
}

TEST(ExaminationTest, RefusesDataOfAnotherShape) {
  const auto learner = make_learner(plain({3, 2}, Activation::tanh));
  const Dataset data{1, 3, 2, {0, 0, 0}, {0, 1}, {}};
  EXPECT_FALSE(examine(learner->checkpoint(), data, serial()).ok());
}

}  // namespace
}  // namespace mlpd::core
