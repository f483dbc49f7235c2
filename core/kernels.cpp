#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target.h must come before what it compiles again
#include "core/kernels.h"
#include "core/vector_ops-inl.h"
// clang-format on

#include <algorithm>

#ifndef MLPD_DENSE_KERNELS
#define MLPD_DENSE_KERNELS
namespace mlpd::core {

/// c[m][n] = start + Σ_p a[m·row_stride + p·depth_stride]·b[p][n] over p = 0 … depth−1 ascending: the one
/// product that all three dense kernels are made of. start is bias[n], or 0 where bias is null.
template <class T>
struct Product {
  T* c;
  std::size_t c_stride;
  const T* a;
  std::size_t row_stride, depth_stride;
  const T* b;
  std::size_t b_stride;
  const T* bias;
  std::size_t rows, columns, depth;
};

/// One instruction set's kernels for one type.
template <class T>
struct DenseKernels {
  void (*product)(const Product<T>&);
  void (*product_transposed)(const Product<T>&);
  void (*interleaved)(T* dweights, T* dbias, ConstMatrixView<T> input, ConstMatrixView<T> dz);
};

}  // namespace mlpd::core
#endif

HWY_BEFORE_NAMESPACE();
namespace mlpd::core::HWY_NAMESPACE {

inline constexpr std::size_t kPartials = 16;
/// Depth of one pass of a transposed product: its panel of b stays in the first-level cache.
inline constexpr std::size_t kPanelDepth = 128;

/// kRows × (kVectors vectors) of c; only the last vector may be partial. `resume` goes on from c instead of
/// bias.
template <class T, std::size_t kRows, std::size_t kVectors>
HWY_INLINE void block(const Product<T>& p, std::size_t row, std::size_t column, bool resume) {
  using Ops = VectorOps<T>;
  typename Ops::V sum[kRows][kVectors];
  const std::size_t left = p.columns - column;
#pragma GCC unroll 16
  for (std::size_t v = 0; v < kVectors; ++v) {
    const std::size_t offset = v * Ops::kLanes;
    const auto start = p.bias == nullptr ? Ops::set(0) : Ops::load(p.bias + column + offset, left - offset);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRows; ++i)
      sum[i][v] = resume ? Ops::load(p.c + (row + i) * p.c_stride + column + offset, left - offset) : start;
  }
  const T* a = p.a + row * p.row_stride;
  const T* b = p.b + column;
  if (left >= kVectors * Ops::kLanes) {
    for (std::size_t d = 0; d < p.depth; ++d, a += p.depth_stride, b += p.b_stride) {
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kRows; ++i) {
        const auto factor = Ops::set(a[i * p.row_stride]);
#pragma GCC unroll 16
        for (std::size_t v = 0; v < kVectors; ++v)
          sum[i][v] = Ops::fma(factor, Ops::load(b + v * Ops::kLanes), sum[i][v]);
      }
    }
  } else {
    for (std::size_t d = 0; d < p.depth; ++d, a += p.depth_stride, b += p.b_stride) {
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kRows; ++i) {
        const auto factor = Ops::set(a[i * p.row_stride]);
#pragma GCC unroll 16
        for (std::size_t v = 0; v < kVectors; ++v)
          sum[i][v] = Ops::fma(factor, Ops::load(b + v * Ops::kLanes, left - v * Ops::kLanes), sum[i][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) {
      const std::size_t offset = v * Ops::kLanes;
      Ops::store(sum[i][v], p.c + (row + i) * p.c_stride + column + offset, left - offset);
    }
  }
}

template <class T, std::size_t kVectors>
HWY_INLINE void column_of_blocks(const Product<T>& p, std::size_t column, bool resume) {
  std::size_t row = 0;
  for (; row + 6 <= p.rows; row += 6) block<T, 6, kVectors>(p, row, column, resume);
  for (; row + 2 <= p.rows; row += 2) block<T, 2, kVectors>(p, row, column, resume);
  if (row < p.rows) block<T, 1, kVectors>(p, row, column, resume);
}

template <class T>
void product(const Product<T>& p) {
  constexpr std::size_t kLanes = VectorOps<T>::kLanes;
  std::size_t column = 0;
  for (; column + kLanes < p.columns; column += 2 * kLanes) column_of_blocks<T, 2>(p, column, false);
  if (column < p.columns) column_of_blocks<T, 1>(p, column, false);
}

/// The product with bᵀ in place of b: b is columns × depth here, and is transposed panel by panel.
template <class T>
void product_transposed(const Product<T>& p) {
  constexpr std::size_t kWidth = 2 * VectorOps<T>::kLanes;
  HWY_ALIGN T panel[kPanelDepth * kWidth];
  for (std::size_t column = 0; column < p.columns; column += kWidth) {
    const std::size_t width = std::min(kWidth, p.columns - column);
    for (std::size_t d = 0; d == 0 || d < p.depth; d += kPanelDepth) {
      const std::size_t depth = std::min(kPanelDepth, p.depth - d);
      for (std::size_t n = 0; n < width; ++n)
        for (std::size_t i = 0; i < depth; ++i)
          panel[i * kWidth + n] = p.b[(column + n) * p.b_stride + d + i];
      const Product<T> part{p.c + column, p.c_stride,     p.a + d * p.depth_stride,
                            p.row_stride, p.depth_stride, panel,
                            kWidth,       nullptr,        p.rows,
                            width,        depth};
      if (width > kWidth / 2) {
        column_of_blocks<T, 2>(part, 0, d != 0);
      } else {
        column_of_blocks<T, 1>(part, 0, d != 0);
      }
    }
  }
}

template <class T>
HWY_INLINE typename VectorOps<T>::V tree(typename VectorOps<T>::V* s) {
  for (std::size_t half = kPartials / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) s[i] = VectorOps<T>::add(s[i], s[i + half]);
  return s[0];
}

/// dense_backward_weights with RowSum::interleaved.
template <class T>
void interleaved(T* dweights, T* dbias, ConstMatrixView<T> input, ConstMatrixView<T> dz) {
  using Ops = VectorOps<T>;
  typename Ops::V s[kPartials];
  for (std::size_t j = 0; j < dz.columns; j += Ops::kLanes) {
    const std::size_t left = dz.columns - j;
    for (std::size_t k = 0; k < input.columns; ++k) {
      for (auto& partial : s) partial = Ops::set(0);
      for (std::size_t b = 0; b < dz.rows; ++b)
        s[b % kPartials] = Ops::fma(Ops::set(input(b, k)), Ops::load(dz.row(b) + j, left), s[b % kPartials]);
      Ops::store(tree<T>(s), dweights + k * dz.columns + j, left);
    }
    if (dbias == nullptr) continue;
    for (auto& partial : s) partial = Ops::set(0);
    for (std::size_t b = 0; b < dz.rows; ++b)
      s[b % kPartials] = Ops::add(s[b % kPartials], Ops::load(dz.row(b) + j, left));
    Ops::store(tree<T>(s), dbias + j, left);
  }
}

template <class T>
constexpr DenseKernels<T> kDenseKernels = {&product<T>, &product_transposed<T>, &interleaved<T>};

const DenseKernels<float>* dense_kernels_float() { return &kDenseKernels<float>; }
const DenseKernels<double>* dense_kernels_double() { return &kDenseKernels<double>; }
const char* target_name() { return HWY_NATIVE_FMA ? hwy::TargetName(HWY_TARGET) : "oracle"; }

}  // namespace mlpd::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mlpd::core {

