#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/executor.h"
#include "core/matrix.h"
#include "core/optimizer.h"

namespace mlpd::core {

/// What an update rule remembers between steps; which arrays it has depends on the rule.
template <class T>
struct OptimizerState {
  std::uint64_t t = 0;      ///< adam, adamw: updates since the state began
  AlignedBuffer<T> first;   ///< adam, adamw: m; sgd with momentum: velocity; rmsprop, adagrad: square
  AlignedBuffer<T> second;  ///< adam, adamw: v
};

/// Wire names of `first` and `second` ("adam.m"); empty where the rule has none.
struct OptimizerArrayNames {
  std::string_view first;
  std::string_view second;
  std::string_view t;
};
OptimizerArrayNames optimizer_array_names(const OptimizerOptions& options);

/// Gives the state the arrays that the rule needs, zero where they are new.
template <class T>
void fit_optimizer_state(OptimizerState<T>& state, const OptimizerOptions& options, std::size_t count);

/// One update w ← w − … of `count` parameters with gradient g at `rate` (PyTorch's formulas; sgd, rmsprop,
/// adagrad, adam, adamw). Many are cut into parts for the executor.
template <class T>
void update_parameters(OptimizerState<T>& state, const OptimizerOptions& options, double rate, T* w,
                       const T* g, std::size_t count, Executor& executor);

}  // namespace mlpd::core
