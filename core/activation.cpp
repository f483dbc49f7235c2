#include "core/activation.h"

#include <array>

#include "core/pointwise.h"

namespace mlpd::core {
namespace {

using Ops = elementary::ScalarOps<double>;

template <Activation kActivation>
double value(double z) {
  return elementary::activation_value<kActivation, Ops>(z);
}

template <Activation kActivation>
double slope(double z) {
  return elementary::activation_slope<kActivation, Ops>(z, value<kActivation>(z));
}

template <Activation kActivation>
constexpr ActivationRow row(std::string_view name, std::string_view formula) {
  return {kActivation, name, formula, value<kActivation>, slope<kActivation>};
}

constexpr std::array<ActivationRow, 10> kActivations = {{
    row<Activation::linear>("linear", "h = z"),
    row<Activation::sigmoid>("sigmoid", "h = 1/(1 + exp(-z))"),
    row<Activation::tanh>("tanh", "h = tanh(z)"),
    row<Activation::relu>("relu", "h = max(z, 0)"),
    row<Activation::leaky_relu>("leaky_relu", "h = z for z > 0, 0.01*z otherwise"),
    row<Activation::elu>("elu", "h = z for z > 0, exp(z) - 1 otherwise"),
    row<Activation::gelu>("gelu", "h = z/2*(1 + erf(z/sqrt(2)))"),
    row<Activation::silu>("silu", "h = z/(1 + exp(-z))"),
    row<Activation::softplus>("softplus", "h = log(1 + exp(z))"),
    {Activation::softmax, "softmax", "h_j = exp(z_j)/sum_k exp(z_k)", nullptr, nullptr},
}};

}  // namespace

std::span<const ActivationRow> activations() { return kActivations; }

bool is_relu_family(Activation activation) {
  switch (activation) {
    case Activation::relu:
    case Activation::leaky_relu:
    case Activation::elu:
    case Activation::gelu:
    case Activation::silu:
      return true;
    default:
      return false;
  }
}

}  // namespace mlpd::core
