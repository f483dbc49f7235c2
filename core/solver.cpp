#include "core/solver.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "core/metrics.h"
#include "core/named_table.h"

namespace mlpd::core {

namespace {

/// Multiply-adds of one iteration up to which auto takes levenberg_marquardt, and lbfgs.
constexpr double kSmallMatrixWork = 2e8;
constexpr double kCheapPassWork = 1e8;
constexpr std::size_t kSmallMatrixParameters = 200;
/// Cross entropy below which auto calls a classifier done: going on would only make it surer.
constexpr double kSolvedCrossEntropy = 0.01;

bool has_kind(const std::vector<LayerSpec>& layers, LayerKind kind) {
  return std::any_of(layers.begin(), layers.end(), [kind](const LayerSpec& layer) {
    return layer.kind == kind || has_kind(layer.layers, kind);
  });
}

bool has_gauss_newton_form(const Network& network) {
  switch (network.spec().loss.kind) {
    case Loss::half_squared_error:
    case Loss::mean_squared_error:
      return true;
    case Loss::cross_entropy:
      return network.last_activation() == Activation::softmax;
    case Loss::binary_cross_entropy:
      return network.last_activation() == Activation::sigmoid;
    case Loss::mean_absolute_error:
    case Loss::huber:
      break;
  }
  return false;
}

}  // namespace

bool is_solver(Optimizer kind) {
  return kind == Optimizer::lbfgs || kind == Optimizer::levenberg_marquardt || kind == Optimizer::automatic;
}

Result<void> check_solver(const Network& network, Optimizer kind) {
  if (kind != Optimizer::lbfgs && kind != Optimizer::levenberg_marquardt) return {};
  const std::string name(name_of(optimizers(), kind));
  Error error{ErrorCode::invalid_argument, "The network can't be trained with " + name + "."};
  const auto refuse = [&](std::string why) { error.fields.push_back({"#/optimizer/type", std::move(why)}); };
  for (LayerKind brick : {LayerKind::dropout, LayerKind::batch_norm})
    if (has_kind(network.spec().layers, brick))
      refuse(name + " needs the same function at every evaluation and so can't take " +
             std::string(name_of(layer_kinds(), brick)) + "; use adam, or leave the brick out");
  if (kind == Optimizer::levenberg_marquardt) {
    if (!has_gauss_newton_form(network))
      refuse(
          "levenberg_marquardt takes half_squared_error, mean_squared_error, cross_entropy after softmax and "
          "binary_cross_entropy after sigmoid; use lbfgs for another loss");
    if (network.parameter_count() > kLevenbergMarquardtParameters)
      refuse("levenberg_marquardt takes at most " + std::to_string(kLevenbergMarquardtParameters) +
             " parameters and the network has " + std::to_string(network.parameter_count()) + "; use lbfgs");
  }
  if (!error.fields.empty()) return error;
  return {};
}

Optimizer choose_optimizer(const Network& network, std::size_t rows, std::size_t batch_size) {
  const double passes = static_cast<double>(rows) * static_cast<double>(network.parameter_count());
  if (batch_size < rows || !check_solver(network, Optimizer::lbfgs) || passes > kCheapPassWork)
    return Optimizer::adam;
  const double matrix = passes * static_cast<double>(network.parameter_count() * network.output_count());
  const bool small = network.parameter_count() <= kSmallMatrixParameters && matrix <= kSmallMatrixWork;
  if (small && check_solver(network, Optimizer::levenberg_marquardt)) return Optimizer::levenberg_marquardt;
  return Optimizer::lbfgs;
}

template <class T>
Solver<T>::Solver(const Network& network, Executor& executor)
    : network_(&network),
      curvature_(network, executor),
      gradient_(network.parameter_count()),
      direction_(network.parameter_count()),
      trial_(network.parameter_count()),
      trial_gradient_(network.parameter_count()),
      known_parameters_(network.parameter_count()),
      known_gradient_(network.parameter_count()) {}

template <class T>
LossParts Solver<T>::evaluate(Objective<T>& objective, const Batch<T>& batch, const T* parameters,
                              T* gradient) {
  // Bits, not numbers: a zero of the other sign is another point, a NaN the same.
  const std::size_t bytes = known_parameters_.size() * sizeof(T);
  if (!known_ || std::memcmp(known_parameters_.data(), parameters, bytes) != 0) {
    known_loss_ = objective.value_and_gradient(batch, parameters, 0, known_gradient_.data());
    std::copy_n(parameters, known_parameters_.size(), known_parameters_.data());
    known_ = true;
  }
  std::copy_n(known_gradient_.data(), known_gradient_.size(), gradient);
  return known_loss_;
}

template <class T>
void Solver<T>::step(Optimizer kind, Objective<T>& objective, const Batch<T>& batch, SolverState<T>& state,
                     T* parameters) {
  if (state.converged) return;
  if (kind == Optimizer::automatic) return automatic(objective, batch, state, parameters);
  constexpr double epsilon = std::numeric_limits<T>::epsilon();
  iterate(kind, {4 * epsilon, 2 * epsilon}, objective, batch, state, parameters);
}

template <class T>
double Solver<T>::iterate(Optimizer kind, Tolerance tolerance, Objective<T>& objective, const Batch<T>& batch,
                          SolverState<T>& state, T* parameters) {
  if (kind == Optimizer::lbfgs) return lbfgs(tolerance, objective, batch, state, parameters);
  return levenberg_marquardt(tolerance, objective, batch, state, parameters);
}

/// Works on the parameters themselves until it gets stuck; from then on on attempts from new seeds, which
/// become the parameters as soon as their loss is lower.
template <class T>
void Solver<T>::automatic(Objective<T>& objective, const Batch<T>& batch, SolverState<T>& state,
                          T* parameters) {
  constexpr Tolerance kEnough{1e-4, 1e-5};
  T* present = state.attempt.size() != 0 ? state.attempt.data() : parameters;
  const double loss = iterate(state.choice, kEnough, objective, batch, state, present);
  if (present == parameters) {
    state.best_loss = loss;
  } else if (loss < state.best_loss) {
    state.best_loss = loss;
    std::copy_n(present, state.attempt.size(), parameters);
  }
  const bool entropy = network_->spec().loss.kind == Loss::cross_entropy ||
                       network_->spec().loss.kind == Loss::binary_cross_entropy;
  if (entropy && loss < kSolvedCrossEntropy) state.converged = true;
  if (!state.converged) return;
  if (state.restarts == kAutoRestarts || !stuck(objective, batch, parameters)) {
    state.attempt.resize(0);
    return;
  }
  ++state.restarts;
  NetworkSpec spec = network_->spec();
  spec.seed += state.restarts * 0x9e3779b97f4a7c15;  // far from the seeds that people choose
  state.attempt.resize(gradient_.size());
  initialize_parameters<T>(*network_, spec, state.attempt.data());
  state.forget();
}

/// A classifier is stuck where it doesn't tell the training rows apart; another network where it explains
/// less than half of what the best constant leaves.
template <class T>
bool Solver<T>::stuck(Objective<T>& objective, const Batch<T>& batch, const T* parameters) {
  evaluate(objective, batch, parameters, trial_gradient_.data());
  const ConstMatrixView<T> outputs = objective.outputs();
  if (is_classifier(network_->spec())) {
    const AccuracyRule rule = batch.targets.columns > 1 ? AccuracyRule::argmax : AccuracyRule::threshold;
    return accuracy<T>(rule, outputs, batch.targets) < 0.995;
  }
  double left = 0;
  double whole = 0;
  for (std::size_t k = 0; k < batch.targets.columns; ++k) {
    double mean = 0;
    for (std::size_t r = 0; r < batch.targets.rows; ++r) mean += static_cast<double>(batch.targets(r, k));
    mean /= static_cast<double>(batch.targets.rows);
    for (std::size_t r = 0; r < batch.targets.rows; ++r) {
      const double y = static_cast<double>(batch.targets(r, k));
      const double error = y - static_cast<double>(outputs(r, k));
      left += error * error;
      whole += (y - mean) * (y - mean);
    }
  }
  return left > whole / 2;
}

template class Solver<float>;
template class Solver<double>;

}  // namespace mlpd::core
