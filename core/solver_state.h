#pragma once

#include <cstddef>
#include <cstdint>

#include "core/matrix.h"
#include "core/optimizer.h"

namespace mlpd::core {

/// What lbfgs, levenberg_marquardt and auto remember between steps; part of every checkpoint.
template <class T>
struct SolverState {
  std::uint64_t pairs = 0;                  ///< lbfgs: how many of the kLbfgsPairs below are in use
  AlignedBuffer<T> position_differences;    ///< lbfgs: pairs × parameters, oldest first
  AlignedBuffer<T> gradient_differences;    ///< lbfgs: the same
  double damping = 0;                       ///< levenberg_marquardt: μ; 0 before the first step
  bool converged = false;                   ///< further steps change nothing
  Optimizer choice = Optimizer::automatic;  ///< auto: what it chose; automatic before the first data
  std::uint64_t restarts = 0;               ///< auto: from how many new seeds it began again
  double best_loss = 0;                     ///< auto: of the parameters, once it restarted
  AlignedBuffer<T> attempt;                 ///< auto: parameters of the restart under way; empty before

  /// Forgets what was learnt of the function's shape; for another function (data, penalty) or another start.
  void forget() {
    pairs = 0;
    damping = 0;
    converged = false;
  }
};

}  // namespace mlpd::core
