#pragma once

#include <cstdint>
#include <memory>

#include "core/checkpoint.h"
#include "core/matrix.h"
#include "core/network.h"
#include "core/optimizer_state.h"
#include "core/result.h"
#include "core/solver_state.h"

namespace mlpd::core {

/// The state of schedule `plateau`.
struct Plateau {
  double factor = 1;  ///< product of the reductions so far
  double best = 0;    ///< meaningful once seen
  bool seen = false;
  std::uint64_t stale = 0;  ///< records since the best
  /// Takes one record's loss in; a better one is any smaller one.
  void observe(double loss, const ScheduleOptions& schedule);
};

/// Everything that one update may change.
template <class T>
struct TrainingState {
  std::uint64_t step = 0;
  Cursor cursor;
  AlignedBuffer<T> parameters;
  AlignedBuffer<T> running;  ///< batch_norm's statistics
  AlignedBuffer<T> average;  ///< ema; empty where it is off
  OptimizerState<T> optimizer;
  Plateau plateau;
  SolverState<T> solver;

  /// Copies without allocating where the shapes are alike.
  void assign(const TrainingState& from);
  bool finite() const;
};

/// The kind of the rule in force: the network's, or what auto chose.
template <class T>
Optimizer kind_in_force(const TrainingState<T>& state, const OptimizerOptions& options) {
  return options.kind == Optimizer::automatic ? state.solver.choice : options.kind;
}

/// The rule that updates by the state.
template <class T>
OptimizerOptions rule_in_force(const TrainingState<T>& state, const OptimizerOptions& options);

/// The rate of the state's next update: the schedule's, times the plateau's factor.
template <class T>
double next_rate(const TrainingState<T>& state, const HyperParameters& hyper_parameters);

/// The one place where parameters change: clips `gradient` (in place), updates by the optimizer at `rate`,
/// moves the average where ema > 0, counts the step.
template <class T>
void apply_update(TrainingState<T>& state, const HyperParameters& hyper_parameters, double ema, double rate,
                  T* gradient, Executor& executor);

/// The state as a value with names, and back. from_checkpoint fails with `corrupted` where an array is
/// missing, has the wrong length or dtype, or holds a number that is not finite.
template <class T>
Checkpoint to_checkpoint(const TrainingState<T>& state, const NetworkSpec& spec, const Network& network,
                         std::shared_ptr<const Preprocess> preprocess);
template <class T>
Result<TrainingState<T>> from_checkpoint(const Checkpoint& checkpoint, const Network& network);

}  // namespace mlpd::core
