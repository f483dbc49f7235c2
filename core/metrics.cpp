#include "core/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/history.h"

namespace mlpd::core {

AccuracyRule accuracy_rule(const NetworkSpec& spec, bool one_hot_targets) {
  const std::size_t outputs = output_count(spec);
  const bool classes =
      spec.loss.kind == Loss::cross_entropy || spec.layers.back().activation == Activation::softmax;
  if (one_hot_targets || (outputs >= 2 && classes)) return AccuracyRule::argmax;
  if (spec.loss.kind == Loss::binary_cross_entropy) return AccuracyRule::threshold;
  return AccuracyRule::none;
}

bool is_one_hot(const Dataset& data) {
  if (data.output_count < 2) return false;
  for (std::size_t r = 0; r < data.rows; ++r) {
    std::size_t ones = 0;
    for (std::size_t k = 0; k < data.output_count; ++k) {
      const double y = data.targets[r * data.output_count + k];
      if (y != 0 && y != 1) return false;
      if (y == 1) ++ones;
    }
    if (ones != 1) return false;
  }
  return true;
}

namespace {

template <class T>
std::size_t largest(const T* row, std::size_t columns) {
  return static_cast<std::size_t>(std::max_element(row, row + columns) - row);
}

}  // namespace

template <class T>
double accuracy(AccuracyRule rule, ConstMatrixView<T> outputs, ConstMatrixView<T> targets) {
  if (rule == AccuracyRule::none || outputs.size() == 0) return kAbsent;
  std::size_t right = 0;
  if (rule == AccuracyRule::argmax) {
    for (std::size_t r = 0; r < outputs.rows; ++r)
      if (largest(outputs.row(r), outputs.columns) == largest(targets.row(r), targets.columns)) ++right;
    return static_cast<double>(right) / static_cast<double>(outputs.rows);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if ((outputs.data[i] >= T(0.5)) == (targets.data[i] >= T(0.5))) ++right;
  return static_cast<double>(right) / static_cast<double>(outputs.size());
}

template double accuracy<float>(AccuracyRule, ConstMatrixView<float>, ConstMatrixView<float>);
template double accuracy<double>(AccuracyRule, ConstMatrixView<double>, ConstMatrixView<double>);

void measure(Evaluation& evaluation, const NetworkSpec& spec, ConstMatrixView<double> outputs,
             const Dataset& data) {
  const ConstMatrixView<double> targets(data.targets.data(), data.rows, data.output_count);
  const AccuracyRule rule = accuracy_rule(spec, is_one_hot(data));
  const auto add = [&](const char* name, double value) {
    if (std::isfinite(value)) evaluation.metrics.emplace_back(name, value);
  };
  add("accuracy", accuracy<double>(rule, outputs, targets));
}

}  // namespace mlpd::core
