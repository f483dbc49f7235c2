#include "core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace mlpd::core {
namespace {

TEST(Random, EqualsThePublishedPhiloxVectors) {
  // Random123's kat_vectors for philox4x32-10: counter words 0–3, key words 0–1, result words 0–3.
  struct Vector {
    std::array<std::uint32_t, 4> counter;
    std::array<std::uint32_t, 2> key;
    std::array<std::uint32_t, 4> result;
  };
  const Vector vectors[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  const auto word = [](std::uint32_t low, std::uint32_t high) { return low | (std::uint64_t{high} << 32); };
  for (const Vector& v : vectors) {
    const auto block = random_block(word(v.counter[0], v.counter[1]), word(v.counter[2], v.counter[3]),
                                    word(v.key[0], v.key[1]));
    EXPECT_EQ(block[0], word(v.result[0], v.result[1]));
    EXPECT_EQ(block[1], word(v.result[2], v.result[3]));
  }
}

TEST(Random, ContinuesFromItsCounter) {
  Random all(3, 5);
  for (int i = 0; i < 10; ++i) {
    Random rest(3, 5, all.counter());
    EXPECT_EQ(rest.normal(), all.normal());
    Random next(3, 5, all.counter());
    EXPECT_EQ(next.bits(), all.bits());
  }
}

TEST(Random, StreamsAndSeedsDiffer) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (std::uint64_t stream = 0; stream < 20; ++stream) seen.insert(Random(seed, stream).bits());
  EXPECT_EQ(seen.size(), 400u);
}

TEST(Random, UniformHasTheRightMomentsAndRange) {
  Random random(1, 0);
  double sum = 0, squares = 0;
  const int count = 200'000;
  for (int i = 0; i < count; ++i) {
    const double u = random.uniform(-2, 4);
    ASSERT_GE(u, -2);
    ASSERT_LT(u, 4);
    sum += u;
    squares += (u - 1) * (u - 1);
  }
  EXPECT_NEAR(sum / count, 1, 0.02);
  EXPECT_NEAR(squares / count, 3, 0.03);  // (4 − −2)²/12
}

TEST(Random, NormalHasTheRightMoments) {
  Random random(2, 0);
  double moments[5] = {};
  const int count = 200'000;
  int beyond = 0;
  for (int i = 0; i < count; ++i) {
    const double x = random.normal();
    ASSERT_TRUE(std::isfinite(x));
    for (int p = 1; p <= 4; ++p) moments[p] += std::pow(x, p) / count;
    beyond += std::abs(x) > 1.959964;
  }
  EXPECT_NEAR(moments[1], 0, 0.01);
  EXPECT_NEAR(moments[2], 1, 0.02);
  EXPECT_NEAR(moments[3], 0, 0.04);
  EXPECT_NEAR(moments[4], 3, 0.12);
  EXPECT_NEAR(beyond / double{count}, 0.05, 0.003);
}

TEST(Random, BelowIsUniformAndInRange) {
  Random random(4, 9);
  EXPECT_EQ(random.below(1), 0u);
  int hits[7] = {};
  for (int i = 0; i < 70'000; ++i) {
    const auto k = random.below(7);
    ASSERT_LT(k, 7u);
    ++hits[k];
  }
  for (int hit : hits) EXPECT_NEAR(hit, 10'000, 500);
  const std::uint64_t large = (std::uint64_t{3} << 62) + 1;  // a quarter of all draws is refused
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below(large), large);
}

TEST(Random, UniformAtDependsOnEveryArgument) {
  std::set<double> seen;
  for (std::uint64_t i = 0; i < 4; ++i)
    for (std::uint64_t j = 0; j < 4; ++j)
      for (std::uint64_t a = 0; a < 4; ++a)
        for (std::uint64_t b = 0; b < 4; ++b) {
          const double u = uniform_at(i, j, a, b);
          EXPECT_GE(u, 0);
          EXPECT_LT(u, 1);
          seen.insert(u);
        }
  EXPECT_EQ(seen.size(), 256u);
  EXPECT_EQ(uniform_at(1, 2, 3, 4), uniform_at(1, 2, 3, 4));
}

TEST(Random, PermutationHoldsEachIndexOnceAndDependsOnSeedAndStream) {
  EXPECT_TRUE(permutation(0, 1, 1).empty());
  auto order = permutation(1000, 7, 1);
  EXPECT_EQ(order, permutation(1000, 7, 1));
  EXPECT_NE(order, permutation(1000, 7, 2));
  EXPECT_NE(order, permutation(1000, 8, 1));
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i);
}

TEST(Random, PermutationsOfThreeAreEquallyLikely) {
  int hits[6] = {};
  for (std::uint64_t seed = 0; seed < 12'000; ++seed) {
    const auto p = permutation(3, seed, 0);
    ++hits[2 * p[0] + (p[1] > p[2])];
  }
  for (int hit : hits) EXPECT_NEAR(hit, 2000, 200);
}

}  // namespace
}  // namespace mlpd::core
