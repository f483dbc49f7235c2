#include "core/update_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/kernel_comparison.h"

namespace mlpd::core {
namespace {

using test::for_each_target;
using test::random_matrix;
using test::same_bits;

/// Arrays of one length and the formulas of update_kernels.h, one number at a time.
template <class T>
struct Arrays {
  Matrix<T> w, g, s, t;
  std::size_t size() const { return w.size(); }
};

template <class T>
Arrays<T> make_arrays(std::size_t n) {
  Random random(9, n);
  Arrays<T> a{random_matrix<T>(random, 1, n), random_matrix<T>(random, 1, n), random_matrix<T>(random, 1, n),
              random_matrix<T>(random, 1, n)};
  for (std::size_t i = 0; i < n; ++i) a.t.data()[i] = std::abs(a.t.data()[i]);
  if (n > 2) a.w.data()[1] = 0;  // a weight without a sign
  return a;
}

template <class T>
struct Update {
  const char* name;
  void (*fast)(Arrays<T>& a);
  void (*one)(T& w, T& g, T& s, T& t);
};

template <class T>
constexpr AdamStep<T> kStep = {T(0.9), T(0.1), T(0.999), T(0.001), T(0.02), T(3.5), T(1e-8), T(0.9998)};

template <class T>
const Update<T> kUpdates[] = {
    {"sgd", [](Arrays<T>& a) { sgd_update<T>(a.w.data(), a.g.data(), a.size(), T(0.1)); },
     [](T& w, T& g, T&, T&) { w = std::fma(-T(0.1), g, w); }},
    {"momentum",
     [](Arrays<T>& a) {
       momentum_update<T>(a.w.data(), a.s.data(), a.g.data(), a.size(), T(0.1), T(0.9), false);
     },
     [](T& w, T& g, T& s, T&) {
       s = std::fma(T(0.9), s, g);
       w = std::fma(-T(0.1), s, w);
     }},
    {"nesterov",
     [](Arrays<T>& a) {
       momentum_update<T>(a.w.data(), a.s.data(), a.g.data(), a.size(), T(0.1), T(0.9), true);
     },
     [](T& w, T& g, T& s, T&) {
       s = std::fma(T(0.9), s, g);
       w = std::fma(-T(0.1), std::fma(T(0.9), s, g), w);
     }},
    {"rmsprop",
     [](Arrays<T>& a) {
       rmsprop_update<T>(a.w.data(), a.t.data(), a.g.data(), a.size(), T(0.1), T(0.99), T(1e-8));
     },
     [](T& w, T& g, T&, T& t) {
       t = std::fma(1 - T(0.99), g * g, T(0.99) * t);
       w = std::fma(-T(0.1), g / (std::sqrt(t) + T(1e-8)), w);
     }},
    {"adagrad",
     [](Arrays<T>& a) { adagrad_update<T>(a.w.data(), a.t.data(), a.g.data(), a.size(), T(0.1), T(1e-10)); },
     [](T& w, T& g, T&, T& t) {
       t = std::fma(g, g, t);
       w = std::fma(-T(0.1), g / (std::sqrt(t) + T(1e-10)), w);
     }},
    {"adam",
     [](Arrays<T>& a) { adam_update<T>(a.w.data(), a.s.data(), a.t.data(), a.g.data(), a.size(), kStep<T>); },
     [](T& w, T& g, T& s, T& t) {
       const AdamStep<T>& step = kStep<T>;
       s = std::fma(step.one_minus_beta1, g, step.beta1 * s);
       t = std::fma(step.one_minus_beta2, g * g, step.beta2 * t);
       w = std::fma(-step.rate, s / std::fma(std::sqrt(t), step.inverse_root, step.epsilon), step.keep * w);
     }},
    {"average", [](Arrays<T>& a) { average_update<T>(a.s.data(), a.w.data(), a.size(), T(0.999)); },
     [](T& w, T&, T& s, T&) { s = std::fma(1 - T(0.999), w - s, s); }},
    {"penalty",
     [](Arrays<T>& a) { add_penalty_gradient<T>(a.g.data(), a.w.data(), a.size(), T(0.3), T(0.2)); },
     [](T& w, T& g, T&, T&) {
       g = std::fma(T(0.2), w, g) + (w > 0 ? T(0.3) : w < 0 ? -T(0.3) : T(0));
     }},
    {"clip", [](Arrays<T>& a) { clip_values<T>(a.g.data(), a.size(), T(0.5)); },
     [](T&, T& g, T&, T&) { g = std::min(std::max(g, -T(0.5)), T(0.5)); }},
    {"scale", [](Arrays<T>& a) { scale_values<T>(a.g.data(), a.size(), T(0.3)); },
     [](T&, T& g, T&, T&) { g = T(0.3) * g; }},
};

template <class T>
class UpdateKernels : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(UpdateKernels, Types);

TYPED_TEST(UpdateKernels, EqualTheirFormulasOnEveryTarget) {
  using T = TypeParam;
  for (const Update<T>& update : kUpdates<T>)
    for (const std::size_t n : {0u, 1u, 3u, 8u, 16u, 31u, 100u}) {
      SCOPED_TRACE(std::string(update.name) + " over " + std::to_string(n));
      Arrays<T> expected = make_arrays<T>(n);
      for (std::size_t i = 0; i < n; ++i)
        update.one(expected.w.data()[i], expected.g.data()[i], expected.s.data()[i], expected.t.data()[i]);
      for_each_target([&] {
        Arrays<T> a = make_arrays<T>(n);
        update.fast(a);
        EXPECT_TRUE(same_bits(a.w, expected.w));
        EXPECT_TRUE(same_bits(a.g, expected.g));
        EXPECT_TRUE(same_bits(a.s, expected.s));
        EXPECT_TRUE(same_bits(a.t, expected.t));
      });
    }
}

TYPED_TEST(UpdateKernels, SumInTheStatedOrder) {
  using T = TypeParam;
  for (const std::size_t n : {0u, 1u, 7u, 16u, 17u, 200u}) {
    const Arrays<T> a = make_arrays<T>(n);
    T squares[16] = {}, magnitudes[16] = {};
    for (std::size_t i = 0; i < n; ++i) {
      const T g = a.g.data()[i];
      squares[i % 16] = std::fma(g, g, squares[i % 16]);
      magnitudes[i % 16] += std::abs(g);
    }
    for (std::size_t half = 8; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) {
        squares[i] += squares[i + half];
        magnitudes[i] += magnitudes[i + half];
      }
    for_each_target([&] {
      EXPECT_EQ(sum_of_squares<T>(a.g.data(), n), squares[0]);
      EXPECT_EQ(sum_of_magnitudes<T>(a.g.data(), n), magnitudes[0]);
    });
  }
}

TYPED_TEST(UpdateKernels, SeeEveryNumberThatIsNotFinite) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  for (const std::size_t n : {1u, 5u, 16u, 33u}) {
    Arrays<T> a = make_arrays<T>(n);
    a.w.data()[n / 2] = Limits::max();
    for_each_target([&] {
      EXPECT_TRUE(all_finite<T>(a.w.data(), n));
      EXPECT_TRUE(all_finite<T>(a.w.data(), 0));
      for (std::size_t i = 0; i < n; ++i)
        for (const T bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
          Arrays<T> spoiled = a;
          spoiled.w.data()[i] = bad;
          EXPECT_FALSE(all_finite<T>(spoiled.w.data(), n));
        }
    });
  }
}

}  // namespace
}  // namespace mlpd::core
