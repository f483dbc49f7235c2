#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/loss.h"
#include "core/named_table.h"
#include "tests/support/kernel_comparison.h"

namespace mlpd::core {
namespace {

using test::for_each_target;
using test::random_matrix;
using test::same_bits;

/// One batch for a loss behind a last activation: outputs in the loss' domain, targets one-hot or any.
template <class T>
struct Batch {
  Matrix<T> z, h, targets;
  std::vector<T> row_weights;
};

template <class T>
Batch<T> make_batch(Activation last, Loss loss, std::size_t rows, std::size_t columns) {
  Random random(5, rows * 1000 + columns);
  Batch<T> batch{
      random_matrix<T>(random, rows, columns, 2), Matrix<T>(rows, columns), Matrix<T>(rows, columns), {}};
  const bool logarithmic = loss == Loss::cross_entropy || loss == Loss::binary_cross_entropy;
  if (logarithmic && last != Activation::softmax && last != Activation::sigmoid)  // h in (0, 1)
    for (std::size_t i = 0; i < batch.z.size(); ++i)
      batch.z.data()[i] = static_cast<T>(random.uniform(0.05, 0.45));
  activate<T>(last, batch.h.view(), batch.z.view());
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t hot = random.below(columns);
    for (std::size_t j = 0; j < columns; ++j)
      batch.targets(r, j) = logarithmic ? static_cast<T>(j == hot) : static_cast<T>(random.normal());
    batch.row_weights.push_back(static_cast<T>(0.5 + random.uniform()));
  }
  return batch;
}

/// The loss as its definition says, in long double from the outputs.
long double defined_loss(const LossOptions& loss, const Batch<double>& batch, bool weighted) {
  const auto n = static_cast<long double>(batch.h.rows());
  const auto k = static_cast<long double>(batch.h.columns());
  long double sum = 0;
  for (std::size_t r = 0; r < batch.h.rows(); ++r)
    for (std::size_t j = 0; j < batch.h.columns(); ++j) {
      const long double h = batch.h(r, j);
      const long double e = loss.label_smoothing;
      const long double y = (1 - e) * batch.targets(r, j) + e / k;
      const long double w = weighted ? batch.row_weights[r] : 1;
      switch (loss.kind) {
        case Loss::half_squared_error:
          sum += w * (y - h) * (y - h) / 2 / n;
          break;
        case Loss::mean_squared_error:
          sum += w * (y - h) * (y - h) / (n * k);
          break;
        case Loss::mean_absolute_error:
          sum += w * std::abs(y - h) / (n * k);
          break;
        case Loss::huber:
          sum += w * (std::abs(y - h) < 1 ? (y - h) * (y - h) / 2 : std::abs(y - h) - 0.5L) / (n * k);
          break;
        case Loss::binary_cross_entropy:
          sum -= w * (y * std::log(h) + (1 - y) * std::log(1 - h)) / (n * k);
          break;
        case Loss::cross_entropy:
          sum -= w * y * std::log(h) / n;
          break;
      }
    }
  return sum;
}

/// Calls visit(options, last) for each loss, smoothed cross_entropy too, with each last activation.
template <class Visit>
void for_each_pair(const Visit& visit) {
  for (const LossRow& loss : losses())
    for (const ActivationRow& last : activations()) {
      SCOPED_TRACE(std::string(loss.name) + " behind " + std::string(last.name));
      visit(LossOptions{loss.value, 0}, last.value);
      if (loss.value == Loss::cross_entropy) visit(LossOptions{loss.value, 0.1}, last.value);
    }
}

TEST(LossKernels, FollowTheDefinition) {
  for_each_pair([](const LossOptions& loss, Activation last) {
    for (const bool weighted : {false, true}) {
      const auto batch = make_batch<double>(last, loss.kind, 9, 5);
      std::vector<double> row_losses(9);
      for (const RowSum order : {RowSum::sequential, RowSum::interleaved}) {
        const double value =
            loss_forward<double>(loss, last, batch.z.view(), batch.h.view(), batch.targets.view(),
                                 weighted ? batch.row_weights.data() : nullptr, order, row_losses.data());
        const auto exact = static_cast<double>(defined_loss(loss, batch, weighted));
        EXPECT_NEAR(value, exact, 1e-13 * std::abs(exact));
      }
    }
  });
}

TEST(LossKernels, GradientIsTheSlopeOfTheLoss) {
  for_each_pair([](const LossOptions& loss, Activation last) {
    const std::size_t rows = 3, columns = 4;
    auto batch = make_batch<double>(last, loss.kind, rows, columns);
    Matrix<double> gradient(rows, columns);
    loss_backward<double>(loss, last, gradient.view(), batch.z.view(), batch.h.view(), batch.targets.view(),
                          batch.row_weights.data());
    if (!is_fused(loss.kind, last))
      activate_backward<double>(last, gradient.view(), gradient.view(), batch.z.view(), batch.h.view());
    std::vector<double> row_losses(rows);
    for (std::size_t i = 0; i < batch.z.size(); ++i) {
      const double step = 1e-6, at = batch.z.data()[i];
      double slope = 0;
      for (const double side : {1.0, -1.0}) {
        batch.z.data()[i] = at + side * step;
        activate<double>(last, batch.h.view(), batch.z.view());
        slope += side / (2 * step) *
                 loss_forward<double>(loss, last, batch.z.view(), batch.h.view(), batch.targets.view(),
                                      batch.row_weights.data(), RowSum::sequential, row_losses.data());
      }
      batch.z.data()[i] = at;
      EXPECT_NEAR(gradient.data()[i], slope, 1e-8);
    }
  });
}

template <class T>
class LossKernelsOnTargets : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(LossKernelsOnTargets, Types);

TYPED_TEST(LossKernelsOnTargets, GiveTheSameBitsEverywhere) {
  using T = TypeParam;
  for_each_pair([](const LossOptions& loss, Activation last) {
    for (const auto& [rows, columns] :
         {std::pair<std::size_t, std::size_t>{1, 1}, {5, 1}, {4, 2}, {37, 3}, {18, 10}, {3, 65}, {2, 130}}) {
      const auto batch = make_batch<T>(last, loss.kind, rows, columns);
      for (const T* weights : {static_cast<const T*>(nullptr), batch.row_weights.data()}) {
        std::vector<T> values;
        Matrix<T> first;
        for_each_target([&, rows = rows, columns = columns] {
          std::vector<T> row_losses(rows);
          values.push_back(loss_forward<T>(loss, last, batch.z.view(), batch.h.view(), batch.targets.view(),
                                           weights, RowSum::interleaved, row_losses.data()));
          EXPECT_EQ(values.back(), values.front());
          Matrix<T> gradient(rows, columns);
          loss_backward<T>(loss, last, gradient.view(), batch.z.view(), batch.h.view(), batch.targets.view(),
                           weights);
          if (first.size() == 0) first = gradient;
          EXPECT_TRUE(same_bits(gradient, first));
        });
      }
    }
  });
}

TEST(LossKernels, FusedLossesStayFiniteFarOut) {
  Matrix<float> z(2, 2), h(2, 2), y(2, 2), gradient(2, 2);
  const float far[] = {500, -500, -500, 500}, targets[] = {0, 1, 0, 1};
  std::copy_n(far, 4, z.data());
  std::copy_n(targets, 4, y.data());
  float row_losses[2];
  for (const auto& [loss, last, expected] :
       {std::tuple{Loss::cross_entropy, Activation::softmax, 500.0f},
        std::tuple{Loss::binary_cross_entropy, Activation::sigmoid, 250.0f}}) {
    activate<float>(last, h.view(), z.view());
    EXPECT_EQ(loss_forward<float>({loss, 0}, last, z.view(), h.view(), y.view(), nullptr, RowSum::sequential,
                                  row_losses),
              expected);
    loss_backward<float>({loss, 0}, last, gradient.view(), z.view(), h.view(), y.view(), nullptr);
    EXPECT_EQ(gradient(1, 0), 0);
    EXPECT_LT(gradient(0, 1), 0);
  }
}

}  // namespace
}  // namespace mlpd::core
