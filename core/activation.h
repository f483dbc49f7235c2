#pragma once

#include <span>
#include <string_view>

namespace mlpd::core {

/// Activation functions h = f(z). leaky_relu has slope 0.01 below zero, elu α = 1, gelu is exact (erf).
/// softmax works on whole rows and is allowed on the last layer only.
enum class Activation { linear, sigmoid, tanh, relu, leaky_relu, elu, gelu, silu, softplus, softmax };

/// One row of the closed table: its name on the wire, its formula for people, and for everything but softmax
/// its value and derivative in float64 (the scalar definition that the kernels' polynomials implement).
struct ActivationRow {
  Activation value;
  std::string_view name;
  std::string_view formula;
  double (*function)(double z);
  double (*derivative)(double z);
};

std::span<const ActivationRow> activations();

/// Whether the activation belongs to the relu family, whose default initializer is he_uniform.
bool is_relu_family(Activation activation);

}  // namespace mlpd::core
