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

/// All rows of `data` listed in `rows`, in that order. Each index < data.rows.
Dataset select(const Dataset& data, const std::vector<std::size_t>& rows);

/// The class of each row: the column of its 1 for one-hot targets, 0 or 1 for one output of zeros and ones;
/// empty where the targets are neither.
std::vector<std::size_t> class_indices(const Dataset& data);

/// The order in which rows are held out, decided by the seed alone and stratified by `classes` (one for each
/// row; empty = no classes): in every prefix each class has its share to within one row. Because it is one
/// order, what a smaller fraction holds out is part of what a larger one does.
std::vector<std::size_t> held_out_order(std::size_t rows, const std::vector<std::size_t>& classes,
                                        std::uint64_t seed);

/// ⌊fraction·rows + ½⌋: how many rows a fraction in [0, 1) holds out.
std::size_t held_out_count(std::size_t rows, double fraction);

/// A training set and, where a split was asked for, the rows held out of it.
struct Split {
  std::shared_ptr<const Dataset> training;
  std::shared_ptr<const Dataset> validation;  ///< null where fraction = 0
};

/// Holds out the first held_out_count() rows of held_out_order() by class_indices(); both sides keep the
/// rows' order. fraction in [0, 1). Fails where either side would be empty.
Result<Split> split(std::shared_ptr<const Dataset> data, double fraction, std::uint64_t seed);

}  // namespace mlpd::core
