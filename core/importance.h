#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/dataset.h"
#include "core/learner.h"
#include "core/preprocess.h"
#include "core/result.h"

namespace mlpd::core {

/// How often each column is shuffled.
inline constexpr std::size_t kImportanceRepeats = 5;

/// How much a network leans on one raw column: the rise of data_loss on given rows when the column's values
/// are shuffled among them (Breiman 2001; Fisher, Rudin & Dominici 2019), mean and deviation over the
/// repeats. About 0 for a column that does not matter on these rows.
struct ColumnImportance {
  std::string column;
  double importance = 0;
  double deviation = 0;
};

/// Inputs first … first + count − 1 that one raw column makes.
struct ColumnInputs {
  std::string column;
  std::size_t first = 0;
  std::size_t count = 0;
};

/// The raw columns of a network: those of its preprocess, or one for each input, named by input_names or x1,
/// x2, ….
std::vector<ColumnInputs> column_inputs(const NetworkSpec& spec, const Preprocess* preprocess);

/// One entry for each of `columns`, in order. Shuffles are a function of the seed, the column's place and the
/// repeat. Takes columns·repeats + 1 evaluations of the data; columns and data must fit the learner.
Result<std::vector<ColumnImportance>> permutation_importance(const Learner& learner, const Dataset& data,
                                                             const std::vector<ColumnInputs>& columns,
                                                             std::uint64_t seed);

}  // namespace mlpd::core
