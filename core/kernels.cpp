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
  std::size_t block_stride;  ///< row_stride, or the length per row of packed blocks
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
  void (*column_sums)(T* sums, ConstMatrixView<T> dz);
};

}  // namespace mlpd::core
#endif

HWY_BEFORE_NAMESPACE();
namespace mlpd::core::HWY_NAMESPACE {

inline constexpr std::size_t kPartials = 16;
/// Depth of one pass at most: a panel of b (two vectors wide) fills the first-level cache.
inline constexpr std::size_t kPassDepth = 256;
/// Rows of a that are packed at once, at most: kPassRows × kPassDepth numbers stay in the second-level cache.
inline constexpr std::size_t kPassRows = 264;
/// Rows of c that are computed at once.
inline constexpr std::size_t kBlockRows = 6;

/// Asks for the rows of c that the next block goes on from: in a large product they are far away by then.
template <class T, std::size_t kRows, std::size_t kVectors>
HWY_INLINE void fetch_next(const Product<T>& p, std::size_t row, std::size_t column) {
  constexpr int kRead = 0, kSecondLevelCache = 2;
  for (std::size_t i = row + kRows; i < std::min(row + 2 * kRows, p.rows); ++i)
    for (std::size_t v = 0; v < kVectors; ++v)
      __builtin_prefetch(p.c + i * p.c_stride + column + v * VectorOps<T>::kLanes, kRead, kSecondLevelCache);
}

/// kRows × (kVectors vectors) of c; where not kWhole, the last vector is what is left of the columns.
/// `resume` goes on from c instead of bias.
template <class T, std::size_t kRows, std::size_t kVectors, bool kWhole>
HWY_INLINE void block(const Product<T>& p, std::size_t row, std::size_t column, bool resume) {
  using Ops = VectorOps<T>;
  typename Ops::V sum[kRows][kVectors];
  const auto count = [&](std::size_t v) MLPD_LOOP_BODY {  // of the numbers in a row's vector v
    return kWhole ? Ops::kLanes : p.columns - column - v * Ops::kLanes;
  };
  T* const c = p.c + row * p.c_stride + column;
#pragma GCC unroll 16
  for (std::size_t v = 0; v < kVectors; ++v) {
    const std::size_t at = v * Ops::kLanes;
    const auto start = p.bias == nullptr ? Ops::set(0) : Ops::load(p.bias + column + at, count(v));
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRows; ++i)
      sum[i][v] = resume ? Ops::load(c + i * p.c_stride + at, count(v)) : start;
  }
  const T* a = p.a + row / kBlockRows * kBlockRows * p.block_stride + row % kBlockRows * p.row_stride;
  const T* b = p.b + column;
  fetch_next<T, kRows, kVectors>(p, row, column);
#pragma GCC unroll 2
  for (std::size_t d = 0; d < p.depth; ++d, a += p.depth_stride, b += p.b_stride) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRows; ++i) {
      const auto factor = Ops::set(a[i * p.row_stride]);
#pragma GCC unroll 16
      for (std::size_t v = 0; v < kVectors; ++v)
        sum[i][v] = Ops::fma(factor, Ops::load(b + v * Ops::kLanes, count(v)), sum[i][v]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v)
      Ops::store(sum[i][v], c + i * p.c_stride + v * Ops::kLanes, count(v));
  }
}

/// All rows of kVectors vectors of columns. Eight last rows are two fours where a's rows are evenly spaced: a
/// block of two has too few sums to keep the multipliers busy.
template <class T, std::size_t kVectors, bool kWhole>
HWY_INLINE void column_of_blocks(const Product<T>& p, std::size_t column, bool resume) {
  const bool even = p.block_stride == p.row_stride;
  std::size_t row = 0;
  for (; row + kBlockRows <= p.rows && !(even && row + 8 == p.rows); row += kBlockRows)
    block<T, kBlockRows, kVectors, kWhole>(p, row, column, resume);
  for (; row + 4 <= p.rows; row += 4) block<T, 4, kVectors, kWhole>(p, row, column, resume);
  if (row + 2 <= p.rows) {
    block<T, 2, kVectors, kWhole>(p, row, column, resume);
    row += 2;
  }
  if (row < p.rows) block<T, 1, kVectors, kWhole>(p, row, column, resume);
}

