// Rows of lanes: 16 numbers, one for each of 16 samples side by side, and what the lanes pass does with them.
// Compiled once per instruction set like vector_ops-inl.h.
#if defined(MLPD_LANE_OPS_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef MLPD_LANE_OPS_TOGGLE
#undef MLPD_LANE_OPS_TOGGLE
#else
#define MLPD_LANE_OPS_TOGGLE
#endif

#include <algorithm>

#include "core/lanes.h"
#include "core/vector_ops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mlpd::core::HWY_NAMESPACE {

/// Samples that the last rows of a batch take at once, where they are as few as that: one vector of them.
/// (Without vectors nothing is gained.)
template <class T>
inline constexpr std::size_t kShortRow = VectorOps<T>::kLanes == 1 ? kSamples
                                                                   : std::min(VectorOps<T>::kLanes, kSamples);

/// Samples that long batches take at once: what leaves registers enough for two tiles of dots().
template <class T>
inline constexpr std::size_t kWideRow = std::clamp(4 * VectorOps<T>::kLanes, kSamples, kWidestRow);

/// A row of kRow numbers in registers.
template <class T, std::size_t kRow>
struct Lanes {
  using Ops = VectorOps<T>;
  static constexpr std::size_t kVectors = kRow / Ops::kLanes;
  typename Ops::V v[kVectors];

  static HWY_INLINE Lanes load(const T* p) {
    Lanes lanes;
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kVectors; ++i) lanes.v[i] = Ops::load(p + i * Ops::kLanes);
    return lanes;
  }
  static HWY_INLINE Lanes set(T x) {
    Lanes lanes;
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kVectors; ++i) lanes.v[i] = Ops::set(x);
    return lanes;
  }
  HWY_INLINE void store(T* p) const {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kVectors; ++i) Ops::store(v[i], p + i * Ops::kLanes);
  }
};

/// `count` ≤ kRow rows of a row-major matrix across the lanes; lanes past them repeat the last row, so that
/// they never bring in a number that no sample has.
template <std::size_t kRow, class T>
HWY_INLINE void load_rows(const T* rows, std::size_t count, std::size_t columns, T* out) {
#if HWY_NATIVE_FMA
  using Ops = VectorOps<T>;
  if (columns == 2) {
    const typename Ops::D d;
    const auto last_first = Ops::set(rows[2 * count - 2]);
    const auto last_second = Ops::set(rows[2 * count - 1]);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kRow; i += Ops::kLanes) {
      const std::size_t here = count > i ? count - i : 0;
      const std::size_t upper = 2 * here > Ops::kLanes ? 2 * here - Ops::kLanes : 0;
      const auto low = Ops::load(rows + 2 * i, 2 * here);
      const auto high = Ops::load(rows + 2 * i + Ops::kLanes, upper);
      const auto present = hn::FirstN(d, here);
      Ops::store(Ops::select(present, hn::ConcatEven(d, high, low), last_first), out + i);
      Ops::store(Ops::select(present, hn::ConcatOdd(d, high, low), last_second), out + kRow + i);
    }
    return;
  }
#endif
  for (std::size_t r = 0; r < kRow; ++r) {
    const T* row = rows + std::min(r, count - 1) * columns;
    for (std::size_t j = 0; j < columns; ++j) out[j * kRow + r] = row[j];
  }
}

template <std::size_t kRow, class T>
void store_rows(const T* lanes, std::size_t count, std::size_t columns, T* rows) {
  for (std::size_t r = 0; r < count; ++r)
    for (std::size_t j = 0; j < columns; ++j) rows[r * columns + j] = lanes[j * kRow + r];
}

