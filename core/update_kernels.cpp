#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/update_kernels.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target.h must come before what it compiles again
#include "core/update_kernels.h"
#include "core/vector_ops-inl.h"
// clang-format on

#ifndef MLPD_UPDATE_KERNELS
#define MLPD_UPDATE_KERNELS
namespace mlpd::core {

/// One instruction set's kernels for one type.
template <class T>
struct UpdateKernels {
  void (*sgd)(T* w, const T* g, std::size_t n, T rate);
  void (*momentum)(T* w, T* velocity, const T* g, std::size_t n, T rate, T momentum, bool nesterov);
  void (*rmsprop)(T* w, T* square, const T* g, std::size_t n, T rate, T decay, T epsilon);
  void (*adagrad)(T* w, T* square, const T* g, std::size_t n, T rate, T epsilon);
  void (*adam)(T* w, T* mean, T* square, const T* g, std::size_t n, const AdamStep<T>& step);
  void (*average)(T* average, const T* w, std::size_t n, T decay);
  void (*penalty)(T* g, const T* w, std::size_t n, T l1_per_row, T l2_per_row);
  void (*clip)(T* g, std::size_t n, T limit);
  void (*scale)(T* g, std::size_t n, T factor);
  T (*squares)(const T* g, std::size_t n);
  T (*magnitudes)(const T* g, std::size_t n);
  bool (*finite)(const T* values, std::size_t n);
};

}  // namespace mlpd::core
#endif

