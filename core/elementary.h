#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

/// exp, log, tanh and their kin without libm: polynomials whose source (core/elementary_functions.inc) is
/// shared with the vector kernels, so that scalar and vector code give the same bits on every machine. Of the
/// standard library only exactly rounded functions (fma, sqrt, floor) are used.
namespace mlpd::core::elementary {

/// Coefficients by minimax fits (Remez) of the functions named beside them.
template <class T>
struct Constants;

template <>
struct Constants<float> {
  static constexpr float kHalf = 0.5f;
  static constexpr float kInfinity = std::numeric_limits<float>::infinity();
  static constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  static constexpr float kSmallestNormal = std::numeric_limits<float>::min();
  static constexpr float kSubnormalScale = 0x1p25f;
  static constexpr float kSubnormalExponent = -25;
  static constexpr float kRounder = 0x1.8p23f;  ///< adding it rounds to an integer, found in the low bits
  static constexpr float kLog2E = 0x1.715476p+0f;
  static constexpr float kLn2 = 0x1.62e43p-1f;
  static constexpr float kLn2Low = -0x1.05c61p-29f;
  static constexpr float kExpLowest = -87.3365f;
  static constexpr float kExpBeyond = 0x1.62e43p+6f;  ///< the first number whose exponential overflows
  static constexpr float kExpm1Lowest = -30;
  /// (e^r − 1 − r)/r² on |r| ≤ ln 2/2, 2^−34.
  static constexpr std::array<float, 6> kExp = {0.500000007786f,   0.166666668623f,   0.0416662699961f,
                                                0.00833326408496f, 0.00139460716638f, 0.000199184961387f};
  /// (log((1+s)/(1−s)) − 2s)/s³ in s² ≤ 0.0402, 2^−35.
  static constexpr std::array<float, 4> kLog = {0.666666630244f, 0.400008739026f, 0.285064651829f,
                                                0.24108405873f};
  static constexpr float kNormalCenter = 3;
  static constexpr float kNormalFarthest = 14;
  /// Φ(−a)·e^(a²/2)·(a + 3) in q = (a−3)/(a+3), 2^−29.
  static constexpr std::array<float, 11> kNormal = {0.7290836907f,    -0.5093319888f,   0.2300176767f,
                                                    -0.04726276192f,  -0.01046228897f,  0.006969920151f,
                                                    0.001024157324f,  -0.001034476551f, -0.0002447093208f,
                                                    0.0001333239542f, 5.549187172e-5f};
};

template <>
struct Constants<double> {
  static constexpr double kHalf = 0.5;
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  static constexpr double kSmallestNormal = std::numeric_limits<double>::min();
  static constexpr double kSubnormalScale = 0x1p54;
  static constexpr double kSubnormalExponent = -54;
  static constexpr double kRounder = 0x1.8p52;
  static constexpr double kLog2E = 0x1.71547652b82fep+0;
  static constexpr double kLn2 = 0x1.62e42fefa39efp-1;
  static constexpr double kLn2Low = 0x1.abc9e3b39803fp-56;
  static constexpr double kExpLowest = -708.3964;
  static constexpr double kExpBeyond = 0x1.62e42fefa39fp+9;
  static constexpr double kExpm1Lowest = -60;
  /// As above, 2^−64.
  static constexpr std::array<double, 11> kExp = {
      0x1.0000000000000p-1,  0x1.555555555555cp-3,  0x1.555555555555ep-5,  0x1.111111110ebb3p-7,
      0x1.6c16c16c13547p-10, 0x1.a01a01b3baefep-13, 0x1.a01a01b4631c0p-16, 0x1.71ddef940db12p-19,
      0x1.27e4bf1d26b2ap-22, 0x1.af6cccb05d67fp-26, 0x1.1f9e031e9b9e6p-29};
  /// As above, 2^−62.
  static constexpr std::array<double, 8> kLog = {
      0x1.555555555554fp-1, 0x1.999999999c247p-2, 0x1.24924921d878bp-2, 0x1.c71c749a090bap-3,
      0x1.745c4879c014bp-3, 0x1.3b360e0e7d559p-3, 0x1.0dc6894c47a6bp-3, 0x1.1ba39f879a71dp-3};
  static constexpr double kNormalCenter = 5;
  static constexpr double kNormalFarthest = 38;
  /// Φ(−a)·e^(a²/2)·(a + 5) in q = (a−5)/(a+5), 2^−60.
  static constexpr std::array<double, 24> kNormal = {
      0x1.89d3abe1f95aep-1,   -0x1.54ad03f27ca18p-1, 0x1.fb31653876f89p-2,   -0x1.410ed5f875946p-2,
      0x1.51f6329f01bb2p-3,   -0x1.1b1c254ca42cfp-4, 0x1.54b4d4f489fe2p-6,   -0x1.88590e97fbcdep-9,
      -0x1.a250377707491p-11, 0x1.1daf1ad48f01ep-11, -0x1.f2149398a450ep-15, -0x1.a1700fe513766p-15,
      0x1.17df1ac924ce0p-16,  0x1.0b14924ebbff7p-18, -0x1.73e15b8f72762p-19, -0x1.6740d805ffe1dp-22,
      0x1.d478200a33a33p-22,  0x1.59377386def26p-25, -0x1.2d416a4d13499p-24, -0x1.2642cc0185d4ap-27,
      0x1.72dc6f52e048ep-27,  0x1.318c5044c71f7p-29, -0x1.3e80bc5f6662fp-30, -0x1.a316c14119febp-32};
};

/// The operations of one number of type T.
template <class Number>
struct ScalarOps {
  using T = Number;
  using V = Number;
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  static constexpr int kMantissaBits = std::numeric_limits<T>::digits - 1;

