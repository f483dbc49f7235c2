#include "core/objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/named_table.h"
#include "core/random.h"
#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

constexpr std::size_t kRows = 5;

Dataset random_data(std::size_t inputs, std::size_t outputs, bool one_hot) {
  Dataset data;
  data.rows = kRows;
  data.input_count = inputs;
  data.output_count = outputs;
  Random random(5, 1);
  for (std::size_t i = 0; i < kRows * inputs; ++i) data.inputs.push_back(random.normal());
  for (std::size_t r = 0; r < kRows; ++r)
    for (std::size_t k = 0; k < outputs; ++k)
      data.targets.push_back(one_hot ? (r % outputs == k ? 1.0 : 0.0) : random.uniform(0.1, 0.9));
  return data;
}

/// The gradient against (f(w + e) − f(w − e)) / 2e in every parameter.
void check_gradient(const NetworkSpec& spec, const Regularization& regularization, bool one_hot,
                    const std::string& name) {
  const Network network(spec);
  const Dataset data = random_data(spec.inputs, network.output_count(), one_hot);
  const Batches<double> batches(data, {}, spec.loss, spec.seed);
  Objective<double> objective(network, serial());
  objective.set_regularization(regularization);
  AlignedBuffer<double> parameters(network.parameter_count());
  initialize_parameters(network, spec, parameters.data());
  // Biases and norms off their start, and no weight so near 0 that |W| bends within e.
  Random random(9, 2);
  for (double& w : parameters) w += random.uniform(0.01, 0.05) * (w < 0 ? -1 : 1);
  AlignedBuffer<double> gradient(parameters.size());
  AlignedBuffer<double> unused(parameters.size());
  objective.value_and_gradient(batches.all(), parameters.data(), 3, gradient.data());
  constexpr double kStep = 1e-5;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double w = parameters[i];
    parameters[i] = w + kStep;
    const double above =
        objective.value_and_gradient(batches.all(), parameters.data(), 3, unused.data()).loss();
    parameters[i] = w - kStep;
    const double below =
        objective.value_and_gradient(batches.all(), parameters.data(), 3, unused.data()).loss();
    parameters[i] = w;
    const double slope = (above - below) / (2 * kStep);
    EXPECT_NEAR(gradient[i], slope, 1e-7 * std::max(1.0, std::fabs(slope))) << name << " parameter " << i;
  }
}

TEST(Objective, GradientOfEveryActivationLossAndPenalty) {
  const Regularization penalties[] = {{0, 0}, {0.3, 0}, {0, 0.7}, {0.2, 0.5}};
  for (const ActivationRow& hidden : activations()) {
    if (hidden.value == Activation::softmax) continue;
    for (const LossRow& loss : losses())
      for (Activation last : {Activation::sigmoid, Activation::softmax})
        for (const Regularization& penalty : penalties) {
          NetworkSpec spec = dense_network(3, {4, 3}, hidden.value, last);
          spec.loss.kind = loss.value;
          check_gradient(
              spec, penalty, false,
              std::string(hidden.name) + ' ' + std::string(loss.name) + ' ' + std::to_string(penalty.l1));
        }
  }
}

TEST(Objective, GradientOfEveryLastActivationAndLoss) {
  for (const ActivationRow& last : activations())
    for (const LossRow& loss : losses()) {
      // Outputs outside (0, 1) meet the cut-off of the logarithms, where the loss has no slope to speak of.
      const bool logarithmic = loss.value == Loss::cross_entropy || loss.value == Loss::binary_cross_entropy;
      if (logarithmic && last.value != Activation::sigmoid && last.value != Activation::softmax) continue;
      NetworkSpec spec = dense_network(3, {4, 3}, Activation::tanh, last.value);
      spec.loss.kind = loss.value;
      check_gradient(spec, {}, true, std::string(last.name) + ' ' + std::string(loss.name));
      if (loss.value != Loss::cross_entropy) continue;
      spec.loss.label_smoothing = 0.2;
      check_gradient(spec, {}, true, std::string(last.name) + " smoothed");
    }
}

LayerSpec brick(LayerKind kind, std::vector<LayerSpec> layers = {}) {
  LayerSpec layer;
  layer.kind = kind;
  layer.layers = std::move(layers);
  return layer;
}

TEST(Objective, GradientOfEveryBrick) {
  const NetworkSpec plain = dense_network(4, {4, 3}, Activation::tanh, Activation::softmax);
  LayerSpec linear = plain.layers[0];
  linear.activation = Activation::linear;
  const std::vector<std::pair<std::string, LayerSpec>> bricks = {
      {"dropout", brick(LayerKind::dropout)},
      {"layer_norm", brick(LayerKind::layer_norm)},
      {"batch_norm", brick(LayerKind::batch_norm)},
      {"residual", brick(LayerKind::residual, {plain.layers[0], linear})},
      {"residual of norms",
       brick(LayerKind::residual, {brick(LayerKind::layer_norm), linear,
                                   brick(LayerKind::residual, {brick(LayerKind::batch_norm), plain.layers[0],
                                                               brick(LayerKind::dropout)})})},
  };
  for (const auto& [name, layer] : bricks)
    for (std::size_t at : {0u, 1u}) {
      NetworkSpec spec = plain;
      spec.layers.insert(spec.layers.begin() + static_cast<std::ptrdiff_t>(at), layer);
      ASSERT_TRUE(validate(spec, {}).ok());
      check_gradient(spec, {0.1, 0.2}, true, name + " at " + std::to_string(at));
    }
}

}  // namespace
}  // namespace mlpd::core
