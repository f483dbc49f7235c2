#include "core/lanes.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "core/named_table.h"
#include "tests/support/kernel_comparison.h"

namespace mlpd::core {
namespace {

using test::for_each_target;
using test::random_matrix;
using test::same_bits;

/// What core/kernels.h says, brick by brick with the oracle.
template <class T>
void reference(const std::vector<LanesLayer>& layers, const LossOptions& loss, ConstMatrixView<T> inputs,
               ConstMatrixView<T> targets, const T* row_weights, const T* parameters, T* gradient,
               Matrix<T>& last_z, Matrix<T>& last_h) {
  const std::size_t rows = inputs.rows;
  std::vector<Matrix<T>> z, h;
  for (const LanesLayer& layer : layers) {
    const ConstMatrixView<T> in = h.empty() ? inputs : ConstMatrixView<T>(h.back().view());
    z.emplace_back(rows, layer.units);
    oracle::dense_forward<T>(z.back().view(), in, {parameters + layer.weights, layer.inputs, layer.units},
                             layer.has_bias ? parameters + layer.bias : nullptr);
    Matrix<T> out(rows, layer.units);
    oracle::activate<T>(layer.activation, out.view(), z.back().view());
    h.push_back(std::move(out));
  }
  last_z = z.back();
  last_h = h.back();
  Matrix<T> d(rows, layers.back().units);
  loss_backward<T>(loss, layers.back().activation, d.view(), z.back().view(), h.back().view(), targets,
                   row_weights);
  bool is_dz = is_fused(loss.kind, layers.back().activation);
  for (std::size_t i = layers.size(); i-- > 0; is_dz = false) {
    const LanesLayer& layer = layers[i];
    if (!is_dz) oracle::activate_backward<T>(layer.activation, d.view(), d.view(), z[i].view(), h[i].view());
    const ConstMatrixView<T> in = i == 0 ? inputs : ConstMatrixView<T>(h[i - 1].view());
    oracle::dense_backward_weights<T>({gradient + layer.weights, layer.inputs, layer.units},
                                      layer.has_bias ? gradient + layer.bias : nullptr, in, d.view(),
                                      RowSum::interleaved);
    Matrix<T> below(rows, layer.inputs);
    oracle::dense_backward_input<T>(below.view(), d.view(),
                                    {parameters + layer.weights, layer.inputs, layer.units});
    d = std::move(below);
  }
}

/// A stack of the given widths; the hidden layers share one activation, the last one has its own.
std::vector<LanesLayer> stack(const std::vector<std::size_t>& widths, Activation hidden, Activation last,
                              bool has_bias) {
  std::vector<LanesLayer> layers;
  std::size_t offset = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const std::size_t bias = offset + widths[i] * widths[i + 1];
    layers.push_back(
        {widths[i], widths[i + 1], offset, bias, has_bias, i + 2 == widths.size() ? last : hidden});
    offset = bias + (has_bias ? widths[i + 1] : 0);
  }
  return layers;
}

template <class T>
void compare(const std::vector<LanesLayer>& layers, const LossOptions& loss, std::size_t rows, bool weighted,
             double input_scale = 1) {
  Random random(17, rows);
  const std::size_t outputs = layers.back().units;
  const std::size_t count = layers.back().bias + (layers.back().has_bias ? outputs : 0);
  const auto parameters = random_matrix<T>(random, 1, count, 0.7);
  const auto inputs = random_matrix<T>(random, rows, layers.front().inputs, input_scale);
  Matrix<T> targets(rows, outputs), weights(1, rows);
  for (std::size_t i = 0; i < targets.size(); ++i) targets.data()[i] = static_cast<T>(random.uniform());
  for (std::size_t i = 0; i < rows; ++i) weights.data()[i] = static_cast<T>(random.uniform());
  const T* row_weights = weighted ? weights.data() : nullptr;
  Matrix<T> expected(1, count), expected_z, expected_h;
  reference<T>(layers, loss, inputs.view(), targets.view(), row_weights, parameters.data(), expected.data(),
               expected_z, expected_h);
  for_each_target([&] {
    LanesPass<T> pass(layers, loss);
    Matrix<T> gradient(1, count), z(rows, outputs), h(rows, outputs), predicted(rows, outputs);
    for (int again = 0; again < 2; ++again) {
      pass.gradient(inputs.view(), targets.view(), row_weights, parameters.data(), gradient.data(), z.data(),
                    h.data());
      EXPECT_TRUE(same_bits(gradient, expected));
      EXPECT_TRUE(same_bits(z, expected_z));
      EXPECT_TRUE(same_bits(h, expected_h));
    }
    pass.gradient(inputs.view(), targets.view(), row_weights, parameters.data(), gradient.data(), nullptr,
                  nullptr);
    EXPECT_TRUE(same_bits(gradient, expected));
    pass.forward(inputs.view(), parameters.data(), nullptr, predicted.data());
    EXPECT_TRUE(same_bits(predicted, expected_h));
  });
}

template <class T>
class Lanes : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Lanes, Types);

TYPED_TEST(Lanes, EqualTheOracleForEveryPairOfActivationAndLoss) {
  for (const ActivationRow& last : activations())
    for (const LossRow& loss : losses()) {
      SCOPED_TRACE(std::string(last.name) + " under " + std::string(loss.name));
      compare<TypeParam>(stack({2, 3, 2}, Activation::tanh, last.value, true), {loss.value, 0}, 19, false);
    }
}

TYPED_TEST(Lanes, EqualTheOracleForEveryHiddenActivation) {
  for (const ActivationRow& hidden : activations()) {
    if (hidden.value == Activation::softmax) continue;
    SCOPED_TRACE(hidden.name);
    compare<TypeParam>(stack({3, 5, 4, 1}, hidden.value, Activation::sigmoid, true),
                       {Loss::binary_cross_entropy, 0}, 37, true);
  }
}

TYPED_TEST(Lanes, EqualTheOracleOverShapes) {
  const std::vector<std::size_t> shapes[] = {{1, 1},    {2, 3, 2},        {2, 50, 2},
                                             {7, 1, 3}, {4, 9, 6, 5, 10}, {40, 3}};
  for (const auto& widths : shapes)
    for (const std::size_t rows :  // a row of lanes is full, and one past it, at every width
         {0u, 1u, 4u, 5u, 8u, 9u, 15u, 16u, 17u, 20u, 21u, 24u, 25u, 32u, 33u, 50u})
      for (const bool has_bias : {true, false}) {
        SCOPED_TRACE(std::to_string(widths.front()) + " inputs, " + std::to_string(widths.size() - 1) +
                     " layers, " + std::to_string(rows) + " rows");
        compare<TypeParam>(stack(widths, Activation::sigmoid, Activation::softmax, has_bias),
                           {Loss::cross_entropy, rows == 17 ? 0.1 : 0}, rows, rows == 50);
      }
}

TYPED_TEST(Lanes, EqualTheOracleWhereClassesAreFarApart) {
  // equal logits; a tiny probability; 0; none at all
  for (const double scale : {0.0, 1e2, 1e4, std::numeric_limits<double>::infinity()})
    for (const std::size_t outputs : {2u, 3u}) {
      SCOPED_TRACE(std::to_string(outputs) + " outputs, inputs of about " + std::to_string(scale));
      compare<TypeParam>(stack({2, outputs}, Activation::linear, Activation::softmax, scale != 0),
                         {Loss::cross_entropy, 0}, 40, false, scale);
    }
}

}  // namespace
}  // namespace mlpd::core
