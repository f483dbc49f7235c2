#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mlpd::core {

/// What a network makes of given data. `metrics` holds name and value in a fixed order: accuracy, log_loss,
/// auc for classifiers; r2, mean_squared_error, mean_absolute_error for the others. Non-finite values are
/// left out.
struct Evaluation {
  std::uint64_t rows = 0;
  double loss = 0;  ///< data_loss + penalty
  double data_loss = 0;
  double penalty = 0;
  std::vector<std::pair<std::string, double>> metrics;
  /// Classifiers: rows × columns = true class × predicted class.
  std::vector<std::vector<std::uint64_t>> confusion;

  std::optional<double> metric(std::string_view name) const {
    for (const auto& [key, value] : metrics)
      if (key == name) return value;
    return std::nullopt;
  }
};

}  // namespace mlpd::core
