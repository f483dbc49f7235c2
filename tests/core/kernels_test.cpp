#include "core/kernels.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/kernel_comparison.h"
#include "tests/support/thread_executor.h"

namespace mlpd::core {
namespace {

using test::for_each_target;
using test::random_matrix;
using test::same_bits;

struct Shape {
  std::size_t rows, inputs, units;
};

/// Corners, then random shapes; the last ones are large enough for threads.
std::vector<Shape> shapes() {
  std::vector<Shape> all = {{1, 1, 1},   {0, 3, 2},      {1, 2, 3},      {4, 2, 3},       {16, 8, 16},
                            {17, 9, 33}, {6, 128, 32},   {7, 129, 31},   {5, 300, 7},     {33, 5, 1},
                            {3, 1, 40},  {130, 90, 260}, {96, 257, 100}, {251, 300, 200}, {270, 520, 200},
                            {8, 20, 64}, {14, 300, 70},  {32, 64, 1},    {128, 300, 200}};  // 4 + 4 rows last
  Random random(11, 0);
  for (int i = 0; i < 60; ++i) all.push_back({random.below(40), 1 + random.below(70), 1 + random.below(70)});
  return all;
}

template <class T>
class Kernels : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Kernels, Types);

TYPED_TEST(Kernels, EqualTheOracleOverShapesTargetsAndThreads) {
  using T = TypeParam;
  SerialExecutor serial;
  test::ThreadExecutor two(2), three(3);
  Random random(1, 1);
  for (const Shape& shape : shapes()) {
    SCOPED_TRACE(std::to_string(shape.rows) + " x " + std::to_string(shape.inputs) + " x " +
                 std::to_string(shape.units));
    const std::size_t rows = shape.rows, inputs = shape.inputs, units = shape.units;
    const auto input = random_matrix<T>(random, rows, inputs);
    const auto weights = random_matrix<T>(random, inputs, units);
    const auto bias = random_matrix<T>(random, 1, units);
    const auto dz = random_matrix<T>(random, rows, units);
    Matrix<T> out(rows, units), plain(rows, units), dinput(rows, inputs), dweights[2], dbias[2];
    oracle::dense_forward<T>(out.view(), input.view(), weights.view(), bias.data());
    oracle::dense_forward<T>(plain.view(), input.view(), weights.view(), nullptr);
    oracle::dense_backward_input<T>(dinput.view(), dz.view(), weights.view());
    for (int order = 0; order < 2; ++order) {
      dweights[order].resize(inputs, units);
      dbias[order].resize(1, units);
      oracle::dense_backward_weights<T>(dweights[order].view(), dbias[order].data(), input.view(), dz.view(),
                                        RowSum{order});
    }
    for_each_target([&] {
      for (Executor* executor :
           {static_cast<Executor*>(&serial), static_cast<Executor*>(&two), static_cast<Executor*>(&three)}) {
        Matrix<T> result(rows, units), dx(rows, inputs), dw(inputs, units), db(1, units);
        dense_forward<T>(result.view(), input.view(), weights.view(), bias.data(), *executor);
        EXPECT_TRUE(same_bits(result, out));
        dense_forward<T>(result.view(), input.view(), weights.view(), nullptr, *executor);
        EXPECT_TRUE(same_bits(result, plain));
        dense_backward_input<T>(dx.view(), dz.view(), weights.view(), *executor);
        EXPECT_TRUE(same_bits(dx, dinput));
        for (int order = 0; order < 2; ++order) {
          dense_backward_weights<T>(dw.view(), db.data(), input.view(), dz.view(), RowSum{order}, *executor);
          EXPECT_TRUE(same_bits(dw, dweights[order]));
          EXPECT_TRUE(same_bits(db, dbias[order]));
        }
        dense_backward_weights<T>(dw.view(), nullptr, input.view(), dz.view(), RowSum::sequential, *executor);
        EXPECT_TRUE(same_bits(dw, dweights[0]));
      }
    });
  }
}

TYPED_TEST(Kernels, GiveARowTheSameBitsAloneAndInAnyBatch) {
  using T = TypeParam;
  SerialExecutor serial;
  Random random(2, 2);
  const std::size_t rows = 23, inputs = 19, units = 37;
  const auto input = random_matrix<T>(random, rows, inputs);
  const auto weights = random_matrix<T>(random, inputs, units);
  Matrix<T> all(rows, units), some(rows, units);
  dense_forward<T>(all.view(), input.view(), weights.view(), nullptr, serial);
  for (std::size_t count = 1; count <= rows; ++count)
    for (std::size_t first = 0; first + count <= rows; first += 3) {
      dense_forward<T>({some.data(), count, units}, {input.data() + first * inputs, count, inputs},
                       weights.view(), nullptr, serial);
      EXPECT_TRUE(same_bits(some.data(), all.data() + first * units, count * units));
    }
}

TYPED_TEST(Kernels, SumRowsInTheStatedOrder) {
  using T = TypeParam;
  Random random(3, 3);
  for (const std::size_t count : {0u, 1u, 15u, 16u, 17u, 100u, 301u}) {
    const auto values = random_matrix<T>(random, 1, count);
    T chain = 0;
    T s[16] = {};
    for (std::size_t r = 0; r < count; ++r) {
      chain += values.data()[r];
      s[r % 16] += values.data()[r];
    }
    for (int i = 0; i < 8; ++i) s[i] += s[i + 8];
    for (int i = 0; i < 4; ++i) s[i] += s[i + 4];
    for (int i = 0; i < 2; ++i) s[i] += s[i + 2];
    EXPECT_EQ(sum_rows<T>(values.data(), count, RowSum::sequential), chain);
    EXPECT_EQ(sum_rows<T>(values.data(), count, RowSum::interleaved), s[0] + s[1]);
    EXPECT_EQ(oracle::sum_rows<T>(values.data(), count, RowSum::interleaved), s[0] + s[1]);
  }
}

TEST(InstructionSet, NamesEachTarget) {
  std::set<std::string> names;
  for_each_target([&] { names.insert(std::string(instruction_set())); });
  EXPECT_TRUE(names.count("oracle") == 1 || names.count("NEON") == 1);
  RecordProperty("instruction_sets", static_cast<int>(names.size()));
  for (const std::string& name : names) std::printf("instruction set %s\n", name.c_str());
}

}  // namespace
}  // namespace mlpd::core
