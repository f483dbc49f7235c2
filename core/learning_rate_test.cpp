#include "core/learning_rate_test.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/elementary.h"
#include "core/solver.h"

namespace mlpd::core {

namespace {

constexpr double kBurst = 4;
/// Of the running mean of losses, so that one lucky batch doesn't decide.
constexpr double kSmoothing = 0.8;
/// A rate at the smallest loss is about to burst; a tenth of it trains.
constexpr double kSafety = 0.1;

Result<void> check(const Learner& learner, const Dataset& data, const RateTestOptions& options) {
  Error error{ErrorCode::invalid_argument, "The learning rates can't be tested like this.", {}};
  const auto fault = [&](const char* pointer, std::string detail) {
    error.fields.push_back({pointer, std::move(detail)});
  };
  if (!(options.from > 0) || !std::isfinite(options.from)) fault("#/from", "must be above 0");
  if (!(options.to > options.from) || !std::isfinite(options.to)) fault("#/to", "must be above `from`");
  if (options.steps < kRateTestStepsMin || options.steps > kRateTestStepsMax)
    fault("#/steps",
          "must be " + std::to_string(kRateTestStepsMin) + " to " + std::to_string(kRateTestStepsMax));
  if (is_solver(learner.spec().hyper_parameters.optimizer.kind))
    fault("", "this optimizer chooses its own steps; set another one first");
  const std::uint64_t asked = options.batches.batch_size;
  const std::uint64_t rows = asked == 0 ? data.rows : std::min<std::uint64_t>(asked, data.rows);
  const std::uint64_t work = std::max<std::uint64_t>(1, rows * parameter_count(learner.spec()));
  if (error.fields.empty() && options.steps > kRateTestOperationsMax / work)
    fault("#/batch_size", "steps times rows of a batch times parameters must be at most " +
                              std::to_string(kRateTestOperationsMax) + "; give a smaller batch_size");
  if (!error.fields.empty()) return error;
  return {};
}

double suggest(const RateTest& test) {
  double smoothed = 0, weight = 0, best = 0, best_rate = test.rates.front();
  for (std::size_t i = 0; i < test.losses.size(); ++i) {
    smoothed = kSmoothing * smoothed + (1 - kSmoothing) * test.losses[i];
    weight = kSmoothing * weight + (1 - kSmoothing);
    // The loss of step i was reached by the rate of the step before.
    if (i == 0 || smoothed / weight < best) {
      best = smoothed / weight;
      best_rate = test.rates[i == 0 ? 0 : i - 1];
    }
  }
  return kSafety * best_rate;
}

}  // namespace

Result<RateTest> test_learning_rates(Learner& learner, std::shared_ptr<const Dataset> data,
                                     const RateTestOptions& options) {
  if (Result<void> valid = check(learner, *data, options); !valid) return valid.error();
  if (Result<void> bound = learner.bind(std::move(data), options.batches); !bound) return bound.error();
  RateTest test;
  HyperParameters settings = learner.spec().hyper_parameters;
  settings.schedule = {};
  const double span = elementary::log(options.to / options.from);
  double best = 0;
  for (std::uint64_t i = 0; i < options.steps; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(options.steps - 1);
    settings.optimizer.learning_rate = options.from * elementary::exp(share * span);
    if (Result<void> set = learner.set_hyper_parameters(settings); !set) return set.error();
    double loss = kAbsent;
    const Advance done = learner.advance(1, 1, [&](const Record& record) { loss = record.loss; });
    if (std::isfinite(loss)) {
      best = test.losses.empty() ? loss : std::min(best, loss);
      test.rates.push_back(settings.optimizer.learning_rate);
      test.losses.push_back(loss);
    }
    test.burst = done.diverged || !std::isfinite(loss) || loss > kBurst * best;
    if (test.burst) break;
  }
  if (test.losses.empty())
    return Error{ErrorCode::failed_precondition, "The network's loss isn't finite on this data.", {}};
  test.suggestion = suggest(test);
  return test;
}

}  // namespace mlpd::core
