#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/learner.h"

namespace mlpd::core {

inline constexpr std::uint64_t kRateTestStepsMin = 10;
inline constexpr std::uint64_t kRateTestStepsMax = 1'000;
/// Steps × rows of a batch × parameters of one test: some seconds of one core.
inline constexpr std::uint64_t kRateTestOperationsMax = 10'000'000'000;

struct RateTestOptions {
  double from = 1e-5;  ///< > 0: rate of the first step
  double to = 10;      ///< > from: rate of the last one
  std::uint64_t steps = 100;
  BatchPlan batches;
};

/// Loss against learning rate (L. N. Smith, "Cyclical learning rates", 2017, section 3.3).
struct RateTest {
  std::vector<double> rates;
  std::vector<double> losses;  ///< of the batch of each step, before its update; equal length
  bool burst = false;          ///< ended early: the loss was four times its best, or not finite
  double suggestion = 0;       ///< a tenth of the rate that the smallest smoothed loss was reached with
};

/// Trains `learner`, which is spent by it, on `data` with exponentially rising rates under a constant
/// schedule. invalid_argument for options out of range, data that doesn't fit, past the limits, and for
/// solvers, which choose their own steps.
Result<RateTest> test_learning_rates(Learner& learner, std::shared_ptr<const Dataset> data,
                                     const RateTestOptions& options);

}  // namespace mlpd::core
