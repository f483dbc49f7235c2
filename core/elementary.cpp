#include "core/elementary.h"

namespace mlpd::core::elementary {
namespace {

/// π·r + r³·S(r²) and 1 + r²·C(r²) for |r| ≤ ¼.
constexpr std::array<double, 8> kSine = {-0x1.4abbce625be53p+2,  0x1.466bc6775aae2p+1,  -0x1.32d2cce62bd82p-1,
                                         0x1.50783487edd8bp-4,   -0x1.e3074fdcb06c4p-8, 0x1.e8f431a19c960p-12,
                                         -0x1.6faa8a95d946dp-16, 0x1.a77e0be95bed2p-21};
constexpr std::array<double, 8> kCosine = {
    -0x1.3bd3cc9be45dep+2, 0x1.03c1f081b5ac4p+2,  -0x1.55d3c7e3cbfefp+0,  0x1.e1f5068919c9fp-3,
    -0x1.a6d1f29f3b720p-6, 0x1.f9d38568ab58ap-10, -0x1.b6dd7f24b4cf0p-14, 0x1.1e2e92b29e399p-18};
constexpr double kPi = 0x1.921fb54442d18p+1;
constexpr double kPiLow = 0x1.1a62633145c07p-53;

double sine_reduced(double r) {
  const double z = r * r;
  return std::fma(r, kPi, std::fma(r * z, polynomial<ScalarOps<double>>(z, kSine), r * kPiLow));
}

double cosine_reduced(double r) {
  const double z = r * r;
  return std::fma(z, polynomial<ScalarOps<double>>(z, kCosine), 1.0);
}

/// sin(π(x + quarter_turns/2)).
double sine_of_turns(double x, std::int64_t quarter_turns) {
  const double halves = std::floor(2 * x + 0.5);
  const double r = x - 0.5 * halves;  // exact, |r| ≤ ¼
  const auto quadrant = static_cast<std::uint64_t>(static_cast<std::int64_t>(halves) + quarter_turns) & 3;
  const double value = (quadrant & 1) != 0 ? cosine_reduced(r) : sine_reduced(r);
  return (quadrant & 2) != 0 ? -value : value;
}

/// The unevaluated sum high + low.
struct Double2 {
  double high, low;
};

Double2 multiply(Double2 a, Double2 b) {
  const double high = a.high * b.high;
  if (!std::isfinite(high)) return {high, 0};
  const double low = std::fma(a.high, b.high, -high) + std::fma(a.high, b.low, a.low * b.high);
  const double sum = high + low;
  return {sum, low - (sum - high)};
}

}  // namespace

double sin_pi(double x) { return sine_of_turns(x, 0); }
double cos_pi(double x) { return sine_of_turns(x, 1); }

double pow_int(double x, std::uint64_t n) {
  Double2 result{1, 0};
  for (Double2 power{x, 0}; n != 0; n >>= 1, power = multiply(power, power))
    if ((n & 1) != 0) result = multiply(result, power);
  return result.high + result.low;
}

}  // namespace mlpd::core::elementary