/// The columns from `column` on, two vectors of them at most. One copy of the blocks' code serves all
/// products.
template <class T>
HWY_NOINLINE void columns_of_blocks(const Product<T>& p, std::size_t column, bool resume) {
  constexpr std::size_t kLanes = VectorOps<T>::kLanes;
  const std::size_t left = p.columns - column;
  if (left >= 2 * kLanes) {
    column_of_blocks<T, 2, true>(p, column, resume);
  } else if (left > kLanes) {
    column_of_blocks<T, 2, false>(p, column, resume);
  } else {
    column_of_blocks<T, 1, false>(p, column, resume);
  }
}

/// Small products: b as it lies.
template <class T>
void product_in_place(const Product<T>& p) {
  constexpr std::size_t kLanes = VectorOps<T>::kLanes;
  std::size_t column = 0;
  if (p.rows == 1)  // bound by memory: read long runs of each row of b
    for (; column + 8 * kLanes <= p.columns; column += 8 * kLanes) block<T, 1, 8, true>(p, 0, column, false);
  for (; column < p.columns; column += 2 * kLanes) columns_of_blocks(p, column, false);
}

/// panels[s][d][n] = b[d][s·kWidth + n] for `depth` × `width` numbers: each panel is one strip of columns,
/// kWidth = two vectors wide.
template <class T>
void pack(const T* b, std::size_t stride, std::size_t depth, std::size_t width, T* panels) {
  using Ops = VectorOps<T>;
  constexpr std::size_t kWidth = 2 * Ops::kLanes;
  for (std::size_t d = 0; d < depth; ++d, b += stride, panels += kWidth)
    for (std::size_t n = 0; n < width; n += Ops::kLanes)
      Ops::store(Ops::load(b + n, width - n), panels + n / kWidth * kWidth * kPassDepth + n % kWidth);
}

#if HWY_NATIVE_FMA

/// 16 bytes of rows of b across: to[d][n] = b[n][d] for as many d as a vector of 32 bytes at most has
/// numbers.
template <class T>
struct Across {
  using D = hn::CappedTag<T, 32 / sizeof(T)>;
  using V = hn::Vec<D>;
  static constexpr std::size_t kRows = 16 / sizeof(T);
  static constexpr std::size_t kDepth = HWY_MIN(32, HWY_MAX_BYTES) / sizeof(T);

  /// The numbers of each 16 bytes of v: to[0] and, where v is twice as long, to[kRows].
  static HWY_INLINE void store(V v, T* to, std::size_t to_stride) {
    if constexpr (kDepth == kRows) {
      hn::StoreU(v, D(), to);
    } else {
      const hn::Half<D> half;
      hn::StoreU(hn::LowerHalf(half, v), half, to);
      hn::StoreU(hn::UpperHalf(half, v), half, to + kRows * to_stride);
    }
  }

  static HWY_INLINE void transpose(const T* b, std::size_t stride, T* to, std::size_t to_stride) {
    const D d;
    const V first = hn::LoadU(d, b);
    const V second = hn::LoadU(d, b + stride);
    if constexpr (kRows == 2) {
      store(hn::InterleaveLower(d, first, second), to, to_stride);
      store(hn::InterleaveUpper(d, first, second), to + to_stride, to_stride);
    } else {
      const hn::Repartition<double, D> pairs;
      const V third = hn::LoadU(d, b + 2 * stride);
      const V fourth = hn::LoadU(d, b + 3 * stride);
      const auto low = hn::BitCast(pairs, hn::InterleaveLower(d, first, second));
      const auto low2 = hn::BitCast(pairs, hn::InterleaveLower(d, third, fourth));
      const auto high = hn::BitCast(pairs, hn::InterleaveUpper(d, first, second));
      const auto high2 = hn::BitCast(pairs, hn::InterleaveUpper(d, third, fourth));
      store(hn::BitCast(d, hn::InterleaveLower(pairs, low, low2)), to, to_stride);
      store(hn::BitCast(d, hn::InterleaveUpper(pairs, low, low2)), to + to_stride, to_stride);
      store(hn::BitCast(d, hn::InterleaveLower(pairs, high, high2)), to + 2 * to_stride, to_stride);
      store(hn::BitCast(d, hn::InterleaveUpper(pairs, high, high2)), to + 3 * to_stride, to_stride);
    }
  }
};

#endif