HWY_EXPORT(dense_kernels_float);
HWY_EXPORT(dense_kernels_double);
HWY_EXPORT(target_name);

namespace {

template <class T>
const DenseKernels<T>& dense_kernels() {
  if constexpr (sizeof(T) == sizeof(float)) {
    return *HWY_DYNAMIC_DISPATCH(dense_kernels_float)();
  } else {
    return *HWY_DYNAMIC_DISPATCH(dense_kernels_double)();
  }
}

/// Multiply-adds below which a product is not worth a second thread.
constexpr double kParallelWork = 2e6;

/// Cuts the rows of c into parts for the executor.
template <class T>
void run(const Product<T>& p, void (*kernel)(const Product<T>&), Executor& executor) {
  const double work =
      static_cast<double>(p.rows) * static_cast<double>(p.columns) * static_cast<double>(p.depth);
  const std::size_t parts =
      work < kParallelWork ? 1 : std::min(executor.width(), std::max<std::size_t>(p.rows / 6, 1));
  if (parts <= 1) return kernel(p);
  const std::size_t rows = (p.rows + parts * 6 - 1) / (parts * 6) * 6;
  executor.for_each(parts, [&](std::size_t part) {
    const std::size_t first = std::min(part * rows, p.rows);
    Product<T> share = p;
    share.c += first * p.c_stride;
    share.a += first * p.row_stride;
    share.rows = std::min(rows, p.rows - first);
    kernel(share);
  });
}

}  // namespace