HWY_BEFORE_NAMESPACE();
namespace mlpd::core::HWY_NAMESPACE {

template <class T>
void sgd(T* w, const T* g, std::size_t n, T rate) {
  using Ops = VectorOps<T>;
  for_each_vector<T>(n, [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    Ops::store(Ops::negative_fma(Ops::set(rate), Ops::load(g + i, count), Ops::load(w + i, count)), w + i,
               count);
  });
}

template <class T>
void momentum(T* w, T* velocity, const T* g, std::size_t n, T rate, T momentum, bool nesterov) {
  using Ops = VectorOps<T>;
  for_each_vector<T>(n, [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    const auto gradient = Ops::load(g + i, count);
    const auto v = Ops::fma(Ops::set(momentum), Ops::load(velocity + i, count), gradient);
    const auto direction = nesterov ? Ops::fma(Ops::set(momentum), v, gradient) : v;
    Ops::store(v, velocity + i, count);
    Ops::store(Ops::negative_fma(Ops::set(rate), direction, Ops::load(w + i, count)), w + i, count);
  });
}

/// w − rate·g/(√square + epsilon).
template <class Ops>
HWY_INLINE typename Ops::V rooted_update(typename Ops::V w, typename Ops::V g, typename Ops::V square,
                                         typename Ops::T rate, typename Ops::T epsilon) {
  const auto denominator = Ops::add(Ops::sqrt(square), Ops::set(epsilon));
  return Ops::negative_fma(Ops::set(rate), Ops::div(g, denominator), w);
}

template <class T>
void rmsprop(T* w, T* square, const T* g, std::size_t n, T rate, T decay, T epsilon) {
  using Ops = VectorOps<T>;
  for_each_vector<T>(n, [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    const auto gradient = Ops::load(g + i, count);
    const auto kept = Ops::mul(Ops::set(decay), Ops::load(square + i, count));
    const auto s = Ops::fma(Ops::set(1 - decay), Ops::mul(gradient, gradient), kept);
    Ops::store(s, square + i, count);
    Ops::store(rooted_update<Ops>(Ops::load(w + i, count), gradient, s, rate, epsilon), w + i, count);
  });
}

template <class T>
void adagrad(T* w, T* square, const T* g, std::size_t n, T rate, T epsilon) {
  using Ops = VectorOps<T>;
  for_each_vector<T>(n, [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    const auto gradient = Ops::load(g + i, count);
    const auto s = Ops::fma(gradient, gradient, Ops::load(square + i, count));
    Ops::store(s, square + i, count);
    Ops::store(rooted_update<Ops>(Ops::load(w + i, count), gradient, s, rate, epsilon), w + i, count);
  });
}

template <class T>
void adam(T* w, T* mean, T* square, const T* g, std::size_t n, const AdamStep<T>& step) {
  using Ops = VectorOps<T>;
  for_each_vector<T>(n, [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    const auto gradient = Ops::load(g + i, count);
    const auto m = Ops::fma(Ops::set(step.one_minus_beta1), gradient,
                            Ops::mul(Ops::set(step.beta1), Ops::load(mean + i, count)));
    const auto s = Ops::fma(Ops::set(step.one_minus_beta2), Ops::mul(gradient, gradient),
                            Ops::mul(Ops::set(step.beta2), Ops::load(square + i, count)));
    Ops::store(m, mean + i, count);
    Ops::store(s, square + i, count);
    const auto denominator = Ops::fma(Ops::sqrt(s), Ops::set(step.inverse_root), Ops::set(step.epsilon));
    const auto kept = Ops::mul(Ops::set(step.keep), Ops::load(w + i, count));
    Ops::store(Ops::negative_fma(Ops::set(step.rate), Ops::div(m, denominator), kept), w + i, count);
  });
}

template <class T>
void average(T* average, const T* w, std::size_t n, T decay) {
  using Ops = VectorOps<T>;
  for_each_vector<T>(n, [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    const auto old = Ops::load(average + i, count);
    Ops::store(Ops::fma(Ops::set(1 - decay), Ops::sub(Ops::load(w + i, count), old), old), average + i,
               count);
  });
}

template <class T>
void penalty(T* g, const T* w, std::size_t n, T l1_per_row, T l2_per_row) {
  using Ops = VectorOps<T>;
  const auto zero = Ops::set(0);
  const auto l1 = Ops::set(l1_per_row);
  for_each_vector<T>(n, [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    const auto weight = Ops::load(w + i, count);
    const auto sign = Ops::select(Ops::less(zero, weight), l1,
                                  Ops::select(Ops::less(weight, zero), Ops::negative(l1), zero));
    const auto squared = Ops::fma(Ops::set(l2_per_row), weight, Ops::load(g + i, count));
    Ops::store(Ops::add(squared, sign), g + i, count);
  });
}

template <class T>
void clip(T* g, std::size_t n, T limit) {
  using Ops = VectorOps<T>;
  const auto high = Ops::set(limit);
  const auto low = Ops::set(-limit);
  for_each_vector<T>(n, [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    const auto value = Ops::load(g + i, count);
    const auto capped = Ops::select(Ops::less(high, value), high, value);
    Ops::store(Ops::select(Ops::less(capped, low), low, capped), g + i, count);
  });
}

template <class T>
void scale(T* g, std::size_t n, T factor) {
  using Ops = VectorOps<T>;
  for_each_vector<T>(n, [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    Ops::store(Ops::mul(Ops::set(factor), Ops::load(g + i, count)), g + i, count);
  });
}

inline constexpr std::size_t kPartials = 16;

/// The 16 partial chains of Σ g² or Σ |g| and their tree. Lanes past the end add an exact 0.
template <class T, bool kSquares>
T sum(const T* g, std::size_t n) {
  using Ops = VectorOps<T>;
  constexpr std::size_t kVectors = kPartials / Ops::kLanes;
  typename Ops::V chains[kVectors];
  for (auto& chain : chains) chain = Ops::set(0);
  for (std::size_t i = 0; i < n; i += kPartials)
    for (std::size_t v = 0; v < kVectors && i + v * Ops::kLanes < n; ++v) {
      const auto x = Ops::load(g + i + v * Ops::kLanes, n - i - v * Ops::kLanes);
      chains[v] = kSquares ? Ops::fma(x, x, chains[v]) : Ops::add(chains[v], Ops::abs(x));
    }
  T s[kPartials];
  for (std::size_t v = 0; v < kVectors; ++v) Ops::store(chains[v], s + v * Ops::kLanes);
  for (std::size_t half = kPartials / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) s[i] += s[i + half];
  return s[0];
}

template <class T>
bool finite(const T* values, std::size_t n) {
  using Ops = VectorOps<T>;
  auto seen = Ops::set(0);  // x − x is 0, or NaN where x is not finite
  for_each_vector<T>(n, [&](std::size_t i, std::size_t count) MLPD_LOOP_BODY {
    const auto x = Ops::load(values + i, count);
    seen = Ops::add(seen, Ops::sub(x, x));
  });
  T lanes[Ops::kLanes];
  Ops::store(seen, lanes);
  for (const T lane : lanes)
    if (lane != 0) return false;
  return true;
}

template <class T>
constexpr UpdateKernels<T> kUpdateKernels = {&sgd<T>,   &momentum<T>,  &rmsprop<T>,    &adagrad<T>,
                                             &adam<T>,  &average<T>,   &penalty<T>,    &clip<T>,
                                             &scale<T>, &sum<T, true>, &sum<T, false>, &finite<T>};

const UpdateKernels<float>* update_kernels_float() { return &kUpdateKernels<float>; }
const UpdateKernels<double>* update_kernels_double() { return &kUpdateKernels<double>; }

}  // namespace mlpd::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mlpd::core {

