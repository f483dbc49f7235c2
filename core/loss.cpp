#include "core/loss.h"

#include <array>

namespace mlpd::core {
namespace {

constexpr std::array<LossRow, 6> kLosses = {{
    {Loss::half_squared_error, "half_squared_error", "1/(2N)*sum((y - h)^2)"},
    {Loss::mean_squared_error, "mean_squared_error", "1/(N*K)*sum((y - h)^2)"},
    {Loss::mean_absolute_error, "mean_absolute_error", "1/(N*K)*sum(|y - h|)"},
    {Loss::huber, "huber", "1/(N*K)*sum((y - h)^2/2 where |y - h| < 1, |y - h| - 1/2 elsewhere)"},
    {Loss::binary_cross_entropy, "binary_cross_entropy", "-1/(N*K)*sum(y*log(h) + (1 - y)*log(1 - h))"},
    {Loss::cross_entropy, "cross_entropy", "-1/N*sum(y*log(h))"},
}};

}  // namespace

std::span<const LossRow> losses() { return kLosses; }

Loss default_loss(Activation last) {
  switch (last) {
    case Activation::softmax:
      return Loss::cross_entropy;
    case Activation::sigmoid:
      return Loss::binary_cross_entropy;
    default:
      return Loss::mean_squared_error;
  }
}

Activation default_last_activation(Loss loss) {
  switch (loss) {
    case Loss::cross_entropy:
      return Activation::softmax;
    case Loss::binary_cross_entropy:
      return Activation::sigmoid;
    default:
      return Activation::linear;
  }
}

double loss_scale(Loss loss, std::size_t rows, std::size_t columns) {
  const bool by_rows = loss == Loss::half_squared_error || loss == Loss::cross_entropy;
  return 1 / static_cast<double>(by_rows ? rows : rows * columns);
}

bool is_fused(Loss loss, Activation last) {
  return (loss == Loss::cross_entropy && last == Activation::softmax) ||
         (loss == Loss::binary_cross_entropy && last == Activation::sigmoid);
}

}  // namespace mlpd::core
