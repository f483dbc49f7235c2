#pragma once

namespace mlpd::core {

/// Penalty l2/(2N)·ΣW² + l1/N·Σ|W| over weights, not biases, N = rows of the batch. Both ≥ 0.
/// Its gradient is exactly this formula's: l2/N·W + l1/N·sign(W), sign(0) = 0.
struct Regularization {
  double l1 = 0;
  double l2 = 0;
  bool operator==(const Regularization&) const = default;
};

/// Gradient clipping, 0 = off. `norm` scales the whole gradient (penalty included) to this Euclidean norm
/// when it is longer; `value` clamps each entry to ±value. Where both are given, value is applied first.
struct GradientClip {
  double norm = 0;
  double value = 0;
  bool operator==(const GradientClip&) const = default;
};

}  // namespace mlpd::core
