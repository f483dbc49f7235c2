#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/batches.h"
#include "core/learner.h"
#include "core/network.h"
#include "core/objective.h"
#include "core/solver.h"
#include "core/training_state.h"

namespace mlpd::core {

/// The Learner of one dtype.
template <class T>
class NetworkLearner final : public Learner {
 public:
  NetworkLearner(NetworkSpec spec, std::shared_ptr<const Network> network,
                 std::shared_ptr<const Preprocess> preprocess, TrainingState<T> state, Executor& executor);

  const NetworkSpec& spec() const override { return spec_; }
  std::uint64_t step() const override { return state_.step; }
  const Cursor& cursor() const override { return state_.cursor; }

  Result<void> set_hyper_parameters(const HyperParameters& hyper_parameters) override;
  Result<void> adopt_parameters(const Checkpoint& from) override;
  NumberArray predictive_numbers() const override;
  Result<void> adopt(const NumberArray& predictive_numbers) override;
  Result<void> bind(std::shared_ptr<const Dataset> data, const BatchPlan& plan) override;
  Result<void> watch(std::shared_ptr<const Dataset> validation) override;
  Advance advance(std::uint64_t steps, std::uint64_t record_every,
                  const std::function<void(const Record&)>& on_record) override;
  Checkpoint checkpoint() const override;
  std::shared_ptr<const Snapshot> snapshot() const override;
  Result<Evaluation> evaluate(const Dataset& data) const override;
  Result<Trace> trace(const Dataset& data, const TraceLimits& limits) const override;

 private:
  using OnRecord = std::function<void(const Record&)>;

  std::uint64_t save(std::uint64_t steps, std::uint64_t record_every);
  std::uint64_t run(std::uint64_t steps, std::uint64_t record_every, const OnRecord& on_record);
  std::uint64_t replay(std::uint64_t steps, std::uint64_t record_every);
  bool update(bool recorded, const OnRecord& on_record);
  bool solver_update(const Batch<T>& batch, bool recorded, const OnRecord& on_record);
  void begin_solver(const Batches<T>& batches);
  /// The objective's outputs are those of the present parameters.
  Record make_record(const Batch<T>& batch, const LossParts& loss);
  std::uint64_t check_interval() const;
  /// Outputs and the last brick's z of all rows, block by block.
  void predict_all(const Matrix<T>& inputs, Matrix<T>& z, Matrix<T>& h, Workspace<T>& workspace) const;
  double data_loss(const Matrix<T>& targets, const Matrix<T>& z, const Matrix<T>& h) const;

  NetworkSpec spec_;
  std::shared_ptr<const Network> network_;
  std::shared_ptr<const Preprocess> preprocess_;
  Executor* executor_;
  Objective<T> objective_;
  TrainingState<T> state_;
  TrainingState<T> saved_;                  // an earlier state, to go back to after divergence
  std::optional<std::uint64_t> saved_for_;  // record_every of the steps since; none: they can't be repeated
  AlignedBuffer<T> gradient_;
  Batches<T> batches_;
  AccuracyRule accuracy_rule_ = AccuracyRule::none;
  std::unique_ptr<Solver<T>> solver_;  // made for the first step that needs it

  struct Validation {
    Matrix<T> inputs;
    Matrix<T> targets;
    Matrix<T> z;
    Matrix<T> h;
    Workspace<T> workspace;
    AccuracyRule rule = AccuracyRule::none;
  };
  std::unique_ptr<Validation> validation_;
};

/// Error of data whose shape doesn't fit the network (or without rows), or whose targets don't fit the loss
/// (check_targets()); pointers "#/data/inputs",
/// "#/data/targets".
Result<void> check_shapes(const Network& network, const Dataset& data);

}  // namespace mlpd::core
