#include "core/initializer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/named_table.h"

namespace mlpd::core {
namespace {

TEST(Initializer, HasTheStatedSpread) {
  struct Case {
    Initializer kind;
    double deviation;  // of one weight, fan_in 300 and fan_out 100
    double limit;      // largest magnitude, 0 = none
  };
  const Case cases[] = {
      {Initializer::xavier_uniform, std::sqrt(2 / 400.), std::sqrt(6 / 400.)},
      {Initializer::xavier_normal, std::sqrt(2 / 400.), 0},
      {Initializer::he_uniform, std::sqrt(2 / 300.), std::sqrt(6 / 300.)},
      {Initializer::he_normal, std::sqrt(2 / 300.), 0},
      {Initializer::lecun_uniform, std::sqrt(1 / 300.), std::sqrt(3 / 300.)},
      {Initializer::lecun_normal, std::sqrt(1 / 300.), 0},
      {Initializer::uniform, 0.3 / std::sqrt(3.), 0.3},
      {Initializer::normal, 0.3, 0},
      {Initializer::zeros, 0, 0},
  };
  ASSERT_EQ(std::size(cases), initializers().size());
  for (const Case& c : cases) {
    SCOPED_TRACE(name_of(initializers(), c.kind));
    std::vector<double> weights(300 * 100);
    initialize<double>({c.kind, 0.3}, weights, 300, 100, 7, 1);
    double sum = 0, squares = 0, largest = 0;
    for (double w : weights) {
      sum += w;
      squares += w * w;
      largest = std::max(largest, std::abs(w));
    }
    const auto n = static_cast<double>(weights.size());
    EXPECT_NEAR(sum / n, 0, 0.03 * c.deviation);
    EXPECT_NEAR(std::sqrt(squares / n), c.deviation, 0.03 * c.deviation);
    if (c.limit > 0) {
      EXPECT_LE(largest, c.limit);
      EXPECT_GT(largest, 0.99 * c.limit);
    }
  }
}

TEST(Initializer, GivesBothTypesTheSameNumbersAndDependsOnSeedAndStream) {
  std::vector<double> wide(50), other_seed(50), other_stream(50);
  std::vector<float> narrow(50);
  initialize<double>({Initializer::xavier_normal, 0}, wide, 5, 10, 1, 2);
  initialize<float>({Initializer::xavier_normal, 0}, narrow, 5, 10, 1, 2);
  initialize<double>({Initializer::xavier_normal, 0}, other_seed, 5, 10, 2, 2);
  initialize<double>({Initializer::xavier_normal, 0}, other_stream, 5, 10, 1, 3);
  for (std::size_t i = 0; i < wide.size(); ++i) EXPECT_EQ(narrow[i], static_cast<float>(wide[i]));
  EXPECT_NE(wide, other_seed);
  EXPECT_NE(wide, other_stream);
}

}  // namespace
}  // namespace mlpd::core
