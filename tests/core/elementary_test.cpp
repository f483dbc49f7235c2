#include "core/elementary.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "core/random.h"

namespace mlpd::core::elementary {
namespace {

/// Calls visit(x) for numbers of every binary exponent and both signs, with random mantissas besides the
/// first and last of each.
template <class T, class Visit>
void sweep(int per_exponent, const Visit& visit) {
  using Limits = std::numeric_limits<T>;
  Random random(1, 2);
  for (int exponent = Limits::min_exponent - Limits::digits; exponent < Limits::max_exponent; ++exponent)
    for (int i = 0; i < per_exponent; ++i) {
      const long double mantissa = i == 0 ? 1 : i == 1 ? 2 - Limits::epsilon() : 1 + random.uniform();
      const T x = static_cast<T>(std::ldexp(mantissa, exponent));
      if (x == 0 || !std::isfinite(x)) continue;
      visit(x);
      visit(-x);
    }
}

/// |value − exact| in units of the last place of `exact` as a T.
template <class T>
double ulps(T value, long double exact) {
  if (static_cast<long double>(value) == exact) return 0;
  const T rounded = std::abs(static_cast<T>(exact));
  const T unit = std::nextafter(rounded, std::numeric_limits<T>::infinity()) - rounded;
  return static_cast<double>(std::abs(static_cast<long double>(value) - exact) /
                             static_cast<long double>(unit));
}

long double exact_sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }
long double exact_softplus(long double x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))); }
long double exact_normal(long double x) { return std::erfc(-x / std::numbers::sqrt2_v<long double>) / 2; }
template <class T>
T normal(T x) {
  T gaussian;
  return normal_distribution<ScalarOps<T>>(x, gaussian);
}

template <class T>
struct Function {
  std::string name;
  T (*function)(T);
  long double (*exact)(long double);
  T lowest, highest;  // arguments outside are not measured
  double ulps_max;
};

template <class T>
class Elementary : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Elementary, Types);

