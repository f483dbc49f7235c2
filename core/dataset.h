#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/digest.h"
#include "core/result.h"

namespace mlpd::core {

/// Rows ready to train on: inputs rows × input_count and targets rows × output_count, row-major, all finite.
/// Kept in float64 and narrowed once when a float32 network binds it. Immutable once built; shared between
/// threads.
struct Dataset {
  std::size_t rows = 0;
  std::size_t input_count = 0;
  std::size_t output_count = 0;
  std::vector<double> inputs;
  std::vector<double> targets;
  std::vector<std::string> class_labels;  ///< labels of one-hot targets, empty where there are none

  /// Identity by content: shape and numbers (labels apart).
  Digest digest() const;
};

/// A training set and, where a split was asked for, the rows held out of it.
struct Split {
  std::shared_ptr<const Dataset> training;
  std::shared_ptr<const Dataset> validation;  ///< null where fraction = 0
};

/// Holds out ⌊fraction·rows + ½⌋ rows, chosen by the seed alone; with one-hot targets each class gives its
/// share (stratified). fraction in [0, 1). Fails where either side would be empty.
Result<Split> split(std::shared_ptr<const Dataset> data, double fraction, std::uint64_t seed);

}  // namespace mlpd::core