  static V set(T x) { return x; }
  static V add(V a, V b) { return a + b; }
  static V sub(V a, V b) { return a - b; }
  static V mul(V a, V b) { return a * b; }
  static V div(V a, V b) { return a / b; }
  static V fma(V a, V b, V c) { return std::fma(a, b, c); }            ///< a·b + c
  static V negative_fma(V a, V b, V c) { return std::fma(-a, b, c); }  ///< c − a·b
  static V sqrt(V a) { return std::sqrt(a); }
  static V abs(V a) { return std::abs(a); }
  static V negative(V a) { return -a; }
  static V copy_sign(V magnitude, V sign) { return std::copysign(magnitude, sign); }
  static bool less(V a, V b) { return a < b; }
  static V larger(V a, V b) { return a > b ? a : b; }  ///< b where that is NaN; a must not be
  static V select(bool condition, V yes, V no) { return condition ? yes : no; }

  /// x·2^n, n the low bits of `rounded` (reduce_exponent); x and the result normal.
  static V scale(V x, V rounded) {
    return std::bit_cast<T>(
        static_cast<Bits>(std::bit_cast<Bits>(x) + (std::bit_cast<Bits>(rounded) << kMantissaBits)));
  }
  /// x = m·2^e with m in [√½, √2); x positive and normal.
  static V split(V x, V& e) {
    constexpr Bits kRoot = std::bit_cast<Bits>(static_cast<T>(0.70710678118654752440L));
    constexpr Bits kMask = (Bits{1} << kMantissaBits) - 1;
    const Bits shifted = std::bit_cast<Bits>(x) + (std::bit_cast<Bits>(T{1}) - kRoot);
    e = static_cast<T>(static_cast<int>(shifted >> kMantissaBits) -
                       (std::numeric_limits<T>::max_exponent - 1));
    return std::bit_cast<T>(static_cast<Bits>((shifted & kMask) + kRoot));
  }
};

#include "core/elementary_functions.inc"

/// The functions above for single numbers; T is float or double.
template <class T>
T exp(T x) requires std::is_floating_point_v<T> {
  return exp<ScalarOps<T>>(x);
}
template <class T>
T log(T x) requires std::is_floating_point_v<T> {
  return log<ScalarOps<T>>(x);
}
template <class T>
T tanh(T x) requires std::is_floating_point_v<T> {
  return tanh<ScalarOps<T>>(x);
}
template <class T>
T sigmoid(T x) requires std::is_floating_point_v<T> {
  return sigmoid<ScalarOps<T>>(x);
}
template <class T>
T softplus(T x) requires std::is_floating_point_v<T> {
  return softplus<ScalarOps<T>>(x);
}

/// sin(πx) and cos(πx), within 1.7e-16; |x| < 2^51. A turn is x = 2.
double sin_pi(double x);
double cos_pi(double x);

/// x^n by squaring in twice the precision: correct to the last bit or two for every n; 0^0 = 1.
double pow_int(double x, std::uint64_t n);

}  // namespace mlpd::core::elementary