/// panel[d][n] = b[n][d].
template <class T>
void pack_transposed(const T* b, std::size_t stride, std::size_t depth, std::size_t width, T* panel) {
  constexpr std::size_t kWidth = 2 * VectorOps<T>::kLanes;
  std::size_t n = 0;
#if HWY_NATIVE_FMA
  constexpr std::size_t kGroup = Across<T>::kRows;
  for (; n + kGroup <= width; n += kGroup) {
    const T* row = b + n * stride;
    std::size_t d = 0;
    for (; d + Across<T>::kDepth <= depth; d += Across<T>::kDepth)
      Across<T>::transpose(row + d, stride, panel + d * kWidth + n, kWidth);
    for (; d < depth; ++d)
      for (std::size_t i = 0; i < kGroup; ++i) panel[d * kWidth + n + i] = row[i * stride + d];
  }
#endif
  for (; n < width; ++n)
    for (std::size_t d = 0; d < depth; ++d) panel[d * kWidth + n] = b[n * stride + d];
}

/// Makes p.a a packed copy of itself in which each block of kBlockRows rows is contiguous. Whole vectors are
/// written, the next one over what is too much of the last: up to a vector past the copy is overwritten.
template <class T>
void pack_rows(Product<T>& p, T* packed) {
  using Ops = VectorOps<T>;
  for (std::size_t row = 0; row < p.rows; row += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, p.rows - row);
    const T* from = p.a + row * p.row_stride;
    T* to = packed + row * p.depth;
    if (p.depth_stride == 1) {
      for (std::size_t i = 0; i < count; ++i) std::copy_n(from + i * p.row_stride, p.depth, to + i * p.depth);
    } else {
      for (std::size_t d = 0; d < p.depth; ++d, from += p.depth_stride, to += kBlockRows)
#pragma GCC unroll 6
        for (std::size_t i = 0; i < kBlockRows; i += Ops::kLanes)
          if (i < count) Ops::store(Ops::load(from + i, count - i), to + i);
    }
  }
  p.a = packed;
  p.block_stride = p.depth;
  if (p.depth_stride == 1) {
    p.row_stride = p.depth;
  } else {
    p.depth_stride = kBlockRows;
  }
}

/// c += a·panels for the strips that are packed.
template <class T>
HWY_INLINE void product_of_panels(Product<T> p, std::size_t columns, bool resume) {
  constexpr std::size_t kWidth = 2 * VectorOps<T>::kLanes;
  p.b_stride = kWidth;
  for (std::size_t column = 0; column < columns; column += kWidth) {
    p.columns = std::min(kWidth, columns - column);
    columns_of_blocks(p, 0, resume);
    p.c += kWidth;
    p.b += kPassDepth * kWidth;
    if (p.bias != nullptr) p.bias += kWidth;
  }
}

/// The length, a multiple of `unit`, of the fewest passes of at most `most` that make up `whole`, all about
/// equally long: 784 inputs are 4 × 196 and not 3 × 256 with a rest of 16 that hardly uses its panels.
HWY_INLINE std::size_t even_step(std::size_t whole, std::size_t most, std::size_t unit) {
  whole = std::max<std::size_t>(whole, 1);
  const std::size_t passes = (whole + most - 1) / most;
  return (whole + passes * unit - 1) / (passes * unit) * unit;
}

/// Large products, and all with bᵀ in place of b (kTransposed: b is columns × depth): pass by pass over the
/// depth, c carrying the chains from one pass to the next.
template <class T, bool kTransposed>
void product_in_passes(const Product<T>& whole) {
  constexpr std::size_t kWidth = 2 * VectorOps<T>::kLanes;
  // Strips packed at once: long runs of b's rows cost fewer page look-ups.
  constexpr std::size_t kStrips = kTransposed ? 1 : 8;
  const bool packs_rows = whole.rows >= kBlockRows && whole.columns > 8 * kWidth;
  thread_local AlignedBuffer<T> memory;
  memory.resize(kPassDepth * (kPassRows + 8 * kWidth));
  T* panels = memory.data() + kPassDepth * kPassRows;
  const std::size_t pass_depth = even_step(whole.depth, kPassDepth, 1);
  const std::size_t pass_rows = even_step(whole.rows, kPassRows, kBlockRows);
  for (std::size_t d = 0; d == 0 || d < whole.depth; d += pass_depth)
    for (std::size_t row = 0; row < whole.rows; row += pass_rows) {
      Product<T> p = whole;
      p.depth = std::min(pass_depth, whole.depth - d);
      p.rows = std::min(pass_rows, whole.rows - row);
      p.a = whole.a + row * p.row_stride + d * p.depth_stride;
      if (packs_rows) pack_rows(p, memory.data());
      for (std::size_t column = 0; column < whole.columns; column += kStrips * kWidth) {
        const std::size_t columns = std::min(kStrips * kWidth, whole.columns - column);
        p.b = panels;
        p.c = whole.c + row * p.c_stride + column;
        p.bias = whole.bias == nullptr ? nullptr : whole.bias + column;
        if constexpr (kTransposed) {
          pack_transposed(whole.b + column * whole.b_stride + d, whole.b_stride, p.depth, columns, panels);
        } else {
          pack(whole.b + d * whole.b_stride + column, whole.b_stride, p.depth, columns, panels);
        }
        product_of_panels(p, columns, d != 0);
      }
    }
}

