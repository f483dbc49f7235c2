#pragma once

#include <cstddef>
#include <memory>

#include "core/batches.h"
#include "core/jacobian.h"
#include "core/learner.h"
#include "core/network.h"
#include "core/objective.h"
#include "core/result.h"
#include "core/solver_state.h"

/// The update rules that work on the whole training set: one step is one iteration.
namespace mlpd::core {

/// Pairs that lbfgs keeps (Nocedal & Wright, Numerical Optimization, 2nd ed., algorithm 7.4).
inline constexpr std::size_t kLbfgsPairs = 10;
/// Largest network that levenberg_marquardt takes: its matrix is parameters × parameters.
inline constexpr std::size_t kLevenbergMarquardtParameters = 1000;
/// How often auto begins again from a new seed where it got stuck.
inline constexpr std::uint64_t kAutoRestarts = 10;

/// Whether a rule is one of these (auto included, whatever it chooses).
bool is_solver(Optimizer kind);

/// invalid_argument with every reason, by name, why the network can't be trained by `kind`: dropout and
/// batch_norm (both), a loss without Gauss–Newton form or too many parameters (levenberg_marquardt).
Result<void> check_solver(const Network& network, Optimizer kind);

/// What auto trains with: levenberg_marquardt where its matrix is small, lbfgs where a pass over all rows is
/// cheap, adam for mini-batches, large data, dropout and batch_norm.
Optimizer choose_optimizer(const Network& network, std::size_t rows, std::size_t batch_size);

/// One iteration on all rows of a batch. Allocates on first use only.
template <class T>
class Solver {
 public:
  Solver(const Network& network, Executor& executor);

  /// Loss and gradient at `parameters`. What was evaluated last is known, and not computed again.
  LossParts evaluate(Objective<T>& objective, const Batch<T>& batch, const T* parameters, T* gradient);
  /// The function is another one: nothing of it is known.
  void forget() { known_ = false; }

  /// Moves `parameters` by one iteration of `kind` (auto: of state.choice, with restarts). Where no further
  /// progress is possible, sets state.converged and changes nothing more.
  void step(Optimizer kind, Objective<T>& objective, const Batch<T>& batch, SolverState<T>& state,
            T* parameters);

 private:
  /// When an iteration counts as the last: largest gradient entry, relative decrease of the loss.
  struct Tolerance {
    double gradient;
    double decrease;
  };
  double iterate(Optimizer kind, Tolerance tolerance, Objective<T>& objective, const Batch<T>& batch,
                 SolverState<T>& state, T* parameters);
  double lbfgs(Tolerance tolerance, Objective<T>& objective, const Batch<T>& batch, SolverState<T>& state,
               T* parameters);
  double levenberg_marquardt(Tolerance tolerance, Objective<T>& objective, const Batch<T>& batch,
                             SolverState<T>& state, T* parameters);
  void automatic(Objective<T>& objective, const Batch<T>& batch, SolverState<T>& state, T* parameters);
  bool stuck(Objective<T>& objective, const Batch<T>& batch, const T* parameters);
  void descend(const SolverState<T>& state);
  double search(Objective<T>& objective, const Batch<T>& batch, const T* from, double value, double first);
  void remember(SolverState<T>& state, const T* from);

  const Network* network_;
  GaussNewton<T> curvature_;
  AlignedBuffer<T> gradient_;
  AlignedBuffer<T> direction_;
  AlignedBuffer<T> trial_;
  AlignedBuffer<T> trial_gradient_;
  Matrix<double> matrix_;
  bool known_ = false;  ///< what the objective's outputs belong to:
  AlignedBuffer<T> known_parameters_;
  AlignedBuffer<T> known_gradient_;
  LossParts known_loss_;
};

}  // namespace mlpd::core
