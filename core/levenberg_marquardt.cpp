// Levenberg–Marquardt: (G + D + μI)·d = −gradient, G the generalised Gauss–Newton matrix, D the penalty's
// curvature; μ falls after a step that lowers the loss and grows until one does (Marquardt 1963).
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "core/solver.h"

namespace mlpd::core {

namespace {

constexpr double kFirstDamping = 1e-2;
constexpr double kLeastDamping = 1e-12;
constexpr double kDampingFalls = 0.2;
constexpr double kDampingGrows = 5;
constexpr int kTrials = 20;

}  // namespace

template <class T>
double Solver<T>::levenberg_marquardt(Tolerance tolerance, Objective<T>& objective, const Batch<T>& batch,
                                      SolverState<T>& state, T* parameters) {
  const auto n = static_cast<Eigen::Index>(gradient_.size());
  const double value = evaluate(objective, batch, parameters, gradient_.data()).loss();
  double size = 0;
  for (T g : gradient_) size = std::max(size, std::abs(static_cast<double>(g)));
  if (!(size > tolerance.gradient)) {
    state.converged = true;
    return value;
  }
  curvature_.compute(batch, parameters, matrix_);
  const double decay = objective.regularization().l2 / static_cast<double>(batch.inputs.rows);
  if (decay != 0)
    for (const Range& range : network_->penalized())
      for (std::size_t i = range.offset; i < range.offset + range.count; ++i) matrix_(i, i) += decay;
  if (state.damping == 0) state.damping = kFirstDamping;
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::VectorXd right(n);
  for (Eigen::Index i = 0; i < n; ++i)
    right[i] = -static_cast<double>(gradient_[static_cast<std::size_t>(i)]);
  for (int trial = 0; trial < kTrials; ++trial, state.damping *= kDampingGrows) {
    RowMajor damped = Eigen::Map<const RowMajor>(matrix_.data(), n, n);
    damped.diagonal().array() += state.damping;
    const Eigen::LLT<RowMajor, Eigen::Lower> factor(damped);
    if (factor.info() != Eigen::Success) continue;
    const Eigen::VectorXd move = factor.solve(right);
    for (std::size_t i = 0; i < trial_.size(); ++i)
      trial_[i] = static_cast<T>(static_cast<double>(parameters[i]) + move[static_cast<Eigen::Index>(i)]);
    const double found = evaluate(objective, batch, trial_.data(), trial_gradient_.data()).loss();
    if (!(found < value)) continue;
    std::copy_n(trial_.data(), trial_.size(), parameters);
    state.damping = std::max(kLeastDamping, state.damping * kDampingFalls);
    state.converged = value - found <= tolerance.decrease * std::abs(value);
    return found;
  }
  state.converged = true;
  return value;
}

template class Solver<float>;
template class Solver<double>;

}  // namespace mlpd::core
