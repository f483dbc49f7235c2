#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/dataset.h"
#include "core/matrix.h"
#include "core/network_spec.h"
#include "core/preprocess.h"

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

/// How outputs are compared with targets to count as right.
enum class AccuracyRule {
  none,      ///< regression: no accuracy
  argmax,    ///< a row is right where the largest output is at the largest target (the first of equals)
  threshold  ///< an output is right where it is on the target's side of 0.5; the mean is over all elements
};

/// argmax for one-hot targets under any loss, and for two outputs or more under softmax or cross_entropy;
/// threshold under binary_cross_entropy otherwise; else none.
AccuracyRule accuracy_rule(const NetworkSpec& spec, bool one_hot_targets);

/// Whether there are two columns or more and every row of the targets is one 1 among zeros.
bool is_one_hot(const Dataset& data);

/// Share of right answers in [0, 1]; kAbsent under AccuracyRule::none or without rows.
template <class T>
double accuracy(AccuracyRule rule, ConstMatrixView<T> outputs, ConstMatrixView<T> targets);

/// Fills metrics and confusion (loss fields stay as they are) from float64 outputs and targets, rows ≥ 1.
void measure(Evaluation& evaluation, const NetworkSpec& spec, ConstMatrixView<double> outputs,
             const Dataset& data);

/// Errors of a scaled number target in the target's own units (r2 has none); the loss stays as it is.
void undo_scaling(Evaluation& evaluation, const Preprocess& preprocess);

}  // namespace mlpd::core
