#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/checkpoint.h"
#include "core/dataset.h"
#include "core/learner.h"
#include "core/matrix.h"

namespace mlpd::core {

/// The rows of one update. Views into the bound data, or into the gathered rows of a shuffled batch.
template <class T>
struct Batch {
  ConstMatrixView<T> inputs;
  ConstMatrixView<T> targets;
  ConstMatrixView<T>
      loss_targets;       ///< what the loss sees: the targets, or these smoothed and weighed by class
  bool smoothed = false;  ///< label smoothing is in loss_targets already
  const T* row_weights = nullptr;  ///< null = 1 each; scaled so that their mean over the batch is 1
};

/// A data set in a network's dtype, cut into batches. Which rows come next is decided by a Cursor alone.
template <class T>
class Batches {
 public:
  Batches() = default;
  /// `seed` is the network's: it orders shuffled epochs. Class weights must fit (see row_weight()). Weighed
  /// means are PyTorch's: divided by the batch's sum of row weights; under cross_entropy smoothed targets are
  /// weighed element by element.
  Batches(const Dataset& data, const BatchPlan& plan, const LossOptions& loss, std::uint64_t seed);

  bool empty() const { return inputs_.rows() == 0; }
  std::size_t rows() const { return inputs_.rows(); }
  std::size_t batch_size() const { return batch_size_; }

  /// Whether the cursor was in this data, cut in the same way.
  bool continues(const Cursor& cursor) const;
  /// Makes the cursor go on in this data; where it was elsewhere, at the end of an epoch.
  void enter(Cursor& cursor) const;
  /// The batch at the cursor, which is in this data and moves past it, into a new epoch where one is over.
  /// Gathers where shuffled; allocates only for a new epoch.
  Batch<T> next(Cursor& cursor);
  /// All rows in their order, weighed.
  Batch<T> all() const;

 private:
  std::uint64_t cut() const;
  const T* weights_of(const T* row_weights, std::size_t rows);
  void weigh_targets(const Dataset& data, const BatchPlan& plan, double label_smoothing);

  Matrix<T> inputs_;
  Matrix<T> targets_;
  Matrix<T> weighed_targets_;     // smoothed and weighed by class; empty = none
  std::vector<T> row_weights_;    // by row, unscaled; empty = none
  std::vector<T> all_weights_;    // scaled over all rows
  std::vector<T> batch_weights_;  // of the present batch, scaled
  Matrix<T> batch_inputs_;        // gathered rows
  Matrix<T> batch_targets_;
  Matrix<T> batch_weighed_targets_;
  std::vector<T> gathered_weights_;
  std::vector<std::size_t> order_;
  std::uint64_t ordered_epoch_ = 0;  // 0 = none; epochs count from 1
  std::size_t batch_size_ = 0;
  bool shuffle_ = false;
  std::uint64_t seed_ = 0;
  Digest digest_;
};

/// Whether `rows` rows can be trained on in batches as `plan` says: class weights that fit, two rows in every
/// batch for batch_norm, the whole set for a solver. Pointers are those of the train body.
Result<void> check_batches(const NetworkSpec& spec, std::size_t rows, const BatchPlan& plan);

/// Whether the loss has a meaning on these targets: the cross entropies take shares from 0 to 1.
Result<void> check_targets(const LossOptions& loss, const Dataset& data);

/// The weight of a row under class weights: Σ_k weight_k·y_k; with one output (two weights, class 0 and 1)
/// (1−y)·weight_0 + y·weight_1.
double row_weight(const std::vector<double>& class_weights, const double* targets, std::size_t outputs);

/// How many class weights go with so many outputs: one each, two for a single output.
std::size_t class_weight_count(std::size_t outputs);

}  // namespace mlpd::core
