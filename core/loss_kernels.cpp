#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/loss_kernels.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target.h must come before what it compiles again
#include "core/loss.h"
#include "core/vector_ops-inl.h"
// clang-format on

#include <algorithm>

#ifndef MLPD_LOSS_KERNELS
#define MLPD_LOSS_KERNELS
namespace mlpd::core {

/// What a loss kernel works on; all matrices are N × K. `scale` is 1 over the mean's divisor.
template <class T>
struct LossArguments {
  ConstMatrixView<T> z, h, targets;
  const T* row_weights;
  T keep, spread;  ///< label smoothing: y is replaced by keep·y + spread; keep = 1 is none
  T scale;
};

/// One instruction set's kernels for one type.
template <class T>
struct LossKernels {
  void (*forward)(Loss loss, bool fused, const LossArguments<T>&, T* row_losses);
  void (*backward)(Loss loss, bool fused, const LossArguments<T>&, T* gradient);
};

}  // namespace mlpd::core
#endif

HWY_BEFORE_NAMESPACE();
namespace mlpd::core::HWY_NAMESPACE {

template <class Ops>
HWY_INLINE typename Ops::V smoothed(const LossArguments<typename Ops::T>& a, typename Ops::V y) {
  return a.keep == 1 ? y : Ops::fma(Ops::set(a.keep), y, Ops::set(a.spread));
}

template <class T>
T row_weight(const LossArguments<T>& a, std::size_t row) {
  return a.row_weights != nullptr ? a.row_weights[row] : T{1};
}

/// Columns that a row kernel keeps on its stack at once.
inline constexpr std::size_t kColumnsAtOnce = 64;

template <Loss kLoss, bool kFused, class T>
void terms_forward(const LossArguments<T>& a, T* row_losses) {
  using Ops = VectorOps<T>;
  const std::size_t columns = a.h.columns;
  T terms[kColumnsAtOnce];
  for (std::size_t r = 0; r < a.h.rows; ++r) {
    T sum = 0;
    for (std::size_t first = 0; first < columns; first += kColumnsAtOnce) {
      const std::size_t count = std::min(kColumnsAtOnce, columns - first);
      const std::size_t at = r * columns + first;
      for (std::size_t j = 0; j < count; j += Ops::kLanes) {
        const std::size_t left = count - j;
        const auto y = smoothed<Ops>(a, Ops::load(a.targets.data + at + j, left));
        Ops::store(loss_term<kLoss, kFused, Ops>(Ops::load(a.z.data + at + j, left),
                                                 Ops::load(a.h.data + at + j, left), y),
                   terms + j, left);
      }
      for (std::size_t j = 0; j < count; ++j) sum += terms[j];
    }
    row_losses[r] = row_weight(a, r) * sum;
  }
}

/// Softmax with cross_entropy: Σ_j y_j·(log Σexp(z−max) − (z_j−max)).
template <class T>
void softmax_forward(const LossArguments<T>& a, T* row_losses) {
  using Ops = VectorOps<T>;
  using Scalar = elementary::ScalarOps<T>;
  const std::size_t columns = a.z.columns;
  T powers[kColumnsAtOnce];
  for (std::size_t r = 0; r < a.z.rows; ++r) {
    const T* z = a.z.row(r);
    const T* y = a.targets.row(r);
    const T largest = *std::max_element(z, z + columns);
    T total = 0;
    for (std::size_t first = 0; first < columns; first += kColumnsAtOnce) {
      const std::size_t count = std::min(kColumnsAtOnce, columns - first);
      for (std::size_t j = 0; j < count; j += Ops::kLanes) {
        const auto below = Ops::sub(Ops::load(z + first + j, count - j), Ops::set(largest));
        Ops::store(exp_of_nonpositive<Ops>(below), powers + j, count - j);
      }
      for (std::size_t j = 0; j < count; ++j) total += powers[j];
    }
    const T log_total = elementary::log(total);
    T sum = 0;
    for (std::size_t j = 0; j < columns; ++j)
      sum = Scalar::fma(smoothed<Scalar>(a, y[j]), log_total - (z[j] - largest), sum);
    row_losses[r] = row_weight(a, r) * sum;
  }
}

/// The same with rows side by side: for a few columns.
template <class T>
void softmax_forward_by_rows(const LossArguments<T>& a, T* row_losses) {
  using Ops = VectorOps<T>;
  using V = typename Ops::V;
  const std::size_t columns = a.z.columns;
  for (std::size_t r = 0; r < a.z.rows; r += Ops::kLanes) {
    const std::size_t count = std::min(Ops::kLanes, a.z.rows - r);
    const auto column = [&](const ConstMatrixView<T>& matrix, std::size_t j) {
      T lanes[Ops::kLanes] = {};
      for (std::size_t i = 0; i < count; ++i) lanes[i] = matrix(r + i, j);
      return Ops::load(lanes);
    };
    V largest = column(a.z, 0);
    for (std::size_t j = 1; j < columns; ++j) {
      const V z = column(a.z, j);
      largest = Ops::select(Ops::less(largest, z), z, largest);
    }
    V total = Ops::set(0);
    for (std::size_t j = 0; j < columns; ++j)
      total = Ops::add(total, exp_of_nonpositive<Ops>(Ops::sub(column(a.z, j), largest)));
    const V log_total = log<Ops>(total);
    V sum = Ops::set(0);
    for (std::size_t j = 0; j < columns; ++j)
      sum = Ops::fma(smoothed<Ops>(a, column(a.targets, j)),
                     Ops::sub(log_total, Ops::sub(column(a.z, j), largest)), sum);
    if (a.row_weights != nullptr) sum = Ops::mul(Ops::load(a.row_weights + r, count), sum);
    Ops::store(sum, row_losses + r, count);
  }
}

template <Loss kLoss, bool kFused, class T>
void terms_backward(const LossArguments<T>& a, T* gradient) {
  using Ops = VectorOps<T>;
  const std::size_t columns = a.h.columns;
  const std::size_t n = a.h.size();
  // Without row weights the rows don't matter: one flat array.
  const std::size_t run = a.row_weights == nullptr ? n : columns;
  for (std::size_t first = 0; first < n; first += run) {
    const auto factor =
        Ops::set(a.row_weights == nullptr ? a.scale : a.row_weights[first / columns] * a.scale);
    for (std::size_t j = 0; j < run; j += Ops::kLanes) {
      const std::size_t at = first + j;
      const auto y = smoothed<Ops>(a, Ops::load(a.targets.data + at, run - j));
      const auto slope = loss_slope<kLoss, kFused, Ops>(Ops::load(a.h.data + at, run - j), y);
      Ops::store(Ops::mul(slope, factor), gradient + at, run - j);
    }
  }
}

/// Softmax with cross_entropy: dz_j = (h_j·Σy − y_j)·w/N.
template <class T>
void softmax_backward(const LossArguments<T>& a, T* gradient) {
  using Ops = VectorOps<T>;
  using Scalar = elementary::ScalarOps<T>;
  const std::size_t columns = a.h.columns;
  for (std::size_t r = 0; r < a.h.rows; ++r) {
    const T* y = a.targets.row(r);
    T total = 0;
    for (std::size_t j = 0; j < columns; ++j) total += smoothed<Scalar>(a, y[j]);
    const auto factor = Ops::set(row_weight(a, r) * a.scale);
    for (std::size_t j = 0; j < columns; j += Ops::kLanes) {
      const std::size_t left = columns - j;
      const auto target = smoothed<Ops>(a, Ops::load(y + j, left));
      const auto excess = Ops::fma(Ops::load(a.h.row(r) + j, left), Ops::set(total), Ops::negative(target));
      Ops::store(Ops::mul(excess, factor), gradient + r * columns + j, left);
    }
  }
}

template <class T>
void forward(Loss loss, bool fused, const LossArguments<T>& a, T* row_losses) {
  switch (loss) {
    case Loss::half_squared_error:
      return terms_forward<Loss::half_squared_error, false>(a, row_losses);
    case Loss::mean_squared_error:
      return terms_forward<Loss::mean_squared_error, false>(a, row_losses);
    case Loss::mean_absolute_error:
      return terms_forward<Loss::mean_absolute_error, false>(a, row_losses);
    case Loss::huber:
      return terms_forward<Loss::huber, false>(a, row_losses);
    case Loss::binary_cross_entropy:
      return fused ? terms_forward<Loss::binary_cross_entropy, true>(a, row_losses)
                   : terms_forward<Loss::binary_cross_entropy, false>(a, row_losses);
    case Loss::cross_entropy:
      if (!fused) return terms_forward<Loss::cross_entropy, false>(a, row_losses);
      return a.z.columns < VectorOps<T>::kLanes ? softmax_forward_by_rows(a, row_losses)
                                                : softmax_forward(a, row_losses);
  }
}

template <class T>
void backward(Loss loss, bool fused, const LossArguments<T>& a, T* gradient) {
  switch (loss) {
    case Loss::half_squared_error:
      return terms_backward<Loss::half_squared_error, false>(a, gradient);
    case Loss::mean_squared_error:
      return terms_backward<Loss::mean_squared_error, false>(a, gradient);
    case Loss::mean_absolute_error:
      return terms_backward<Loss::mean_absolute_error, false>(a, gradient);
    case Loss::huber:
      return terms_backward<Loss::huber, false>(a, gradient);
    case Loss::binary_cross_entropy:
      return fused ? terms_backward<Loss::binary_cross_entropy, true>(a, gradient)
                   : terms_backward<Loss::binary_cross_entropy, false>(a, gradient);
    case Loss::cross_entropy:
      return fused ? softmax_backward(a, gradient) : terms_backward<Loss::cross_entropy, false>(a, gradient);
  }
}

template <class T>
constexpr LossKernels<T> kLossKernels = {&forward<T>, &backward<T>};

const LossKernels<float>* loss_kernels_float() { return &kLossKernels<float>; }
const LossKernels<double>* loss_kernels_double() { return &kLossKernels<double>; }

}  // namespace mlpd::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mlpd::core {

