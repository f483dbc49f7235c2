#include "core/curvature.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

/// A linear brick without bias under half_squared_error: the Hessian is XᵀX/N for each output, whatever the
/// weights.
struct Quadratic {
  explicit Quadratic(std::vector<double> inputs, Activation activation = Activation::linear) {
    NetworkSpec spec = dense_network(2, {1}, activation, activation);
    spec.layers[0].bias = false;
    spec.loss.kind = Loss::half_squared_error;
    network = std::make_unique<Network>(spec);
    data.rows = inputs.size() / 2;
    data.input_count = 2;
    data.output_count = 1;
    data.inputs = std::move(inputs);
    data.targets.assign(data.rows, 1);
    batches = Batches<double>(data, {}, spec.loss, 0);
    parameters.resize(network->parameter_count());
    parameters[0] = 0.3;
    parameters[1] = -2;
  }
  double curvature(Range range, double l2 = 0) {
    Objective<double> objective(*network, serial());
    objective.set_regularization({0, l2});
    return largest_curvature(objective, batches.all(), 0, parameters, range);
  }
  std::unique_ptr<Network> network;
  Dataset data;
  Batches<double> batches;
  AlignedBuffer<double> parameters;
};

TEST(CurvatureTest, IsTheLargestEigenvalueOfAQuadratic) {
  Quadratic quadratic({2, 0, 0, 1});  // XᵀX/N = diag(2, 0.5)
  EXPECT_NEAR(quadratic.curvature({0, 2}), 2, 2e-2);
  EXPECT_NEAR(quadratic.curvature({1, 1}), 0.5, 1e-6) << "one parameter alone";
  EXPECT_NEAR(quadratic.curvature({1, 1}, 0.6), 0.5 + 0.6 / 2, 1e-6) << "the penalty curves too";
  EXPECT_EQ(quadratic.parameters[0], 0.3) << "the parameters are put back";
  EXPECT_EQ(quadratic.parameters[1], -2);
}

TEST(CurvatureTest, SeesThePositiveSideOfASaddle) {
  // h = sigmoid(w₀), y = 1 on the first row's side: far from its target the loss bends down, so the
  // eigenvalue of largest magnitude is negative; the other one is 0, as the second input is.
  Quadratic saddle({1, 0, 1, 0}, Activation::sigmoid);
  saddle.parameters[0] = -3;
  EXPECT_NEAR(saddle.curvature({0, 2}), 0, 1e-3);
}

TEST(CurvatureTest, IsNoNumberWhereTheGradientIsNone) {
  Quadratic overflowing({1e200, 0, 0, 1});
  overflowing.parameters[0] = 1e200;
  EXPECT_FALSE(std::isfinite(overflowing.curvature({0, 2})));
}

}  // namespace
}  // namespace mlpd::core
