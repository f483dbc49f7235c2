#include "core/optimizer_state.h"

#include <cmath>

#include "core/elementary.h"
#include "core/update_kernels.h"

namespace mlpd::core {

OptimizerArrayNames optimizer_array_names(const OptimizerOptions& options) {
  switch (options.kind) {
    case Optimizer::sgd:
      return {options.momentum > 0 ? "sgd.velocity" : "", "", ""};
    case Optimizer::rmsprop:
      return {"rmsprop.square", "", ""};
    case Optimizer::adagrad:
      return {"adagrad.square", "", ""};
    case Optimizer::adam:
      return {"adam.m", "adam.v", "adam.t"};
    case Optimizer::adamw:
      return {"adamw.m", "adamw.v", "adamw.t"};
    case Optimizer::lbfgs:
    case Optimizer::levenberg_marquardt:
    case Optimizer::automatic:
      break;
  }
  return {};
}

template <class T>
void fit_optimizer_state(OptimizerState<T>& state, const OptimizerOptions& options, std::size_t count) {
  const OptimizerArrayNames names = optimizer_array_names(options);
  state.first.resize(names.first.empty() ? 0 : count);
  state.second.resize(names.second.empty() ? 0 : count);
}

namespace {

template <class T>
AdamStep<T> adam_step(const OptimizerOptions& options, double rate, std::uint64_t t) {
  AdamStep<T> step;
  step.beta1 = static_cast<T>(options.beta1);
  step.one_minus_beta1 = static_cast<T>(1 - options.beta1);
  step.beta2 = static_cast<T>(options.beta2);
  step.one_minus_beta2 = static_cast<T>(1 - options.beta2);
  step.rate = static_cast<T>(rate / (1 - elementary::pow_int(options.beta1, t)));
  step.inverse_root = static_cast<T>(1 / std::sqrt(1 - elementary::pow_int(options.beta2, t)));
  step.epsilon = static_cast<T>(options.epsilon);
  if (options.kind == Optimizer::adamw) step.keep = static_cast<T>(1 - rate * options.weight_decay);
  return step;
}

/// Parameters that are worth a second thread, if it is awake: those that shared the products are.
constexpr std::size_t kParallelParameters = 1 << 15;

}  // namespace

template <class T>
void update_parameters(OptimizerState<T>& state, const OptimizerOptions& options, double rate, T* w,
                       const T* g, std::size_t count, Executor& executor) {
  const T narrow_rate = static_cast<T>(rate);
  const T epsilon = static_cast<T>(options.epsilon);
  T* const first = state.first.data();
  T* const second = state.second.data();
  const auto in_parts = [&](const auto& rule) {
    for_each_part(executor, executor.awake(), count, kParallelParameters, rule);
  };
  switch (options.kind) {
    case Optimizer::sgd:
      if (options.momentum > 0)
        return in_parts([&](std::size_t at, std::size_t n) {
          momentum_update<T>(w + at, first + at, g + at, n, narrow_rate, static_cast<T>(options.momentum),
                             options.nesterov);
        });
      return in_parts([&](std::size_t at, std::size_t n) { sgd_update<T>(w + at, g + at, n, narrow_rate); });
    case Optimizer::rmsprop:
      return in_parts([&](std::size_t at, std::size_t n) {
        rmsprop_update<T>(w + at, first + at, g + at, n, narrow_rate, static_cast<T>(options.decay), epsilon);
      });
    case Optimizer::adagrad:
      return in_parts([&](std::size_t at, std::size_t n) {
        adagrad_update<T>(w + at, first + at, g + at, n, narrow_rate, epsilon);
      });
    case Optimizer::adam:
    case Optimizer::adamw: {
      const AdamStep<T> step = adam_step<T>(options, rate, ++state.t);
      return in_parts([&](std::size_t at, std::size_t n) {
        adam_update<T>(w + at, first + at, second + at, g + at, n, step);
      });
    }
    case Optimizer::lbfgs:
    case Optimizer::levenberg_marquardt:
    case Optimizer::automatic:
      return;  // full-batch solvers: core/solver.h
  }
}

#define MLPD_INSTANTIATE(T)                                                                             \
  template void fit_optimizer_state<T>(OptimizerState<T>&, const OptimizerOptions&, std::size_t);       \
  template void update_parameters<T>(OptimizerState<T>&, const OptimizerOptions&, double, T*, const T*, \
                                     std::size_t, Executor&);
MLPD_INSTANTIATE(float)
MLPD_INSTANTIATE(double)
#undef MLPD_INSTANTIATE

}  // namespace mlpd::core