HWY_EXPORT(loss_kernels_float);
HWY_EXPORT(loss_kernels_double);

namespace {

template <class T>
const LossKernels<T>& kernels() {
  if constexpr (sizeof(T) == sizeof(float)) {
    return *HWY_DYNAMIC_DISPATCH(loss_kernels_float)();
  } else {
    return *HWY_DYNAMIC_DISPATCH(loss_kernels_double)();
  }
}

template <class T>
LossArguments<T> arguments(const LossOptions& loss, ConstMatrixView<T> z, ConstMatrixView<T> h,
                           ConstMatrixView<T> targets, const T* row_weights) {
  LossArguments<T> a{
      z, h, targets, row_weights, T{1}, T{0}, static_cast<T>(loss_scale(loss.kind, h.rows, h.columns))};
  if (loss.kind == Loss::cross_entropy && loss.label_smoothing > 0) {
    a.keep = static_cast<T>(1 - loss.label_smoothing);
    a.spread = static_cast<T>(loss.label_smoothing / static_cast<double>(h.columns));
  }
  return a;
}

}  // namespace

template <class T>
T loss_forward(const LossOptions& loss, Activation last, ConstMatrixView<T> z, ConstMatrixView<T> h,
               ConstMatrixView<T> targets, const T* row_weights, RowSum row_sum, T* row_losses) {
  const LossArguments<T> a = arguments(loss, z, h, targets, row_weights);
  kernels<T>().forward(loss.kind, is_fused(loss.kind, last), a, row_losses);
  const T total = sum_rows<T>(row_losses, h.rows, row_sum) * a.scale;
  return loss.kind == Loss::half_squared_error ? total * T{0.5} : total;
}

template <class T>
void loss_backward(const LossOptions& loss, Activation last, MatrixView<T> gradient, ConstMatrixView<T> z,
                   ConstMatrixView<T> h, ConstMatrixView<T> targets, const T* row_weights) {
  kernels<T>().backward(loss.kind, is_fused(loss.kind, last), arguments(loss, z, h, targets, row_weights),
                        gradient.data);
}

#define MLPD_INSTANTIATE(T)                                                                       \
  template T loss_forward(const LossOptions&, Activation, ConstMatrixView<T>, ConstMatrixView<T>, \
                          ConstMatrixView<T>, const T*, RowSum, T*);                              \
  template void loss_backward(const LossOptions&, Activation, MatrixView<T>, ConstMatrixView<T>,  \
                              ConstMatrixView<T>, ConstMatrixView<T>, const T*);
MLPD_INSTANTIATE(float)
MLPD_INSTANTIATE(double)
#undef MLPD_INSTANTIATE

}  // namespace mlpd::core
#endif
