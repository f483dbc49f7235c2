#include "core/boundary.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

/// One dense brick, h = f(x·W), from given weights.
std::shared_ptr<const Snapshot> single_layer(std::size_t inputs, std::size_t units, Activation activation,
                                             std::vector<double> weights, Dtype dtype = Dtype::float64) {
  NetworkSpec spec = dense_network(inputs, {units}, activation, activation);
  spec.dtype = dtype;
  spec.layers[0].start_weights = std::move(weights);
  return make_learner(spec)->snapshot();
}

TEST(BoundaryTest, GivesTheOutputsAtTheCentresOfTheCells) {
  for (const Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const auto snapshot = single_layer(3, 1, Activation::linear, {1, 10, 100}, dtype);
    BoundaryPlane plane = make_plane(snapshot->spec(), nullptr, 0, 2);
    plane.resolution = 3;
    plane.others[1] = 0.5;
    const auto boundary = make_boundary(*snapshot, plane);
    ASSERT_TRUE(boundary.ok()) << boundary.error().message;
    ASSERT_EQ(boundary->values.size(), 9u);
    EXPECT_TRUE(boundary->classes.empty());
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 3; ++c) {
        const double x = -1 + 2 * (static_cast<double>(c) + 0.5) / 3;
        const double z = -1 + 2 * (static_cast<double>(r) + 0.5) / 3;
        EXPECT_NEAR(boundary->values[r * 3 + c], x + 5 + 100 * z, 1e-4);
      }
    EXPECT_EQ(boundary->minimum, boundary->values.front());
    EXPECT_EQ(boundary->maximum, boundary->values.back());
  }
}

TEST(BoundaryTest, SplitsThePlaneWhereTwoClassesAreEqual) {
  const auto snapshot = single_layer(2, 2, Activation::softmax, {-1, 1, 0, 0});  // class 1 where x > 0
  BoundaryPlane plane = make_plane(snapshot->spec(), nullptr, 0, 1);
  plane.resolution = 10;
  plane.classifies = true;
  const auto boundary = make_boundary(*snapshot, plane);
  ASSERT_TRUE(boundary.ok());
  for (std::size_t cell = 0; cell < 100; ++cell) {
    const double x = cell_centre(plane.x, 10, cell % 10);
    EXPECT_EQ(boundary->classes[cell], x > 0 ? 1u : 0u) << x;
    EXPECT_NEAR(boundary->values[cell], 1 / (1 + std::exp(-2 * x)), 1e-12);
  }
}

TEST(BoundaryTest, TakesRangesAndMeansFromTheData) {
  const auto snapshot = single_layer(3, 1, Activation::linear, {1, 1, 1});
  const Dataset data{2, 3, 1, {0, 2, 7, 10, 4, 7}, {0, 0}, {}};
  const BoundaryPlane plane = make_plane(snapshot->spec(), &data, 0, 2);
  EXPECT_DOUBLE_EQ(plane.x.from, -1);
  EXPECT_DOUBLE_EQ(plane.x.to, 11);
  EXPECT_DOUBLE_EQ(plane.y.from, 6);  // a constant column: one unit to both sides
  EXPECT_DOUBLE_EQ(plane.y.to, 8);
  EXPECT_EQ(plane.others, (std::vector<double>{5, 3, 7}));
}

TEST(BoundaryTest, RefusesWhatIsNotThere) {
  const auto snapshot = single_layer(2, 1, Activation::linear, {1, 1});
  const auto pointer = [&](std::size_t x, std::size_t y, std::size_t resolution, std::size_t output) {
    BoundaryPlane plane = make_plane(snapshot->spec(), nullptr, x, y);
    plane.resolution = resolution;
    plane.output = output;
    const auto boundary = make_boundary(*snapshot, plane);
    return boundary.ok() ? "" : boundary.error().fields.at(0).pointer;
  };
  EXPECT_EQ(pointer(0, 1, kBoundaryResolutionMin, 0), "");
  EXPECT_EQ(pointer(1, 0, kBoundaryResolutionMax, 0), "");
  EXPECT_EQ(pointer(0, 1, kBoundaryResolutionMin - 1, 0), "?resolution");
  EXPECT_EQ(pointer(0, 1, kBoundaryResolutionMax + 1, 0), "?resolution");
  EXPECT_EQ(pointer(2, 1, 8, 0), "?x");
  EXPECT_EQ(pointer(0, 2, 8, 0), "?y");
  EXPECT_EQ(pointer(1, 1, 8, 0), "?y");
  EXPECT_EQ(pointer(0, 1, 8, 1), "?output");
}

TEST(BoundaryTest, RefusesMoreWorkThanItsLimit) {
  const auto snapshot =
      make_learner(dense_network(2, {20'000}, Activation::tanh, Activation::linear))->snapshot();
  BoundaryPlane plane = make_plane(snapshot->spec(), nullptr, 0, 1);
  plane.resolution = kBoundaryResolutionMax;  // 262,144 cells × 60,000 parameters: just within
  ASSERT_LE(parameter_count(snapshot->spec()), kBoundaryOperationsMax / (512 * 512));
  const auto wider =
      make_learner(dense_network(2, {25'432}, Activation::tanh, Activation::linear))->snapshot();
  const auto refused = make_boundary(*wider, plane);  // 262,144 × 76,296: just past
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().fields.at(0).pointer, "?resolution");
}

TEST(BoundaryTest, RefusesANetworkThatOverflows) {
  const auto snapshot = single_layer(2, 1, Activation::linear, {1e300, 1});
  BoundaryPlane plane = make_plane(snapshot->spec(), nullptr, 0, 1);
  plane.x.to = 1e100;
  EXPECT_EQ(make_boundary(*snapshot, plane).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace mlpd::core