template <class T>
void dense_forward(MatrixView<T> out, ConstMatrixView<T> input, ConstMatrixView<T> weights, const T* bias,
                   Executor& executor) {
  run<T>({out.data, out.columns, input.data, input.columns, 1, weights.data, weights.columns, bias, out.rows,
          out.columns, weights.rows},
         dense_kernels<T>().product, executor);
}

template <class T>
void dense_backward_input(MatrixView<T> dinput, ConstMatrixView<T> dz, ConstMatrixView<T> weights,
                          Executor& executor) {
  run<T>({dinput.data, dinput.columns, dz.data, dz.columns, 1, weights.data, weights.columns, nullptr,
          dinput.rows, dinput.columns, dz.columns},
         dense_kernels<T>().product_transposed, executor);
}

template <class T>
void dense_backward_weights(MatrixView<T> dweights, T* dbias, ConstMatrixView<T> input, ConstMatrixView<T> dz,
                            RowSum row_sum, Executor& executor) {
  if (row_sum == RowSum::interleaved) return dense_kernels<T>().interleaved(dweights.data, dbias, input, dz);
  run<T>({dweights.data, dweights.columns, input.data, 1, input.columns, dz.data, dz.columns, nullptr,
          dweights.rows, dweights.columns, dz.rows},
         dense_kernels<T>().product, executor);
  if (dbias == nullptr) return;
  std::fill(dbias, dbias + dz.columns, T{0});
  for (std::size_t b = 0; b < dz.rows; ++b)
    for (std::size_t j = 0; j < dz.columns; ++j) dbias[j] += dz(b, j);
}

template <class T>
T sum_rows(const T* values, std::size_t count, RowSum row_sum) {
  return oracle::sum_rows(values, count, row_sum);
}

std::string_view instruction_set() { return HWY_DYNAMIC_DISPATCH(target_name)(); }

#define MLPD_INSTANTIATE(T)                                                                                \
  template void dense_forward(MatrixView<T>, ConstMatrixView<T>, ConstMatrixView<T>, const T*, Executor&); \
  template void dense_backward_input(MatrixView<T>, ConstMatrixView<T>, ConstMatrixView<T>, Executor&);    \
  template void dense_backward_weights(MatrixView<T>, T*, ConstMatrixView<T>, ConstMatrixView<T>, RowSum,  \
                                       Executor&);                                                         \
  template T sum_rows(const T*, std::size_t, RowSum);
MLPD_INSTANTIATE(float)
MLPD_INSTANTIATE(double)
#undef MLPD_INSTANTIATE

}  // namespace mlpd::core
#endif
