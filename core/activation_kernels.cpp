#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/activation_kernels.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target.h must come before what it compiles again
#include "core/kernels.h"
#include "core/vector_ops-inl.h"
// clang-format on

#include <algorithm>

#ifndef MLPD_ACTIVATION_KERNELS
#define MLPD_ACTIVATION_KERNELS
namespace mlpd::core {

/// One instruction set's kernels for one type.
template <class T>
struct ActivationKernels {
  void (*value)(Activation, MatrixView<T> h, ConstMatrixView<T> z);
  void (*backward)(Activation, MatrixView<T> dz, ConstMatrixView<T> dh, ConstMatrixView<T> z,
                   ConstMatrixView<T> h);
};

}  // namespace mlpd::core
#endif

HWY_BEFORE_NAMESPACE();
namespace mlpd::core::HWY_NAMESPACE {

template <Activation kActivation, class T>
void apply_value(MatrixView<T> h, ConstMatrixView<T> z) {
  using Ops = VectorOps<T>;
  for_each_vector<T>(z.size(), [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    Ops::store(activation_value<kActivation, Ops>(Ops::load(z.data + i, count)), h.data + i, count);
  });
}

template <Activation kActivation, class T>
void apply_slope(MatrixView<T> dz, ConstMatrixView<T> dh, ConstMatrixView<T> z, ConstMatrixView<T> h) {
  using Ops = VectorOps<T>;
  for_each_vector<T>(z.size(), [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    const auto slope =
        activation_slope<kActivation, Ops>(Ops::load(z.data + i, count), Ops::load(h.data + i, count));
    Ops::store(Ops::mul(Ops::load(dh.data + i, count), slope), dz.data + i, count);
  });
}

template <class T>
void softmax(MatrixView<T> h, ConstMatrixView<T> z) {
  using Ops = VectorOps<T>;
  const std::size_t columns = z.columns;
  for (std::size_t b = 0; b < z.rows; ++b) {
    const T* from = z.row(b);
    const T largest = *std::max_element(from, from + columns);
    for (std::size_t j = 0; j < columns; ++j) h(b, j) = from[j] - largest;
  }
  for_each_vector<T>(h.size(), [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    Ops::store(exp_of_nonpositive<Ops>(Ops::load(h.data + i, count)), h.data + i, count);
  });
  for (std::size_t b = 0; b < z.rows; ++b) {
    T* row = h.row(b);
    T sum = 0;
    for (std::size_t j = 0; j < columns; ++j) sum += row[j];
    for_each_vector<T>(columns, [&](std::size_t j, std::size_t count) MLPD_LOOP_BODY {
      Ops::store(Ops::div(Ops::load(row + j, count), Ops::set(sum)), row + j, count);
    });
  }
}

template <class T>
void softmax_backward(MatrixView<T> dz, ConstMatrixView<T> dh, ConstMatrixView<T> h) {
  using Scalar = elementary::ScalarOps<T>;
  for (std::size_t b = 0; b < h.rows; ++b) {
    T dot = 0;
    for (std::size_t j = 0; j < h.columns; ++j) dot = Scalar::fma(h(b, j), dh(b, j), dot);
    for (std::size_t j = 0; j < h.columns; ++j) dz(b, j) = h(b, j) * (dh(b, j) - dot);
  }
}

template <class T>
void value(Activation activation, MatrixView<T> h, ConstMatrixView<T> z) {
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
      return softmax(h, z);
  }
}

template <class T>
void backward(Activation activation, MatrixView<T> dz, ConstMatrixView<T> dh, ConstMatrixView<T> z,
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
      return softmax_backward(dz, dh, h);
  }
}

template <class T>
constexpr ActivationKernels<T> kActivationKernels = {&value<T>, &backward<T>};

const ActivationKernels<float>* activation_kernels_float() { return &kActivationKernels<float>; }
const ActivationKernels<double>* activation_kernels_double() { return &kActivationKernels<double>; }

}  // namespace mlpd::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mlpd::core {

HWY_EXPORT(activation_kernels_float);
HWY_EXPORT(activation_kernels_double);

namespace {

template <class T>
const ActivationKernels<T>& kernels() {
  if constexpr (sizeof(T) == sizeof(float)) {
    return *HWY_DYNAMIC_DISPATCH(activation_kernels_float)();
  } else {
    return *HWY_DYNAMIC_DISPATCH(activation_kernels_double)();
  }
}

}  // namespace

template <class T>
void activate(Activation activation, MatrixView<T> h, ConstMatrixView<T> z) {
  kernels<T>().value(activation, h, z);
}

template <class T>
void activate_backward(Activation activation, MatrixView<T> dz, ConstMatrixView<T> dh, ConstMatrixView<T> z,
                       ConstMatrixView<T> h) {
  kernels<T>().backward(activation, dz, dh, z, h);
}

#define MLPD_INSTANTIATE(T)                                                                          \
  template void activate(Activation, MatrixView<T>, ConstMatrixView<T>);                             \
  template void activate_backward(Activation, MatrixView<T>, ConstMatrixView<T>, ConstMatrixView<T>, \
                                  ConstMatrixView<T>);
MLPD_INSTANTIATE(float)
MLPD_INSTANTIATE(double)
#undef MLPD_INSTANTIATE

}  // namespace mlpd::core
#endif
