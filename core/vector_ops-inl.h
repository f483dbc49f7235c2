// The vector counterpart of elementary::ScalarOps, compiled once per instruction set by
// <hwy/foreach_target.h>; included only by kernel files, inside no namespace. See elementary_functions.inc
// for what Ops promises.
#if defined(MLPD_VECTOR_OPS_TOGGLE) == defined(HWY_TARGET_TOGGLE)
#ifdef MLPD_VECTOR_OPS_TOGGLE
#undef MLPD_VECTOR_OPS_TOGGLE
#else
#define MLPD_VECTOR_OPS_TOGGLE
#endif

#include <hwy/highway.h>

#include "core/pointwise.h"

HWY_BEFORE_NAMESPACE();
namespace mlpd::core::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using elementary::Constants;
using elementary::kLeakySlope;

#if HWY_NATIVE_FMA

/// Vectors of kLanes numbers of type T. `count` < kLanes loads and stores only the first `count` numbers; the
/// other lanes are 0.
template <class Number>
struct VectorOps {
  using T = Number;
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;
  using M = hn::Mask<D>;
  using Unsigned = hn::RebindToUnsigned<D>;
  using Bits = hn::TFromD<Unsigned>;
  static constexpr std::size_t kLanes = HWY_MAX_BYTES / sizeof(T);
  static constexpr int kMantissaBits = std::numeric_limits<T>::digits - 1;

  static HWY_INLINE V set(T x) { return hn::Set(D(), x); }
  static HWY_INLINE V load(const T* p) { return hn::LoadU(D(), p); }
  static HWY_INLINE void store(V v, T* p) { hn::StoreU(v, D(), p); }
  static HWY_INLINE V load(const T* p, std::size_t count) {
    if (count >= kLanes) return load(p);
#if HWY_ARCH_X86
    return hn::MaskedLoad(hn::FirstN(D(), count), D(), p);
#else  // elsewhere a masked load may touch memory past the array
    T lanes[kLanes] = {};
    for (std::size_t i = 0; i < count; ++i) lanes[i] = p[i];
    return load(lanes);
#endif
  }
  static HWY_INLINE void store(V v, T* p, std::size_t count) {
    if (count >= kLanes) return store(v, p);
#if HWY_ARCH_X86
    hn::BlendedStore(v, hn::FirstN(D(), count), D(), p);
#else
    T lanes[kLanes];
    store(v, lanes);
    for (std::size_t i = 0; i < count; ++i) p[i] = lanes[i];
#endif
  }
  /// v in its first `count` lanes, 0 in the others.
  static HWY_INLINE V first(V v, std::size_t count) { return hn::IfThenElseZero(hn::FirstN(D(), count), v); }
  static HWY_INLINE V add(V a, V b) { return hn::Add(a, b); }
  static HWY_INLINE V sub(V a, V b) { return hn::Sub(a, b); }
  static HWY_INLINE V mul(V a, V b) { return hn::Mul(a, b); }
  static HWY_INLINE V div(V a, V b) { return hn::Div(a, b); }
  static HWY_INLINE V fma(V a, V b, V c) { return hn::MulAdd(a, b, c); }
  static HWY_INLINE V negative_fma(V a, V b, V c) { return hn::NegMulAdd(a, b, c); }
  static HWY_INLINE V sqrt(V a) { return hn::Sqrt(a); }
  static HWY_INLINE V abs(V a) { return hn::Abs(a); }
  static HWY_INLINE V negative(V a) { return hn::Neg(a); }
  static HWY_INLINE V copy_sign(V magnitude, V sign) { return hn::CopySign(magnitude, sign); }
  static HWY_INLINE M less(V a, V b) { return hn::Lt(a, b); }
  static HWY_INLINE V larger(V a, V b) { return hn::Max(a, b); }
  static HWY_INLINE V select(M condition, V yes, V no) { return hn::IfThenElse(condition, yes, no); }

  static HWY_INLINE V scale(V x, V rounded) {
    const Unsigned u;
    const auto exponent = hn::ShiftLeft<kMantissaBits>(hn::BitCast(u, rounded));
    return hn::BitCast(D(), hn::Add(hn::BitCast(u, x), exponent));
  }
  static HWY_INLINE V split(V x, V& e) {
    const Unsigned u;
    constexpr Bits kRoot = std::bit_cast<Bits>(static_cast<T>(0.70710678118654752440L));
    constexpr Bits kMask = (Bits{1} << kMantissaBits) - 1;
    constexpr T kTwoToMantissa = static_cast<T>(Bits{1} << kMantissaBits);
    constexpr T kBias = kTwoToMantissa + static_cast<T>(std::numeric_limits<T>::max_exponent - 1);
    const auto shifted =
        hn::Add(hn::BitCast(u, x), hn::Set(u, static_cast<Bits>(std::bit_cast<Bits>(T{1}) - kRoot)));
    const auto biased =
        hn::Or(hn::ShiftRight<kMantissaBits>(shifted), hn::Set(u, std::bit_cast<Bits>(kTwoToMantissa)));
    e = hn::Sub(hn::BitCast(D(), biased), hn::Set(D(), kBias));
    return hn::BitCast(D(), hn::Add(hn::And(shifted, hn::Set(u, kMask)), hn::Set(u, kRoot)));
  }
};

#else

/// Without fused multiply-add in hardware there are no vectors: the same arithmetic one number at a time.
template <class Number>
struct VectorOps : elementary::ScalarOps<Number> {
  using T = Number;
  using V = Number;
  static constexpr std::size_t kLanes = 1;
  static V load(const T* p) { return *p; }
  static void store(V v, T* p) { *p = v; }
  static V load(const T* p, std::size_t) { return *p; }
  static void store(V v, T* p, std::size_t) { *p = v; }
  static V first(V v, std::size_t count) { return count == 0 ? V{0} : v; }
};

#endif

/// What a lambda of for_each_vector needs to be compiled into its loop.
#define MLPD_LOOP_BODY HWY_ATTR __attribute__((always_inline))

/// Calls body(i, count) for n numbers, a vector from i on at a time; count is kLanes, and less only at the
/// end.
template <class T, class Body>
HWY_INLINE void for_each_vector(std::size_t n, const Body& body) {
  constexpr std::size_t kLanes = VectorOps<T>::kLanes;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, kLanes);
  if (i < n) body(i, n - i);
}

#include "core/elementary_functions.inc"
#include "core/pointwise_functions.inc"

}  // namespace mlpd::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
