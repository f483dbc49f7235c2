#pragma once

#include <cstdint>

#include "core/batches.h"
#include "core/layer.h"
#include "core/network.h"

namespace mlpd::core {

/// The loss of one batch, split as records show it. All computed in T, kept in float64.
struct LossParts {
  double data_loss = 0;
  double penalty = 0;
  double loss() const { return data_loss + penalty; }
};

/// The function that training minimizes, at any parameters: data loss + penalty of a batch, and its gradient.
/// Training, traces, solvers and diagnosis all go through here. Owns its workspace; not thread-safe.
template <class T>
class Objective {
 public:
  Objective(const Network& network, Executor& executor);

  /// Settings of the penalty; 0 = off.
  void set_regularization(const Regularization& regularization) { regularization_ = regularization; }
  const Regularization& regularization() const { return regularization_; }

  /// Forward and backward over the batch: gradient (parameter_count numbers, penalty included, unclipped).
  /// Bricks work as in training: dropout draws the masks of `step`; batch_norm uses the batch's statistics
  /// and moves `running` towards them where it isn't null. Allocates nothing once warm.
  void gradient(const Batch<T>& batch, const T* parameters, T* running, std::uint64_t step, T* gradient);
  /// The loss at what gradient() was last called with. Batch and parameters must be unchanged.
  LossParts loss(const Batch<T>& batch, const T* parameters);
  /// Both: the value and the gradient of the objective, leaving running statistics alone.
  LossParts value_and_gradient(const Batch<T>& batch, const T* parameters, std::uint64_t step, T* gradient);

  /// Outputs (rows × outputs) of the last loss().
  ConstMatrixView<T> outputs() const;
  /// What the passes left, brick by brick; keep_dloss_dh makes the next ones keep it all, dloss_dh apart.
  const Workspace<T>& workspace() const { return workspace_; }
  void keep_dloss_dh(bool keep) { keep_dloss_dh_ = keep; }

 private:
  bool by_lanes(const Batch<T>& batch) const;
  void add_penalty(std::size_t batch_rows, const T* parameters, T* gradient) const;

  const Network* network_;
  Executor* executor_;
  Regularization regularization_;
  Workspace<T> workspace_;
  bool keep_dloss_dh_ = false;
};

/// l2/(2N)·ΣW² + l1/N·Σ|W| over the network's penalized weights.
template <class T>
double penalty(const Network& network, const Regularization& regularization, const T* parameters,
               std::size_t rows);

/// Predicts `inputs` into `outputs` in the manner of a Snapshot; z (null: not wanted) gets the last brick's
/// values before its activation.
template <class T>
void infer(const Network& network, const T* parameters, const T* running, ConstMatrixView<T> inputs,
           MatrixView<T> outputs, Workspace<T>& workspace, Purpose purpose, Executor& executor);

}  // namespace mlpd::core
