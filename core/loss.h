#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/activation.h"

namespace mlpd::core {

/// Loss functions over N rows and K outputs, y the targets and h the outputs:
/// half_squared_error 1/(2N)·Σ(y−h)²; mean_squared_error, mean_absolute_error, huber (δ = 1) and
/// binary_cross_entropy are means over all N·K elements; cross_entropy is the mean over rows of −Σ y·log h.
enum class Loss {
  half_squared_error,
  mean_squared_error,
  mean_absolute_error,
  huber,
  binary_cross_entropy,
  cross_entropy,
};

/// A loss as a network specifies it. label_smoothing ε in [0, 1) (cross_entropy only) replaces y by (1−ε)y +
/// ε/K.
struct LossOptions {
  Loss kind = Loss::mean_squared_error;
  double label_smoothing = 0;
  bool operator==(const LossOptions&) const = default;
};

struct LossRow {
  Loss value;
  std::string_view name;
  std::string_view formula;
};

std::span<const LossRow> losses();

/// The loss that goes with a last activation (softmax → cross_entropy, sigmoid → binary_cross_entropy, else
/// mean_squared_error), and the last activation that goes with a loss (the inverse; linear for the others).
Loss default_loss(Activation last);
Activation default_last_activation(Loss loss);

}  // namespace mlpd::core
