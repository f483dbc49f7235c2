#include "core/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/elementary.h"
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

namespace {

/// Area under the curve of scores[i] for rows where positive[i]: the share of (positive, negative) pairs in
/// the right order, ties half. kAbsent where one side is empty.
double area_under_curve(const std::vector<double>& scores, const std::vector<bool>& positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double rank_sum = 0;
  double positives = 0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && scores[order[end]] == scores[order[i]]) ++end;
    const double rank = (static_cast<double>(i + 1) + static_cast<double>(end)) / 2;
    for (; i < end; ++i)
      if (positive[order[i]]) {
        rank_sum += rank;
        ++positives;
      }
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0) return kAbsent;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

/// Mean over the columns that have both sides; a single pair of exclusive columns is one binary problem.
double mean_area(ConstMatrixView<double> outputs, ConstMatrixView<double> targets, bool exclusive) {
  if (!std::all_of(outputs.data, outputs.data + outputs.size(), [](double h) { return std::isfinite(h); }))
    return kAbsent;
  double sum = 0;
  std::size_t columns = 0;
  std::vector<double> scores(outputs.rows);
  std::vector<bool> positive(outputs.rows);
  for (std::size_t k = exclusive && outputs.columns == 2 ? 1 : 0; k < outputs.columns; ++k) {
    for (std::size_t r = 0; r < outputs.rows; ++r) {
      scores[r] = outputs(r, k);
      positive[r] = exclusive ? largest(targets.row(r), targets.columns) == k : targets(r, k) >= 0.5;
    }
    const double area = area_under_curve(scores, positive);
    if (std::isnan(area)) continue;
    sum += area;
    ++columns;
  }
  return columns == 0 ? kAbsent : sum / static_cast<double>(columns);
}

/// Probabilities are kept this far from 0 and 1 in log_loss, as scikit-learn does for float64.
constexpr double kSmallestProbability = 2.220446049250313e-16;

/// Mean over rows of −Σ y·log p, p the outputs divided by their sum (exclusive classes), or mean over
/// elements of the binary form.
double log_loss(ConstMatrixView<double> outputs, ConstMatrixView<double> targets, bool exclusive) {
  const auto bounded = [](double p) {
    return std::min(std::max(p, kSmallestProbability), 1 - kSmallestProbability);
  };
  double sum = 0;
  for (std::size_t r = 0; r < outputs.rows; ++r) {
    double total = 0;
    for (std::size_t k = 0; k < outputs.columns; ++k) total += outputs(r, k);
    for (std::size_t k = 0; k < outputs.columns; ++k) {
      const double y = targets(r, k);
      if (exclusive) {
        if (y != 0) sum -= y * elementary::log(bounded(outputs(r, k) / total));
      } else {
        const double p = bounded(outputs(r, k));
        sum -= y * elementary::log(p) + (1 - y) * elementary::log(1 - p);
      }
    }
  }
  return sum / static_cast<double>(exclusive ? outputs.rows : outputs.size());
}

/// Whether every output is a probability: what log_loss is about.
bool are_probabilities(ConstMatrixView<double> outputs) {
  return std::all_of(outputs.data, outputs.data + outputs.size(), [](double h) { return h >= 0 && h <= 1; });
}

/// True class × predicted class; a single output has two, split at 0.5.
std::vector<std::vector<std::uint64_t>> count_confusion(ConstMatrixView<double> outputs,
                                                        ConstMatrixView<double> targets) {
  const std::size_t classes = std::max<std::size_t>(outputs.columns, 2);
  std::vector<std::vector<std::uint64_t>> counts(classes, std::vector<std::uint64_t>(classes, 0));
  const auto class_of = [](const double* row, std::size_t columns) {
    return columns == 1 ? std::size_t{row[0] >= 0.5} : largest(row, columns);
  };
  for (std::size_t r = 0; r < outputs.rows; ++r)
    ++counts[class_of(targets.row(r), targets.columns)][class_of(outputs.row(r), outputs.columns)];
  return counts;
}

struct Errors {
  double squared = 0;
  double absolute = 0;
  double r2 = kAbsent;  ///< mean over the outputs whose targets vary
};

Errors errors_of(ConstMatrixView<double> outputs, ConstMatrixView<double> targets) {
  Errors errors;
  double r2 = 0;
  std::size_t varying = 0;
  for (std::size_t k = 0; k < outputs.columns; ++k) {
    double mean = 0;
    for (std::size_t r = 0; r < outputs.rows; ++r) mean += targets(r, k);
    mean /= static_cast<double>(outputs.rows);
    double residual = 0;
    double total = 0;
    for (std::size_t r = 0; r < outputs.rows; ++r) {
      const double off = targets(r, k) - outputs(r, k);
      residual += off * off;
      errors.absolute += std::fabs(off);
      total += (targets(r, k) - mean) * (targets(r, k) - mean);
    }
    errors.squared += residual;
    if (total == 0) continue;
    r2 += 1 - residual / total;
    ++varying;
  }
  if (varying != 0) errors.r2 = r2 / static_cast<double>(varying);
  errors.squared /= static_cast<double>(outputs.size());
  errors.absolute /= static_cast<double>(outputs.size());
  return errors;
}

}  // namespace

void measure(Evaluation& evaluation, const NetworkSpec& spec, ConstMatrixView<double> outputs,
             const Dataset& data) {
  const ConstMatrixView<double> targets(data.targets.data(), data.rows, data.output_count);
  const AccuracyRule rule = accuracy_rule(spec, is_one_hot(data));
  const auto add = [&](const char* name, double value) {
    if (std::isfinite(value)) evaluation.metrics.emplace_back(name, value);
  };
  if (rule != AccuracyRule::none) {
    const bool exclusive = rule == AccuracyRule::argmax;
    add("accuracy", accuracy<double>(rule, outputs, targets));
    if (are_probabilities(outputs)) add("log_loss", log_loss(outputs, targets, exclusive));
    add("auc", mean_area(outputs, targets, exclusive));
    if (exclusive || outputs.columns == 1) evaluation.confusion = count_confusion(outputs, targets);
    return;
  }
  const Errors errors = errors_of(outputs, targets);
  add("r2", errors.r2);
  add("mean_squared_error", errors.squared);
  add("mean_absolute_error", errors.absolute);
}

void undo_scaling(Evaluation& evaluation, const Preprocess& preprocess) {
  if (preprocess.target.type != ColumnType::number) return;
  const double scale = preprocess.target.scale;
  for (auto& [name, value] : evaluation.metrics) {
    if (name == "mean_squared_error") value *= scale * scale;
    if (name == "mean_absolute_error") value *= scale;
  }
}

}  // namespace mlpd::core
