#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/kernels.h"
#include "core/matrix.h"
#include "core/random.h"

/// What tests that compare fast kernels with the oracle share.
namespace mlpd::test {

/// Calls body() once with each instruction set that is compiled in and runs here, the scalar one included.
template <class Body>
void for_each_target(const Body& body) {
  const std::int64_t supported = hwy::SupportedTargets();
  for (const std::int64_t target : {std::int64_t{HWY_AVX3}, std::int64_t{HWY_AVX2}, std::int64_t{HWY_NEON},
                                    std::int64_t{HWY_STATIC_TARGET}}) {
    if ((supported & target) == 0) continue;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().DeInit();
    SCOPED_TRACE(core::instruction_set());
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
}

/// Whether both have the same bits (any NaN is like any other); tells the first difference.
template <class T>
testing::AssertionResult same_bits(const T* actual, const T* expected, std::size_t count) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  for (std::size_t i = 0; i < count; ++i) {
    if (std::isnan(actual[i]) && std::isnan(expected[i])) continue;
    if (std::bit_cast<Bits>(actual[i]) != std::bit_cast<Bits>(expected[i]))
      return testing::AssertionFailure() << "number " << i << " of " << count << ": " << std::hexfloat
                                         << actual[i] << " instead of " << expected[i];
  }
  return testing::AssertionSuccess();
}

template <class T>
testing::AssertionResult same_bits(const core::Matrix<T>& actual, const core::Matrix<T>& expected) {
  return same_bits(actual.data(), expected.data(), expected.size());
}

template <class T>
core::Matrix<T> random_matrix(core::Random& random, std::size_t rows, std::size_t columns,
                              double deviation = 1) {
  core::Matrix<T> matrix(rows, columns);
  for (std::size_t i = 0; i < matrix.size(); ++i)
    matrix.data()[i] = static_cast<T>(deviation * random.normal());
  return matrix;
}

}  // namespace mlpd::test
