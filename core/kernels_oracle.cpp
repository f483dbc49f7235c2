#include <array>
#include <cmath>

#include "core/kernels.h"
#include "core/pointwise.h"

namespace mlpd::core::oracle {
namespace {

constexpr std::size_t kPartials = 16;

/// Σ_r term(r, sum) over `rows` rows in the order of `row_sum`, where term returns the sum with row r added.
template <class T, class Term>
T reduce_rows(std::size_t rows, RowSum row_sum, const Term& term) {
  std::array<T, kPartials> s{};
  const std::size_t partials = row_sum == RowSum::interleaved ? kPartials : 1;
  for (std::size_t r = 0; r < rows; ++r) s[r % partials] = term(r, s[r % partials]);
  for (std::size_t half = partials / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) s[i] += s[i + half];
  return s[0];
}

template <class T>
void softmax_row(const T* z, T* h, std::size_t columns) {
  T largest = z[0];
  for (std::size_t j = 1; j < columns; ++j) largest = largest < z[j] ? z[j] : largest;
  T sum = 0;
  for (std::size_t j = 0; j < columns; ++j) {
    h[j] = elementary::exp(z[j] - largest);
    sum += h[j];
  }
  for (std::size_t j = 0; j < columns; ++j) h[j] /= sum;
}

template <class T>
void softmax_backward_row(T* dz, const T* dh, const T* h, std::size_t columns) {
  T dot = 0;
  for (std::size_t j = 0; j < columns; ++j) dot = std::fma(h[j], dh[j], dot);
  for (std::size_t j = 0; j < columns; ++j) dz[j] = h[j] * (dh[j] - dot);
}

template <Activation kActivation, class T>
void apply_value(MatrixView<T> h, ConstMatrixView<T> z) {
  for (std::size_t i = 0; i < z.size(); ++i)
    h.data[i] = elementary::activation_value<kActivation, elementary::ScalarOps<T>>(z.data[i]);
}

template <Activation kActivation, class T>
void apply_slope(MatrixView<T> dz, ConstMatrixView<T> dh, ConstMatrixView<T> z, ConstMatrixView<T> h) {
  for (std::size_t i = 0; i < z.size(); ++i)
    dz.data[i] = dh.data[i] *
                 elementary::activation_slope<kActivation, elementary::ScalarOps<T>>(z.data[i], h.data[i]);
}

}  // namespace

template <class T>
void dense_forward(MatrixView<T> out, ConstMatrixView<T> input, ConstMatrixView<T> weights, const T* bias) {
  for (std::size_t b = 0; b < out.rows; ++b)
    for (std::size_t j = 0; j < out.columns; ++j) {
      T sum = bias != nullptr ? bias[j] : T{0};
      for (std::size_t k = 0; k < weights.rows; ++k) sum = std::fma(input(b, k), weights(k, j), sum);
      out(b, j) = sum;
    }
}

template <class T>
void dense_backward_input(MatrixView<T> dinput, ConstMatrixView<T> dz, ConstMatrixView<T> weights) {
  for (std::size_t b = 0; b < dz.rows; ++b)
    for (std::size_t k = 0; k < weights.rows; ++k) {
      T sum = 0;
      for (std::size_t j = 0; j < weights.columns; ++j) sum = std::fma(dz(b, j), weights(k, j), sum);
      dinput(b, k) = sum;
    }
}

template <class T>
void dense_backward_weights(MatrixView<T> dweights, T* dbias, ConstMatrixView<T> input, ConstMatrixView<T> dz,
                            RowSum row_sum) {
  for (std::size_t j = 0; j < dz.columns; ++j) {
    for (std::size_t k = 0; k < input.columns; ++k)
      dweights(k, j) = reduce_rows<T>(
          dz.rows, row_sum, [&](std::size_t b, T sum) { return std::fma(input(b, k), dz(b, j), sum); });
    if (dbias != nullptr)
      dbias[j] = reduce_rows<T>(dz.rows, row_sum, [&](std::size_t b, T sum) { return sum + dz(b, j); });
  }
}

template <class T>
T sum_rows(const T* values, std::size_t count, RowSum row_sum) {
  return reduce_rows<T>(count, row_sum, [&](std::size_t r, T sum) { return sum + values[r]; });
}

template <class T>
void activate(Activation activation, MatrixView<T> h, ConstMatrixView<T> z) {
  switch (activation) {
    case Activation::linear:
      return apply_value<Activation::linear>(h, z);
    case Activation::sigmoid:
      return apply_value<Activation::sigmoid>(h, z);
    case Activation::tanh:
      return apply_value<Activation::tanh>(h, z);
    case Activation::relu:
      return apply_value<Activation::relu>(h, z);
    case Activation::leaky_relu:
      return apply_value<Activation::leaky_relu>(h, z);
    case Activation::elu:
      return apply_value<Activation::elu>(h, z);
    case Activation::gelu:
      return apply_value<Activation::gelu>(h, z);
    case Activation::silu:
      return apply_value<Activation::silu>(h, z);
    case Activation::softplus:
      return apply_value<Activation::softplus>(h, z);
    case Activation::softmax:
      for (std::size_t b = 0; b < z.rows; ++b) softmax_row(z.row(b), h.row(b), z.columns);
  }
}

template <class T>
void activate_backward(Activation activation, MatrixView<T> dz, ConstMatrixView<T> dh, ConstMatrixView<T> z,
                       ConstMatrixView<T> h) {
  switch (activation) {
    case Activation::linear:
      return apply_slope<Activation::linear>(dz, dh, z, h);
    case Activation::sigmoid:
      return apply_slope<Activation::sigmoid>(dz, dh, z, h);
    case Activation::tanh:
      return apply_slope<Activation::tanh>(dz, dh, z, h);
    case Activation::relu:
      return apply_slope<Activation::relu>(dz, dh, z, h);
    case Activation::leaky_relu:
      return apply_slope<Activation::leaky_relu>(dz, dh, z, h);
    case Activation::elu:
      return apply_slope<Activation::elu>(dz, dh, z, h);
    case Activation::gelu:
      return apply_slope<Activation::gelu>(dz, dh, z, h);
    case Activation::silu:
      return apply_slope<Activation::silu>(dz, dh, z, h);
    case Activation::softplus:
      return apply_slope<Activation::softplus>(dz, dh, z, h);
    case Activation::softmax:
      for (std::size_t b = 0; b < z.rows; ++b)
        softmax_backward_row(dz.row(b), dh.row(b), h.row(b), z.columns);
  }
}

#define MLPD_INSTANTIATE(T)                                                                                \
  template void dense_forward(MatrixView<T>, ConstMatrixView<T>, ConstMatrixView<T>, const T*);            \
  template void dense_backward_input(MatrixView<T>, ConstMatrixView<T>, ConstMatrixView<T>);               \
  template void dense_backward_weights(MatrixView<T>, T*, ConstMatrixView<T>, ConstMatrixView<T>, RowSum); \
  template T sum_rows(const T*, std::size_t, RowSum);                                                      \
  template void activate(Activation, MatrixView<T>, ConstMatrixView<T>);                                   \
  template void activate_backward(Activation, MatrixView<T>, ConstMatrixView<T>, ConstMatrixView<T>,       \
                                  ConstMatrixView<T>);
MLPD_INSTANTIATE(float)
MLPD_INSTANTIATE(double)
#undef MLPD_INSTANTIATE

}  // namespace mlpd::core::oracle