template <class T>
void product(const Product<T>& p) {
  // Packing pays where b's rows are far apart and rows are many enough to use a panel again.
  const bool packs = p.columns >= 192 ? p.rows >= 48 : p.columns >= 96 && p.rows >= 256;
  packs ? product_in_passes<T, false>(p) : product_in_place(p);
}

template <class T>
void product_transposed(const Product<T>& p) {
  product_in_passes<T, true>(p);
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

/// sums[j] = Σ_b dz[b][j], row by row.
template <class T>
void column_sums(T* sums, ConstMatrixView<T> dz) {
  using Ops = VectorOps<T>;
  for_each_vector<T>(dz.columns, [&](std::size_t j, std::size_t count) MLPD_LOOP_BODY {
    auto sum = Ops::set(0);
    for (std::size_t b = 0; b < dz.rows; ++b) sum = Ops::add(sum, Ops::load(dz.row(b) + j, count));
    Ops::store(sum, sums + j, count);
  });
}

template <class T>
constexpr DenseKernels<T> kDenseKernels = {&product<T>, &product_transposed<T>, &interleaved<T>,
                                           &column_sums<T>};

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
  if (work < kParallelWork) return kernel(p);
  for_each_part(executor, executor.width(), p.rows, 6, [&](std::size_t first, std::size_t rows) {
    Product<T> share = p;
    share.c += first * p.c_stride;
    share.a += first * p.row_stride;
    share.rows = rows;
    kernel(share);
  });
}

}  // namespace

template <class T>
void dense_forward(MatrixView<T> out, ConstMatrixView<T> input, ConstMatrixView<T> weights, const T* bias,
                   Executor& executor) {
  run<T>({out.data, out.columns, input.data, input.columns, 1, input.columns, weights.data, weights.columns,
          bias, out.rows, out.columns, weights.rows},
         dense_kernels<T>().product, executor);
}

template <class T>
void dense_backward_input(MatrixView<T> dinput, ConstMatrixView<T> dz, ConstMatrixView<T> weights,
                          Executor& executor) {
  run<T>({dinput.data, dinput.columns, dz.data, dz.columns, 1, dz.columns, weights.data, weights.columns,
          nullptr, dinput.rows, dinput.columns, dz.columns},
         dense_kernels<T>().product_transposed, executor);
}

template <class T>
void dense_backward_weights(MatrixView<T> dweights, T* dbias, ConstMatrixView<T> input, ConstMatrixView<T> dz,
                            RowSum row_sum, Executor& executor) {
  // Without rows both orders give zeros; only this one takes no offset from the null pointers of empty
  // matrices.
  if (row_sum == RowSum::interleaved || dz.rows == 0)
    return dense_kernels<T>().interleaved(dweights.data, dbias, input, dz);
  if (dz.columns == 1) {  // the same products with the inputs, which are many, across the vectors
    run<T>({dweights.data, dweights.rows, dz.data, 1, 1, 1, input.data, input.columns, nullptr, 1,
            dweights.rows, dz.rows},
           dense_kernels<T>().product, executor);
  } else {
    run<T>({dweights.data, dweights.columns, input.data, 1, input.columns, 1, dz.data, dz.columns, nullptr,
            dweights.rows, dweights.columns, dz.rows},
           dense_kernels<T>().product, executor);
  }
  if (dbias != nullptr) dense_kernels<T>().column_sums(dbias, dz);
}

template <class T>
T sum_rows(const T* values, std::size_t count, RowSum row_sum) {
  return oracle::sum_rows(values, count, row_sum);
}

std::string_view instruction_set() {
  const std::string_view name = HWY_DYNAMIC_DISPATCH(target_name)();
  if (name.starts_with("AVX3")) return "AVX-512";  // Highway's own names; newer ones tell processors apart
  return name.starts_with("NEON") ? "NEON" : name;
}

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