HWY_EXPORT(update_kernels_float);
HWY_EXPORT(update_kernels_double);

namespace {

template <class T>
const UpdateKernels<T>& kernels() {
  if constexpr (sizeof(T) == sizeof(float)) {
    return *HWY_DYNAMIC_DISPATCH(update_kernels_float)();
  } else {
    return *HWY_DYNAMIC_DISPATCH(update_kernels_double)();
  }
}

}  // namespace

template <class T>
void sgd_update(T* w, const T* g, std::size_t n, T rate) {
  kernels<T>().sgd(w, g, n, rate);
}

template <class T>
void momentum_update(T* w, T* velocity, const T* g, std::size_t n, T rate, T momentum, bool nesterov) {
  kernels<T>().momentum(w, velocity, g, n, rate, momentum, nesterov);
}

template <class T>
void rmsprop_update(T* w, T* square, const T* g, std::size_t n, T rate, T decay, T epsilon) {
  kernels<T>().rmsprop(w, square, g, n, rate, decay, epsilon);
}

template <class T>
void adagrad_update(T* w, T* square, const T* g, std::size_t n, T rate, T epsilon) {
  kernels<T>().adagrad(w, square, g, n, rate, epsilon);
}

template <class T>
void adam_update(T* w, T* mean, T* square, const T* g, std::size_t n, const AdamStep<T>& step) {
  kernels<T>().adam(w, mean, square, g, n, step);
}

template <class T>
void average_update(T* average, const T* w, std::size_t n, T decay) {
  kernels<T>().average(average, w, n, decay);
}

template <class T>
void add_penalty_gradient(T* g, const T* w, std::size_t n, T l1_per_row, T l2_per_row) {
  kernels<T>().penalty(g, w, n, l1_per_row, l2_per_row);
}

template <class T>
void clip_values(T* g, std::size_t n, T limit) {
  kernels<T>().clip(g, n, limit);
}

template <class T>
void scale_values(T* g, std::size_t n, T factor) {
  kernels<T>().scale(g, n, factor);
}

template <class T>
T sum_of_squares(const T* g, std::size_t n) {
  return kernels<T>().squares(g, n);
}

template <class T>
T sum_of_magnitudes(const T* g, std::size_t n) {
  return kernels<T>().magnitudes(g, n);
}

template <class T>
bool all_finite(const T* values, std::size_t n) {
  return kernels<T>().finite(values, n);
}

#define MLPD_INSTANTIATE(T)                                                         \
  template void sgd_update(T*, const T*, std::size_t, T);                           \
  template void momentum_update(T*, T*, const T*, std::size_t, T, T, bool);         \
  template void rmsprop_update(T*, T*, const T*, std::size_t, T, T, T);             \
  template void adagrad_update(T*, T*, const T*, std::size_t, T, T);                \
  template void adam_update(T*, T*, T*, const T*, std::size_t, const AdamStep<T>&); \
  template void average_update(T*, const T*, std::size_t, T);                       \
  template void add_penalty_gradient(T*, const T*, std::size_t, T, T);              \
  template void clip_values(T*, std::size_t, T);                                    \
  template void scale_values(T*, std::size_t, T);                                   \
  template T sum_of_squares(const T*, std::size_t);                                 \
  template T sum_of_magnitudes(const T*, std::size_t);                              \
  template bool all_finite(const T*, std::size_t);
MLPD_INSTANTIATE(float)
MLPD_INSTANTIATE(double)
#undef MLPD_INSTANTIATE

}  // namespace mlpd::core
#endif
