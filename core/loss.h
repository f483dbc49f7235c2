#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "core/activation.h"
#include "core/kernels.h"
#include "core/matrix.h"

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

/// Whether loss_backward gives dz in one numerically stable formula (softmax with cross_entropy, sigmoid with
/// binary_cross_entropy) instead of dh.
bool is_fused(Loss loss, Activation last);

/// 1 over the divisor of the loss' mean: 1/N for half_squared_error (its factor ½ apart) and cross_entropy,
/// 1/(N·K) for the others.
double loss_scale(Loss loss, std::size_t rows, std::size_t columns);

/// The data loss of N rows: outputs h = f(z), targets y (before label smoothing), all N × K. Fused pairs are
/// computed from z: Σ y·(log Σexp(z−max) − (z−max)) and softplus(z) − y·z; elsewhere logarithms are cut off
/// at −100. Within a row terms are one chain in column order; the rows' sums, each times row_weights[r] (null
/// = 1 each), are added in the order of `row_sum`, and the total is multiplied by loss_scale (which
/// class weights don't change). row_losses: scratch of N numbers. N ≥ 1.
template <class T>
T loss_forward(const LossOptions& loss, Activation last, ConstMatrixView<T> z, ConstMatrixView<T> h,
               ConstMatrixView<T> targets, const T* row_weights, RowSum row_sum, T* row_losses);

/// The gradient of loss_forward: dz where is_fused(loss.kind, last), otherwise dh, which activate_backward
/// takes on to dz. Fused dz = (h·Σy − y)·w/N for softmax, (h − y)·w/(N·K) for sigmoid. Elsewhere divisions by
/// h, h(1−h) are cut off at 1e-12. At y = h the slope of mean_absolute_error is 0. gradient may be z or h.
template <class T>
void loss_backward(const LossOptions& loss, Activation last, MatrixView<T> gradient, ConstMatrixView<T> z,
                   ConstMatrixView<T> h, ConstMatrixView<T> targets, const T* row_weights);

}  // namespace mlpd::core
