#pragma once

#include <cstddef>

/// Elementwise arithmetic of optimizers, penalties and clipping over flat arrays of n numbers. Each formula
/// is computed as written, one rounding per operation, fma(a, b, c) = a·b + c rounded once: the same bits on
/// every CPU. w are parameters, g gradients; other pointers are an optimizer's state. Arrays don't overlap. T
/// is float or double.
namespace mlpd::core {

/// w = fma(−rate, g, w).
template <class T>
void sgd_update(T* w, const T* g, std::size_t n, T rate);

/// velocity = fma(momentum, velocity, g); w = fma(−rate, velocity, w), or with nesterov w = fma(−rate,
/// fma(momentum, velocity, g), w). PyTorch's form: velocity starts at 0.
template <class T>
void momentum_update(T* w, T* velocity, const T* g, std::size_t n, T rate, T momentum, bool nesterov);

/// square = fma(1 − decay, g·g, decay·square); w = fma(−rate, g / (√square + epsilon), w).
template <class T>
void rmsprop_update(T* w, T* square, const T* g, std::size_t n, T rate, T decay, T epsilon);

/// square = fma(g, g, square); w = fma(−rate, g / (√square + epsilon), w).
template <class T>
void adagrad_update(T* w, T* square, const T* g, std::size_t n, T rate, T epsilon);

/// The scalars of one adam or adamw step t (from 1), made in float64 by the caller and narrowed.
template <class T>
struct AdamStep {
  T beta1, one_minus_beta1, beta2, one_minus_beta2;
  T rate;          ///< learning_rate / (1 − beta1^t)
  T inverse_root;  ///< 1 / √(1 − beta2^t)
  T epsilon;
  T keep = 1;  ///< adamw: 1 − learning_rate·weight_decay; adam: 1
};

/// mean = fma(1−β₁, g, β₁·mean); square = fma(1−β₂, g·g, β₂·square);
/// w = fma(−rate, mean / fma(√square, inverse_root, epsilon), keep·w).
template <class T>
void adam_update(T* w, T* mean, T* square, const T* g, std::size_t n, const AdamStep<T>& step);

/// average = fma(1 − decay, w − average, average): the averaged parameters of `ema`.
template <class T>
void average_update(T* average, const T* w, std::size_t n, T decay);

/// g = fma(l2_per_row, w, g), then g = g + l1_per_row·sign(w), sign(0) = 0. Called for weights, not biases.
template <class T>
void add_penalty_gradient(T* g, const T* w, std::size_t n, T l1_per_row, T l2_per_row);

/// g = min(max(g, −limit), limit); a NaN stays one.
template <class T>
void clip_values(T* g, std::size_t n, T limit);

/// g = factor·g.
template <class T>
void scale_values(T* g, std::size_t n, T factor);

/// Σ g² and Σ |g|: 16 partial chains (fma; add), element i in partial i mod 16, then the tree of
/// RowSum::interleaved.
template <class T>
T sum_of_squares(const T* g, std::size_t n);
template <class T>
T sum_of_magnitudes(const T* g, std::size_t n);

/// Whether no number is infinite or NaN.
template <class T>
bool all_finite(const T* values, std::size_t n);

}  // namespace mlpd::core
