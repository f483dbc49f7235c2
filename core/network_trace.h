#pragma once

#include "core/dataset.h"
#include "core/executor.h"
#include "core/network.h"
#include "core/result.h"
#include "core/trace.h"
#include "core/training_state.h"

namespace mlpd::core {

/// One training step on all rows of `data` from a copy of `state`, shown in full: the objective's gradient
/// and apply_update(), as in training. The shapes must fit. `invalid_argument` past the limits, and for
/// batch_norm with one row.
template <class T>
Result<Trace> make_trace(const Network& network, const NetworkSpec& spec, const TrainingState<T>& state,
                         const Dataset& data, const TraceLimits& limits, Executor& executor);

}  // namespace mlpd::core
