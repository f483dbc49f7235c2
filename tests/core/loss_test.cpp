#include "core/loss.h"

#include <gtest/gtest.h>

#include "core/named_table.h"

namespace mlpd::core {
namespace {

TEST(Loss, HasARowForEachEnumeratorInOrder) {
  ASSERT_EQ(losses().size(), static_cast<std::size_t>(Loss::cross_entropy) + 1);
  for (std::size_t i = 0; i < losses().size(); ++i) EXPECT_EQ(losses()[i].value, static_cast<Loss>(i));
}

TEST(Loss, PairsWithLastActivationsBothWays) {
  for (const Loss loss : {Loss::cross_entropy, Loss::binary_cross_entropy, Loss::mean_squared_error})
    EXPECT_EQ(default_loss(default_last_activation(loss)), loss);
  EXPECT_EQ(default_last_activation(Loss::huber), Activation::linear);
  EXPECT_EQ(default_loss(Activation::tanh), Loss::mean_squared_error);
  EXPECT_TRUE(is_fused(Loss::cross_entropy, Activation::softmax));
  EXPECT_TRUE(is_fused(Loss::binary_cross_entropy, Activation::sigmoid));
  EXPECT_FALSE(is_fused(Loss::cross_entropy, Activation::sigmoid));
}

TEST(Loss, AveragesOverRowsOrElements) {
  EXPECT_EQ(loss_scale(Loss::half_squared_error, 4, 2), 0.25);
  EXPECT_EQ(loss_scale(Loss::cross_entropy, 4, 2), 0.25);
  EXPECT_EQ(loss_scale(Loss::mean_squared_error, 4, 2), 0.125);
  EXPECT_EQ(loss_scale(Loss::binary_cross_entropy, 4, 2), 0.125);
}

}  // namespace
}  // namespace mlpd::core
