#include <algorithm>
#include <cmath>

#include "core/curvature.h"
#include "core/diagnosis.h"
#include "core/loss.h"
#include "core/network_learner.h"
#include "core/objective.h"
#include "core/solver.h"
#include "core/training_state.h"
#include "core/update_kernels.h"

namespace mlpd::core {

namespace {

/// A unit is saturated where its slope is below this share of the activation's largest …
constexpr double kFlatSlope = 0.01;
/// … for this share of the rows.
constexpr double kFlatRows = 0.9;

std::vector<double> widened(const NumberArray& numbers) {
  return std::visit([](const auto& values) { return std::vector<double>(values.begin(), values.end()); },
                    numbers);
}

Checkpoint widened(Checkpoint state) {
  state.spec.dtype = Dtype::float64;
  state.parameters = widened(state.parameters);
  for (NamedArray& array : state.arrays) array.values = widened(array.values);
  return state;
}

Dataset thinned(const Dataset& data, std::size_t parameters) {
  const std::size_t affordable = kExaminedNumbersMax / std::max<std::size_t>(parameters, 1);
  const std::size_t most = std::clamp(affordable, kExaminedRowsMin, kExaminedRowsMax);
  if (data.rows <= most) return data;
  std::vector<std::size_t> rows(most);
  for (std::size_t i = 0; i < most; ++i) rows[i] = i * data.rows / most;
  return select(data, rows);
}

double constant_loss(const LossOptions& loss, const Dataset& data) {
  Matrix<double> targets(data.rows, data.output_count);
  std::copy(data.targets.begin(), data.targets.end(), targets.data());
  Matrix<double> answer(data.rows, data.output_count);
  for (std::size_t j = 0; j < data.output_count; ++j) {
    double mean = 0;
    for (std::size_t r = 0; r < data.rows; ++r) mean += targets(r, j) / static_cast<double>(data.rows);
    for (std::size_t r = 0; r < data.rows; ++r) answer(r, j) = mean;
  }
  std::vector<double> row_losses(data.rows);
  return loss_forward<double>(loss, Activation::linear, std::as_const(answer).view(),
                              std::as_const(answer).view(), std::as_const(targets).view(), nullptr,
                              RowSum::sequential, row_losses.data());
}

/// Share of the columns of h for which `counts` holds in at least `share` of the rows.
template <class Counts>
double unit_share(const Matrix<double>& h, double share, Counts counts) {
  std::size_t units = 0;
  for (std::size_t c = 0; c < h.columns(); ++c) {
    std::size_t rows = 0;
    for (std::size_t r = 0; r < h.rows(); ++r) rows += counts(h(r, c)) ? 1 : 0;
    units += static_cast<double>(rows) >= share * static_cast<double>(h.rows()) ? 1 : 0;
  }
  return static_cast<double>(units) / static_cast<double>(h.columns());
}

void examine_units(LayerHealth& layer, Activation activation, const Matrix<double>& h) {
  if (activation == Activation::sigmoid)
    layer.saturated = unit_share(h, kFlatRows, [](double y) { return 4 * y * (1 - y) < kFlatSlope; });
  if (activation == Activation::tanh)
    layer.saturated = unit_share(h, kFlatRows, [](double y) { return 1 - y * y < kFlatSlope; });
  if (activation == Activation::relu) layer.dead = unit_share(h, 1, [](double y) { return y == 0; });
}

double norm_of(const double* values, std::size_t count) {
  return std::sqrt(sum_of_squares<double>(values, count));
}

/// One examination's numbers, shared by all bricks.
struct Probe {
  const Network& network;
  const HyperParameters& settings;
  const Batch<double>& batch;
  TrainingState<double>& state;
  const TrainingState<double>* next;  // null for solvers
  const AlignedBuffer<double>& gradient;
  Objective<double>* curved;  // null where curvature isn't measured
  double rate;
};

// A dense brick's bias follows its weights, so both are one range.
Range range_of(const Brick& brick) { return {brick.weights, brick.weight_count + brick.bias_count}; }

LayerHealth examine_brick(const Brick& brick, std::size_t index, const BrickMemory<double>& memory,
                          const Probe& probe) {
  const Range range = range_of(brick);
  LayerHealth layer;
  layer.index = index;
  layer.path = brick.path;
  layer.gradient_norm = norm_of(probe.gradient.data() + range.offset, range.count);
  layer.weight_norm = norm_of(probe.state.parameters.data() + range.offset, range.count);
  if (probe.next != nullptr && layer.weight_norm > 0) {
    double squares = 0;
    for (std::size_t i = range.offset; i < range.offset + range.count; ++i) {
      const double change = probe.next->parameters[i] - probe.state.parameters[i];
      squares += change * change;
    }
    layer.update_ratio = std::sqrt(squares) / layer.weight_norm;
  }
  const Matrix<double>& dz = memory.gradient;
  layer.signal = norm_of(dz.data(), dz.size()) / std::sqrt(static_cast<double>(dz.size()));
  examine_units(layer, brick.spec->activation, memory.h);
  if (probe.curved != nullptr)
    layer.rate_times_curvature = probe.rate * largest_curvature(*probe.curved, probe.batch, probe.state.step,
                                                                probe.state.parameters, range);
  return layer;
}

void examine_stack(const std::vector<Brick>& bricks, std::optional<std::size_t> outermost,
                   const std::vector<BrickMemory<double>>& memory, const Probe& probe,
                   std::vector<LayerHealth>& layers) {
  for (std::size_t i = 0; i < bricks.size(); ++i) {
    const std::size_t index = outermost.value_or(i);
    if (bricks[i].spec->kind == LayerKind::dense)
      layers.push_back(examine_brick(bricks[i], index, memory[i], probe));
    examine_stack(bricks[i].layers, index, memory[i].layers, probe, layers);
  }
}

double stability_limit(const OptimizerOptions& rule) {
  const double limit = 2 * (1 + rule.momentum);
  return rule.nesterov ? limit / (1 + 2 * rule.momentum) : limit;
}

}  // namespace

Result<Examination> examine(const Checkpoint& at, const Dataset& all_rows, Executor& executor) {
  const Checkpoint wide = widened(at);
  const Network network(wide.spec);
  if (Result<void> fits = check_shapes(network, all_rows); !fits) return fits.error();
  Result<TrainingState<double>> restored = from_checkpoint<double>(wide, network);
  if (!restored) return restored.error();
  TrainingState<double>& state = *restored;
  const Dataset data = thinned(all_rows, network.parameter_count());
  if (data.rows < 2 && !network.batch_norms().empty())
    return Error{ErrorCode::failed_precondition, "batch_norm can't be examined on one row.", {}};
  const Batches<double> batches(data, {}, wide.spec.loss, wide.spec.seed);
  const Batch<double> batch = batches.all();

  // The penalty is per row of the training's batches; the examined rows are a batch of another size.
  HyperParameters settings = wide.spec.hyper_parameters;
  const std::uint64_t cut = wide.cursor.batch_size;
  const std::size_t trained = cut == 0 || cut > all_rows.rows ? all_rows.rows : cut;
  const double scale = static_cast<double>(data.rows) / static_cast<double>(trained);
  settings.regularization.l1 *= scale;
  settings.regularization.l2 *= scale;

  Objective<double> objective(network, executor);
  objective.set_regularization(settings.regularization);
  objective.keep_dloss_dh(true);  // the pass that keeps every brick's h
  AlignedBuffer<double> gradient(network.parameter_count());
  const LossParts loss =
      objective.value_and_gradient(batch, state.parameters.data(), state.step, gradient.data());

  Examination found;
  found.step = state.step;
  found.loss = loss.loss();
  found.data_loss = loss.data_loss;
  found.constant_loss = constant_loss(wide.spec.loss, data);
  found.gradient_norm = norm_of(gradient.data(), gradient.size());
  found.learning_rate = next_rate(state, settings);
  const OptimizerOptions rule = rule_in_force(state, settings.optimizer);
  TrainingState<double> next;
  if (!is_solver(rule.kind)) {
    next.assign(state);
    AlignedBuffer<double> clipped = gradient;
    apply_update(next, settings, 0, found.learning_rate, clipped.data(), executor);
  }
  Objective<double> curved(network, executor);
  curved.set_regularization({0, settings.regularization.l2});
  const bool plain = rule.kind == Optimizer::sgd && network.parameter_count() <= kCurvatureParametersMax;
  if (plain) found.stability_limit = stability_limit(rule);
  const Probe probe{network,
                    settings,
                    batch,
                    state,
                    is_solver(rule.kind) ? nullptr : &next,
                    gradient,
                    plain ? &curved : nullptr,
                    found.learning_rate};
  examine_stack(network.bricks(), std::nullopt, objective.workspace().bricks, probe, found.layers);
  return found;
}

}  // namespace mlpd::core
