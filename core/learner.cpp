#include "core/learner.h"

#include <limits>
#include <string>
#include <utility>

#include "core/network_learner.h"
#include "core/optimizer_state.h"

namespace mlpd::core {

namespace {

template <class T>
Result<std::unique_ptr<Learner>> start(const NetworkSpec& spec, std::shared_ptr<const Preprocess> preprocess,
                                       Executor& executor) {
  auto network = std::make_shared<const Network>(spec);
  if (Result<void> fits = check_solver(*network, spec.hyper_parameters.optimizer.kind); !fits)
    return fits.error();
  TrainingState<T> state;
  state.parameters.resize(network->parameter_count());
  initialize_parameters<T>(*network, spec, state.parameters.data());
  state.running.resize(network->running_count());
  initialize_running<T>(*network, state.running.data());
  fit_optimizer_state(state.optimizer, spec.hyper_parameters.optimizer, network->parameter_count());
  if (spec.ema > 0) state.average = state.parameters;
  return std::unique_ptr<Learner>(std::make_unique<NetworkLearner<T>>(
      spec, std::move(network), std::move(preprocess), std::move(state), executor));
}

template <class T>
Result<std::unique_ptr<Learner>> resume(Checkpoint checkpoint, Executor& executor) {
  auto network = std::make_shared<const Network>(checkpoint.spec);
  if (Result<void> fits = check_solver(*network, checkpoint.spec.hyper_parameters.optimizer.kind); !fits)
    return fits.error();
  Result<TrainingState<T>> state = from_checkpoint<T>(checkpoint, *network);
  if (!state) return state.error();
  return std::unique_ptr<Learner>(
      std::make_unique<NetworkLearner<T>>(std::move(checkpoint.spec), std::move(network),
                                          std::move(checkpoint.preprocess), std::move(*state), executor));
}

}  // namespace

Result<std::unique_ptr<Learner>> Learner::create(const NetworkSpec& spec,
                                                 std::shared_ptr<const Preprocess> preprocess,
                                                 Executor& executor) {
  return spec.dtype == Dtype::float32 ? start<float>(spec, std::move(preprocess), executor)
                                      : start<double>(spec, std::move(preprocess), executor);
}

Result<std::unique_ptr<Learner>> Learner::restore(Checkpoint checkpoint, Executor& executor) {
  NetworkLimits limits;
  limits.layers = limits.units = limits.parameters = std::numeric_limits<std::size_t>::max();
  if (Result<void> valid = validate(checkpoint.spec, limits); !valid)
    return Error{ErrorCode::corrupted, "The checkpoint's spec is invalid: " + valid.error().message,
                 valid.error().fields};
  // Before anything of that size is allocated.
  if (parameter_count(checkpoint.spec) != size_of(checkpoint.parameters))
    return Error{ErrorCode::corrupted, "The checkpoint has " +
                                           std::to_string(size_of(checkpoint.parameters)) +
                                           " parameters where its spec has " +
                                           std::to_string(parameter_count(checkpoint.spec)) + "."};
  return checkpoint.spec.dtype == Dtype::float32 ? resume<float>(std::move(checkpoint), executor)
                                                 : resume<double>(std::move(checkpoint), executor);
}

}  // namespace mlpd::core
