#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint.h"
#include "core/dataset.h"
#include "core/executor.h"
#include "core/history.h"
#include "core/result.h"

namespace mlpd::core {

/// Rows that an examination looks at (of more, evenly spaced ones), and what bounds rows × parameters of
/// large networks, which are examined on fewer rows, but at least on kExaminedRowsMin.
inline constexpr std::size_t kExaminedRowsMax = 512;
inline constexpr std::size_t kExaminedRowsMin = 32;
inline constexpr std::size_t kExaminedNumbersMax = 20'000'000;
/// Parameters past which curvature isn't measured.
inline constexpr std::size_t kCurvatureParametersMax = 1'000'000;

/// How ill a network's gradients are; the worst one that applies is the verdict.
enum class Verdict {
  healthy,
  warning,      ///< plain gradient descent is past its limit of stability: a burst is near
  exploding,    ///< the loss has burst
  vanishing,    ///< the first layers get hardly any gradient
  saturated,    ///< units stand where their activation is flat
  dead,         ///< relu units that are 0 for every row
  diverged,     ///< the numbers stopped being finite; the last finite state is kept
  plateaued,    ///< the loss hardly falls any more and is still bad
  overfitting,  ///< the validation loss rises while the training loss falls
};
std::string_view name_of(Verdict verdict);

/// One dense brick. Numbers are kAbsent where they mean nothing.
struct LayerHealth {
  std::size_t index = 0;  ///< of the outermost brick, in the spec's layers
  std::string path;       ///< "1", or "3.0" inside the residual brick 3
  Verdict verdict = Verdict::healthy;
  double gradient_norm = kAbsent;  ///< over weights and bias, penalty included, unclipped
  double update_ratio = kAbsent;   ///< ‖next update‖ / ‖parameters‖; absent for solvers
  double weight_norm = kAbsent;    ///< over weights and bias
  double saturated = kAbsent;      ///< share of units; sigmoid and tanh: slope below a hundredth of its
                                   ///< largest for nine of ten rows
  double dead = kAbsent;           ///< share of units; relu: 0 for every row
  double rate_times_curvature = kAbsent;  ///< of this layer's parameters alone; sgd only
  double signal = kAbsent;                ///< root mean square of dloss/dz over rows and units: what is left
                                          ///< of the gradient on its way back, also where rows cancel out
};

/// A network at one step, measured.
struct Examination {
  std::uint64_t step = 0;
  double loss = kAbsent;           ///< with the penalty
  double data_loss = kAbsent;      ///< without
  double constant_loss = kAbsent;  ///< data loss of always answering the mean of the targets
  double gradient_norm = kAbsent;
  double learning_rate = kAbsent;    ///< of the next update
  double stability_limit = kAbsent;  ///< of rate_times_curvature: 2·(1 + momentum), by nesterov divided by
                                     ///< 1 + 2·momentum; sgd only
  std::vector<LayerHealth> layers;
};

/// Measures everything in float64 on rows of `data`, which must fit. Deterministic; changes nothing.
/// Curvature per layer is a lower bound of the whole network's, so that past the limit means unstable.
/// Adaptive rules and solvers scale their steps themselves, so it isn't measured for them.
Result<Examination> examine(const Checkpoint& state, const Dataset& data, Executor& executor);

/// Whether a layer's rate × curvature is past the limit of stability.
bool is_unstable(const Examination& examination);

/// Whether its next step is as large as the layer itself, past the limit of stability, or not finite at all:
/// what every layer does that a burst has reached.
bool overshoots(const LayerHealth& layer, double stability_limit);

/// A number that speaks for a verdict.
struct Evidence {
  std::string name;
  double value;
};

struct Diagnosis {
  Verdict verdict = Verdict::healthy;
  std::optional<std::uint64_t> since_step;  ///< where the history shows it; otherwise the caller looks back
  std::optional<std::size_t> layer;         ///< position in `layers` where the trouble sits
  std::vector<Evidence> evidence;           ///< finite numbers alone
  std::vector<LayerHealth> layers;          ///< with verdicts
};

/// What the history says up to a step, oldest first; equal lengths, kAbsent where not measured.
struct LossCurve {
  std::vector<double> step;
  std::vector<double> loss;
  std::vector<double> validation_loss;
};

/// The verdict over an examination and the curve up to its step. `diverged`: the engine stopped here because
/// the next update would not have been finite.
Diagnosis diagnose(const Examination& examination, const LossCurve& curve, bool diverged);

}  // namespace mlpd::core