TYPED_TEST(Elementary, KeepsItsStatedErrors) {
  using T = TypeParam;
  using C = Constants<T>;
  const T largest = std::numeric_limits<T>::max();
  const T lowest_exp = C::kExpLowest;
  const T highest_exp = std::nextafter(C::kExpBeyond, T{0});
  const Function<T> functions[] = {
      {"exp", [](T x) { return exp(x); }, std::exp, lowest_exp, highest_exp, 1},
      {"exp_of_nonpositive", [](T x) { return exp_of_nonpositive<ScalarOps<T>>(x); }, std::exp, lowest_exp, 0,
       1},
      {"expm1_of_nonpositive", [](T x) { return expm1_of_nonpositive<ScalarOps<T>>(x); }, std::expm1,
       -largest, 0, 1.1},
      {"log", [](T x) { return log(x); }, std::log, std::numeric_limits<T>::denorm_min(), largest, 0.8},
      {"log1p_of_unit", [](T x) { return log1p_of_unit<ScalarOps<T>>(x); }, std::log1p, 0, 1, 0.9},
      {"tanh", [](T x) { return tanh(x); }, std::tanh, -largest, largest, 2.2},
      {"sigmoid", [](T x) { return sigmoid(x); }, exact_sigmoid, lowest_exp, largest, 2.2},
      {"softplus", [](T x) { return softplus(x); }, exact_softplus, lowest_exp, largest, 1.6},
      {"normal_distribution", normal<T>, exact_normal, sizeof(T) == 4 ? T(-12.8) : T(-37), largest,
       sizeof(T) == 4 ? 5.0 : 8.0},
  };
  for (const Function<T>& f : functions) {
    double worst = 0;
    T worst_at = 0;
    const auto measure = [&](T x) {
      if (x < f.lowest || x > f.highest) return;
      const long double exact = f.exact(static_cast<long double>(x));
      const double error = ulps(f.function(x), exact);
      if (!(error <= worst)) worst = error, worst_at = x;
    };
    sweep<T>(sizeof(T) == 4 ? 400 : 60, measure);
    Random random(3, 4);  // densely where the functions bend
    for (int i = 0; i < 200'000; ++i) measure(static_cast<T>(random.uniform(-12, 12)));
    for (int i = 0; i < 50'000; ++i)
      measure(static_cast<T>(random.uniform(f.lowest > -1e3 ? f.lowest : -1e3, 1e3)));
    std::printf("%-22s float%zu: %.2f ulp at %.9g\n", f.name.c_str(), 8 * sizeof(T), worst,
                static_cast<double>(worst_at));
    EXPECT_LE(worst, f.ulps_max) << f.name << " at " << worst_at;
  }
}

TYPED_TEST(Elementary, HandlesTheEnds) {
  using T = TypeParam;
  using C = Constants<T>;
  const T infinity = C::kInfinity;
  const T nan = C::kNan;
  const T largest = std::numeric_limits<T>::max();
  EXPECT_EQ(exp(T{0}), T{1});
  EXPECT_EQ(exp(std::nextafter(C::kExpLowest, -infinity)), T{0});
  EXPECT_EQ(exp(-infinity), T{0});
  EXPECT_EQ(exp(C::kExpBeyond), infinity);
  EXPECT_EQ(exp(infinity), infinity);
  EXPECT_EQ(exp(largest), infinity);
  EXPECT_EQ(exp(-largest), T{0});
  EXPECT_EQ(log(T{1}), T{0});
  EXPECT_EQ(log(T{0}), -infinity);
  EXPECT_EQ(log(infinity), infinity);
  EXPECT_TRUE(std::isnan(log(T{-1})));
  EXPECT_TRUE(std::isnan(log(-infinity)));
  EXPECT_EQ(tanh(infinity), T{1});
  EXPECT_EQ(tanh(-largest), T{-1});
  EXPECT_TRUE(std::signbit(tanh(-T{0})));
  EXPECT_EQ(sigmoid(T{0}), T(0.5));
  EXPECT_EQ(sigmoid(-largest), T{0});
  EXPECT_EQ(sigmoid(largest), T{1});
  EXPECT_EQ(softplus(-infinity), T{0});
  EXPECT_EQ(softplus(infinity), infinity);
  EXPECT_EQ(normal(-largest), T{0});
  EXPECT_EQ(normal(largest), T{1});
  EXPECT_EQ(expm1_of_nonpositive<ScalarOps<T>>(-infinity), T{-1});
  for (const T value : {exp(nan), log(nan), tanh(nan), sigmoid(nan), softplus(nan), normal(nan)})
    EXPECT_TRUE(std::isnan(value));
}

TYPED_TEST(Elementary, NonpositiveExponentialsHaveTheSameBits) {
  using T = TypeParam;
  sweep<T>(50, [](T x) {
    if (x > 0) return;
    ASSERT_EQ(exp(x), exp_of_nonpositive<ScalarOps<T>>(x));
  });
}

TEST(ElementaryTurns, SinesAndCosinesAreExactAtQuartersAndCloseElsewhere) {
  for (int n = -9; n <= 9; ++n) {
    EXPECT_EQ(sin_pi(n), 0);
    EXPECT_EQ(cos_pi(n + 0.5), 0);
    EXPECT_EQ(cos_pi(n), n % 2 == 0 ? 1 : -1);
  }
  Random random(5, 6);
  double worst = 0;
  for (int i = 0; i < 200'000; ++i) {
    const double x = random.uniform(-4, 4);
    const long double angle = std::numbers::pi_v<long double> * static_cast<long double>(x);
    worst =
        std::max(worst, std::abs(static_cast<double>(static_cast<long double>(sin_pi(x)) - std::sin(angle))));
    worst =
        std::max(worst, std::abs(static_cast<double>(static_cast<long double>(cos_pi(x)) - std::cos(angle))));
  }
  EXPECT_LT(worst, 1.7e-16);
}

TEST(ElementaryPower, IsCorrectForLargeExponents) {
  EXPECT_EQ(pow_int(0, 0), 1);
  EXPECT_EQ(pow_int(0, 5), 0);
  EXPECT_EQ(pow_int(2, 1023), std::ldexp(1.0, 1023));
  EXPECT_EQ(pow_int(3, 20), 3486784401.0);
  EXPECT_EQ(pow_int(10, 400), std::numeric_limits<double>::infinity());
  for (const double x : {0.9, 0.999, 0.999999, 1.0000001})
    for (const std::uint64_t n : {1ull, 2ull, 7ull, 1000ull, 5000ull, 1'000'000ull})
      EXPECT_LE(ulps(pow_int(x, n), std::pow(static_cast<long double>(x), static_cast<long double>(n))), 1.1)
          << x << "^" << n;
}

}  // namespace
}  // namespace mlpd::core::elementary
