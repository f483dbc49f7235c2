#include "core/importance.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"

namespace mlpd::core {
namespace {

constexpr std::uint64_t kShuffleStream = 0x7065726d00000000;

// Copies inputs first … of row order[r] of `from` into row r of `to`.
void copy_shuffled(Dataset& to, const Dataset& from, const ColumnInputs& column,
                   const std::vector<std::size_t>& order) {
  for (std::size_t row = 0; row < from.rows; ++row)
    std::copy_n(from.inputs.data() + order[row] * from.input_count + column.first, column.count,
                to.inputs.data() + row * from.input_count + column.first);
}

}  // namespace

std::vector<ColumnInputs> column_inputs(const NetworkSpec& spec, const Preprocess* preprocess) {
  std::vector<ColumnInputs> columns;
  if (preprocess == nullptr) {
    for (std::size_t i = 0; i < spec.inputs; ++i)
      columns.push_back(
          {i < spec.input_names.size() ? spec.input_names[i] : "x" + std::to_string(i + 1), i, 1});
    return columns;
  }
  std::size_t first = 0;
  for (const Column& column : preprocess->columns) {
    const std::size_t count = column.input_count();
    if (count > 0) columns.push_back({column.name, first, count});
    first += count;
  }
  return columns;
}

Result<std::vector<ColumnImportance>> permutation_importance(const Learner& learner, const Dataset& data,
                                                             const std::vector<ColumnInputs>& columns,
                                                             std::uint64_t seed) {
  const Result<Evaluation> whole = learner.evaluate(data);
  if (!whole) return whole.error();
  std::vector<std::size_t> unshuffled(data.rows);
  for (std::size_t row = 0; row < data.rows; ++row) unshuffled[row] = row;
  Dataset shuffled = data;
  std::vector<ColumnImportance> all;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    double sum = 0;
    double squares = 0;
    for (std::size_t repeat = 0; repeat < kImportanceRepeats; ++repeat) {
      const std::uint64_t stream = kShuffleStream + c * kImportanceRepeats + repeat;
      copy_shuffled(shuffled, data, columns[c], permutation(data.rows, seed, stream));
      const Result<Evaluation> evaluation = learner.evaluate(shuffled);
      if (!evaluation) return evaluation.error();
      const double rise = evaluation->data_loss - whole->data_loss;
      sum += rise;
      squares += rise * rise;
    }
    copy_shuffled(shuffled, data, columns[c], unshuffled);
    const double mean = sum / kImportanceRepeats;
    const double variance = std::max(0.0, squares / kImportanceRepeats - mean * mean);
    all.push_back({columns[c].column, mean, std::sqrt(variance)});
  }
  return all;
}

}  // namespace mlpd::core
