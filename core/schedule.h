#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mlpd::core {

/// How the learning rate changes with the global step s (from 0, kept across train calls); rate r₀ is the
/// optimizer's. constant r₀ · step r₀·factor^⌊s/every⌋ · exponential r₀·factor^s · inverse_time
/// r₀/(1+decay·s) · cosine minimum+(r₀−minimum)·(1+cos(π·min(s,steps)/steps))/2 · one_cycle (PyTorch's
/// OneCycleLR, cosine, pct_start 0.3, div 25, final_div 1e4, no momentum cycling) up to `maximum` · warmup
/// linear from 0 over `steps`, then `then` with s counted from there · plateau ×factor when the record's
/// validation (else training) loss has not improved for `patience` records.
enum class Schedule { constant, step, exponential, inverse_time, cosine, one_cycle, warmup, plateau };

struct ScheduleOptions {
  Schedule kind = Schedule::constant;
  std::uint64_t every = 1;            ///< step: ≥ 1
  double factor = 1;                  ///< step, exponential, plateau: (0, 1]
  double decay = 0;                   ///< inverse_time: ≥ 0
  std::uint64_t steps = 1;            ///< cosine, one_cycle, warmup: ≥ 1
  double minimum = 0;                 ///< cosine: ≥ 0
  double maximum = 0;                 ///< one_cycle: > 0
  std::uint64_t patience = 10;        ///< plateau: ≥ 1, in records
  std::vector<ScheduleOptions> then;  ///< warmup: exactly one; otherwise empty
  bool operator==(const ScheduleOptions&) const = default;
};

/// One row: the wire name and the wire names of the fields that this schedule takes.
struct ScheduleRow {
  Schedule value;
  std::string_view name;
  std::span<const std::string_view> fields;
};

std::span<const ScheduleRow> schedules();

/// The rate of step s; pure. `base` is the optimizer's learning_rate. A plateau's factor is state and is
/// applied by the learner, so this returns `base` for it.
double scheduled_rate(const ScheduleOptions& schedule, double base, std::uint64_t s);

/// The options of the plateau in this schedule (itself, or behind a warmup); null where there is none.
const ScheduleOptions* plateau_of(const ScheduleOptions& schedule);

}  // namespace mlpd::core
