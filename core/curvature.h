#pragma once

#include <cstddef>
#include <cstdint>

#include "core/objective.h"

namespace mlpd::core {

/// Hessian–vector products of one power iteration: past them the estimate is taken as it is.
inline constexpr std::size_t kPowerIterationsMax = 40;

/// The largest eigenvalue of the Hessian of `objective` on `batch` with respect to the `range` of the
/// parameters alone (the rest standing still), by power iteration to a relative 1e-3: Hessian–vector products
/// are central differences of the gradient, the start vector is always the same. A second iteration, shifted,
/// follows where the eigenvalue of largest magnitude is negative. `parameters` (parameter_count numbers) are
/// moved and put back. The objective must have no l1 penalty, whose kinks have no curvature. NaN where a
/// gradient isn't finite.
double largest_curvature(Objective<double>& objective, const Batch<double>& batch, std::uint64_t step,
                         AlignedBuffer<double>& parameters, Range range);

}  // namespace mlpd::core
