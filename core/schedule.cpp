#include "core/schedule.h"

#include <algorithm>

#include "core/elementary.h"

namespace mlpd::core {

std::span<const ScheduleRow> schedules() {
  static constexpr std::string_view kStep[] = {"every", "factor"};
  static constexpr std::string_view kExponential[] = {"factor"};
  static constexpr std::string_view kInverseTime[] = {"decay"};
  static constexpr std::string_view kCosine[] = {"steps", "minimum"};
  static constexpr std::string_view kOneCycle[] = {"steps", "maximum"};
  static constexpr std::string_view kWarmup[] = {"steps", "then"};
  static constexpr std::string_view kPlateau[] = {"factor", "patience"};
  static constexpr ScheduleRow kRows[] = {
      {Schedule::constant, "constant", {}},
      {Schedule::step, "step", kStep},
      {Schedule::exponential, "exponential", kExponential},
      {Schedule::inverse_time, "inverse_time", kInverseTime},
      {Schedule::cosine, "cosine", kCosine},
      {Schedule::one_cycle, "one_cycle", kOneCycle},
      {Schedule::warmup, "warmup", kWarmup},
      {Schedule::plateau, "plateau", kPlateau},
  };
  return kRows;
}

namespace {

/// From `start` at x = 0 to `end` at x = 1 along half a cosine.
double anneal(double start, double end, double x) {
  return end + (start - end) / 2 * (elementary::cos_pi(x) + 1);
}

/// PyTorch's OneCycleLR: up to the maximum over 30 % of the steps, then down to 1/250,000 of it.
double one_cycle_rate(const ScheduleOptions& schedule, double s) {
  const double initial = schedule.maximum / 25;
  const double peak = 0.3 * static_cast<double>(schedule.steps) - 1;
  const double end = static_cast<double>(schedule.steps) - 1;
  if (s <= peak) return anneal(initial, schedule.maximum, s / peak);
  return anneal(schedule.maximum, initial / 1e4, std::min(1.0, (s - peak) / (end - peak)));
}

}  // namespace

double scheduled_rate(const ScheduleOptions& schedule, double base, std::uint64_t s) {
  const double x = static_cast<double>(s);
  const double steps = static_cast<double>(schedule.steps);
  switch (schedule.kind) {
    case Schedule::constant:
      return base;
    case Schedule::step:
      return base * elementary::pow_int(schedule.factor, s / schedule.every);
    case Schedule::exponential:
      return base * elementary::pow_int(schedule.factor, s);
    case Schedule::inverse_time:
      return base / (1 + schedule.decay * x);
    case Schedule::cosine:
      return anneal(base, schedule.minimum, std::min(x, steps) / steps);
    case Schedule::one_cycle:
      return one_cycle_rate(schedule, x);
    case Schedule::warmup:
      if (s < schedule.steps) return base * (x / steps);
      return scheduled_rate(schedule.then.front(), base, s - schedule.steps);
    case Schedule::plateau:
      return base;
  }
  return base;
}

const ScheduleOptions* plateau_of(const ScheduleOptions& schedule) {
  if (schedule.kind == Schedule::plateau) return &schedule;
  if (schedule.kind == Schedule::warmup && !schedule.then.empty()) return plateau_of(schedule.then.front());
  return nullptr;
}

}  // namespace mlpd::core