/// out[t] = start[t] + Σ_i in[i]·w[t·out_stride + i·in_stride] for kTile rows of lanes, i ascending.
template <std::size_t kRow, std::size_t kTile, class T>
HWY_INLINE void dot_tile(T* out, const T* start, const T* in, std::size_t count, const T* w,
                         std::size_t out_stride, std::size_t in_stride) {
  using Ops = VectorOps<T>;
  Lanes<T, kRow> sum[kTile];
#pragma GCC unroll 8
  for (std::size_t t = 0; t < kTile; ++t) sum[t] = Lanes<T, kRow>::set(start != nullptr ? start[t] : T{0});
  for (const T* const end = in + count * kRow; in != end; in += kRow, w += in_stride) {
    const auto x = Lanes<T, kRow>::load(in);
#pragma GCC unroll 8
    for (std::size_t t = 0; t < kTile; ++t) {
      const auto weight = Ops::set(w[t * out_stride]);
#pragma GCC unroll 16
      for (std::size_t v = 0; v < Lanes<T, kRow>::kVectors; ++v)
        sum[t].v[v] = Ops::fma(x.v[v], weight, sum[t].v[v]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t t = 0; t < kTile; ++t) sum[t].store(out + t * kRow);
}

template <std::size_t kRow, class T>
HWY_INLINE void dots(T* out, std::size_t outputs, const T* start, const T* in, std::size_t count, const T* w,
                     std::size_t out_stride, std::size_t in_stride) {
  constexpr std::size_t kTile = Lanes<T, kRow>::kVectors <= 2 ? 4 : 2;
  std::size_t t = 0;
  const auto from = [&](std::size_t i) { return start != nullptr ? start + i : nullptr; };
  for (; t + kTile <= outputs; t += kTile)
    dot_tile<kRow, kTile>(out + t * kRow, from(t), in, count, w + t * out_stride, out_stride, in_stride);
  if (kTile > 2 && t + 2 <= outputs) {
    dot_tile<kRow, 2>(out + t * kRow, from(t), in, count, w + t * out_stride, out_stride, in_stride);
    t += 2;
  }
  if (t < outputs)
    dot_tile<kRow, 1>(out + t * kRow, from(t), in, count, w + t * out_stride, out_stride, in_stride);
}

#if HWY_NATIVE_FMA

/// The tree s[i] += s[i + half] of RowSum::interleaved for several rows of lanes at once.
template <class T>
struct Trees {
  using D = hn::CappedTag<T, 32 / sizeof(T)>;
  using V = hn::Vec<D>;
  static constexpr std::size_t kAtOnce = HWY_MIN(32, HWY_MAX_BYTES) / sizeof(T);

  /// The tree's first levels: kAtOnce sums are left.
  static HWY_INLINE V fold(const T* row) {
    constexpr std::size_t kLeft = kSamples / kAtOnce;
    V v[kLeft];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kLeft; ++i) v[i] = hn::LoadU(D(), row + i * kAtOnce);
#pragma GCC unroll 4
    for (std::size_t half = kLeft / 2; half > 0; half /= 2)
#pragma GCC unroll 8
      for (std::size_t i = 0; i < half; ++i) v[i] = hn::Add(v[i], v[i + half]);
    return v[0];
  }

  /// One level more: of each run of 2·kHalf sums in a, then in b, the lower half plus the upper one.
  template <std::size_t kHalf>
  static HWY_INLINE V halve(V a, V b) {
    constexpr std::size_t kBytes = kHalf * sizeof(T);
    if constexpr (kBytes == 16) {
      return hn::Add(hn::ConcatLowerLower(D(), b, a), hn::ConcatUpperUpper(D(), b, a));
    } else if constexpr (kBytes == 8 && sizeof(T) == 4) {
      const hn::Repartition<double, D> pairs;
      const auto x = hn::BitCast(pairs, a);
      const auto y = hn::BitCast(pairs, b);
      return hn::Add(hn::BitCast(D(), hn::ConcatEven(pairs, y, x)),
                     hn::BitCast(D(), hn::ConcatOdd(pairs, y, x)));
    } else {
      return hn::Add(hn::ConcatEven(D(), b, a), hn::ConcatOdd(D(), b, a));
    }
  }

  /// kRows·2^k = kAtOnce rows brought down to kAtOnce/kRows sums each, side by side.
  template <std::size_t kRows>
  static HWY_INLINE V sums(const T* rows, std::size_t stride) {
    if constexpr (kRows == 1) {
      return fold(rows);
    } else {
      return halve<kAtOnce / kRows>(sums<kRows / 2>(rows, stride),
                                    sums<kRows / 2>(rows + kRows / 2 * stride, stride));
    }
  }
};

/// gradient[p] = the tree of sums[p][16].
template <class T>
void reduce(const T* sums, std::size_t count, T* gradient) {
  using Tree = Trees<T>;
  constexpr std::size_t kAtOnce = Tree::kAtOnce;
  std::size_t p = 0;
  for (; p + kAtOnce <= count; p += kAtOnce)
    hn::StoreU(Tree::template sums<kAtOnce>(sums + p * kSamples, kSamples), typename Tree::D(), gradient + p);
  for (; p < count; ++p) gradient[p] = hn::GetLane(Tree::template sums<kAtOnce>(sums + p * kSamples, 0));
}

#else

template <class T>
void reduce(const T* sums, std::size_t count, T* gradient) {
  for (std::size_t p = 0; p < count; ++p) {
    T s[kSamples];
    std::copy_n(sums + p * kSamples, kSamples, s);
    for (std::size_t half = kSamples / 2; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) s[i] += s[i + half];
    gradient[p] = s[0];
  }
}

#endif

}  // namespace mlpd::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
