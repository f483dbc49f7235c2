#include <gtest/gtest.h>

#include <limits>

#include "core/activation.h"
#include "core/kernels.h"
#include "core/named_table.h"
#include "tests/support/kernel_comparison.h"

namespace mlpd::core {
namespace {

using test::for_each_target;
using test::random_matrix;
using test::same_bits;

/// Numbers of every size and sign: subnormal, tiny, usual, huge, infinite, NaN.
template <class T>
Matrix<T> all_kinds_of_numbers(std::size_t rows, std::size_t columns) {
  using Limits = std::numeric_limits<T>;
  Random random(7, 7);
  Matrix<T> numbers(rows, columns);
  const T special[] = {0,
                       -T{0},
                       Limits::denorm_min(),
                       -Limits::min(),
                       Limits::max(),
                       Limits::lowest(),
                       Limits::infinity(),
                       -Limits::infinity(),
                       Limits::quiet_NaN()};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double exponent = random.uniform(Limits::min_exponent, Limits::max_exponent);
    numbers.data()[i] = i % 4 == 0
                            ? static_cast<T>(std::ldexp(random.uniform(-2, 2), static_cast<int>(exponent)))
                        : i % 4 == 1 ? static_cast<T>(random.uniform(-100, 100))
                                     : static_cast<T>(random.normal());
    if (i < std::size(special)) numbers.data()[i] = special[i];
  }
  return numbers;
}

template <class T>
class ActivationKernels : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(ActivationKernels, Types);

TYPED_TEST(ActivationKernels, EqualTheOracleOnEveryTarget) {
  using T = TypeParam;
  Random random(1, 1);
  for (const ActivationRow& row : activations()) {
    SCOPED_TRACE(row.name);
    for (const auto& [rows, columns] :
         {std::pair<std::size_t, std::size_t>{1, 1}, {0, 3}, {3, 2}, {5, 10}, {7, 33}, {60, 100}}) {
      // softmax of a row with infinities is NaN everywhere, which would hide the rest
      const bool by_rows = row.value == Activation::softmax;
      const auto z =
          by_rows ? random_matrix<T>(random, rows, columns, 20) : all_kinds_of_numbers<T>(rows, columns);
      const auto dh = random_matrix<T>(random, rows, columns);
      Matrix<T> expected(rows, columns), expected_dz(rows, columns);
      oracle::activate<T>(row.value, expected.view(), z.view());
      oracle::activate_backward<T>(row.value, expected_dz.view(), dh.view(), z.view(), expected.view());
      for_each_target([&, rows = rows, columns = columns] {
        Matrix<T> h(rows, columns), dz(rows, columns);
        activate<T>(row.value, h.view(), z.view());
        EXPECT_TRUE(same_bits(h, expected));
        activate_backward<T>(row.value, dz.view(), dh.view(), z.view(), h.view());
        EXPECT_TRUE(same_bits(dz, expected_dz));
        Matrix<T> in_place = z;  // h may be z, dz may be dh
        activate<T>(row.value, in_place.view(), in_place.view());
        EXPECT_TRUE(same_bits(in_place, expected));
        in_place = dh;
        activate_backward<T>(row.value, in_place.view(), in_place.view(), z.view(), h.view());
        EXPECT_TRUE(same_bits(in_place, expected_dz));
      });
    }
  }
}

TEST(ActivationKernelsInFloat64, BackwardIsTheSlopeOfForward) {
  Random random(2, 2);
  const std::size_t columns = 7;
  for (const ActivationRow& row : activations()) {
    SCOPED_TRACE(row.name);
    auto z = random_matrix<double>(random, 1, columns, 2);
    const auto dh = random_matrix<double>(random, 1, columns);
    Matrix<double> h(1, columns), dz(1, columns), moved(1, columns);
    activate<double>(row.value, h.view(), z.view());
    activate_backward<double>(row.value, dz.view(), dh.view(), z.view(), h.view());
    for (std::size_t j = 0; j < columns; ++j) {
      const double step = 1e-6, at = z.data()[j];
      double slope = 0;  // of Σ dh·h in z_j
      for (const double side : {1.0, -1.0}) {
        z.data()[j] = at + side * step;
        activate<double>(row.value, moved.view(), z.view());
        for (std::size_t k = 0; k < columns; ++k) slope += side * dh.data()[k] * moved.data()[k] / (2 * step);
      }
      z.data()[j] = at;
      EXPECT_NEAR(dz.data()[j], slope, 1e-8);
    }
  }
}

TEST(ActivationKernelsInFloat64, SoftmaxSumsToOneAndIgnoresAShift) {
  Matrix<double> z(1, 3), h(1, 3), shifted(1, 3);
  for (std::size_t j = 0; j < 3; ++j) z.data()[j] = static_cast<double>(j);
  activate<double>(Activation::softmax, h.view(), z.view());
  EXPECT_NEAR(h.data()[0] + h.data()[1] + h.data()[2], 1, 1e-15);
  EXPECT_NEAR(h.data()[2] / h.data()[1], 2.718281828459045, 1e-14);
  for (std::size_t j = 0; j < 3; ++j) z.data()[j] += 5000;
  activate<double>(Activation::softmax, shifted.view(), z.view());
  EXPECT_TRUE(same_bits(shifted, h));
}

}  // namespace
}  // namespace mlpd::core
