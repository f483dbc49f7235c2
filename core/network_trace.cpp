#include "core/network_trace.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/formulas.h"
#include "core/named_table.h"
#include "core/objective.h"
#include "core/update_kernels.h"

namespace mlpd::core {

namespace {

std::uint64_t traced_numbers(const std::vector<Brick>& bricks, std::uint64_t rows) {
  std::uint64_t numbers = 0;
  for (const Brick& brick : bricks) {
    const std::uint64_t units = brick.outputs;
    const bool softmax =
        brick.spec->kind == LayerKind::dense && brick.spec->activation == Activation::softmax;
    numbers += rows * (brick.inputs + 4 * units + units * (softmax ? units : 1));
    numbers += 3 * static_cast<std::uint64_t>(brick.weight_count + brick.bias_count);
    numbers += traced_numbers(brick.layers, rows);
  }
  return numbers;
}

Result<void> check_limits(const Network& network, std::size_t rows, const TraceLimits& limits) {
  Error error{ErrorCode::invalid_argument, "The trace would be too large."};
  if (rows > limits.rows)
    error.fields.push_back({"#/data/inputs", "has " + std::to_string(rows) + " rows; a trace takes at most " +
                                                 std::to_string(limits.rows)});
  else if (const std::uint64_t numbers = traced_numbers(network.bricks(), rows); numbers > limits.numbers)
    error.fields.push_back({"#/data/inputs", "makes a trace of " + std::to_string(numbers) +
                                                 " numbers; at most " + std::to_string(limits.numbers) +
                                                 " are allowed: give fewer rows or trace a smaller network"});
  if (rows < 2 && !network.batch_norms().empty())
    error = {ErrorCode::invalid_argument,
             "batch_norm needs two rows or more.",
             {{"#/data/inputs", "has one row, whose variance means nothing; give two or more"}}};
  if (!error.fields.empty()) return error;
  return {};
}

template <class T>
TracedArray traced(const T* values, std::size_t rows, std::size_t columns) {
  if (rows * columns == 0) return {};
  TracedArray array;
  array.shape = {rows, columns};
  array.values.assign(values, values + rows * columns);
  return array;
}

template <class T>
TracedArray traced(const Matrix<T>& matrix) {
  return traced(matrix.data(), matrix.rows(), matrix.columns());
}

/// f′(z): the backward kernel on dh = 1; for softmax each row's Jacobian h_i·(δ_ij − h_j).
template <class T>
TracedArray activation_slope(Activation activation, const Matrix<T>& z, const Matrix<T>& h) {
  if (activation != Activation::softmax) {
    Matrix<T> slope(z.rows(), z.columns());
    std::fill_n(slope.data(), slope.size(), T{1});
    activate_backward<T>(activation, slope.view(), std::as_const(slope).view(), z.view(), h.view());
    return traced(slope);
  }
  TracedArray array;
  array.shape = {h.rows(), h.columns(), h.columns()};
  array.values.reserve(h.rows() * h.columns() * h.columns());
  for (std::size_t r = 0; r < h.rows(); ++r)
    for (std::size_t i = 0; i < h.columns(); ++i)
      for (std::size_t j = 0; j < h.columns(); ++j)
        array.values.push_back(static_cast<double>(h(r, i)) *
                               ((i == j ? 1.0 : 0.0) - static_cast<double>(h(r, j))));
  return array;
}

/// The numbers of one step that all bricks of a trace are read from.
template <class T>
struct Step {
  const NetworkSpec& spec;
  const T* parameters;
  const T* gradient;  // before clipping
  const T* next;
  bool fused;  // the last brick's dloss_dz comes straight from the loss
};

template <class T>
TracedLayer traced_layer(const Brick& brick, const Step<T>& step, ConstMatrixView<T> input,
                         const BrickMemory<T>& memory, bool last);

template <class T>
std::vector<TracedLayer> traced_stack(const std::vector<Brick>& bricks, const Step<T>& step,
                                      ConstMatrixView<T> input, const std::vector<BrickMemory<T>>& memory,
                                      bool outermost) {
  std::vector<TracedLayer> layers;
  for (std::size_t i = 0; i < bricks.size(); ++i) {
    layers.push_back(traced_layer(bricks[i], step, input, memory[i], outermost && i + 1 == bricks.size()));
    input = memory[i].h.view();
  }
  return layers;
}

template <class T>
TracedLayer traced_layer(const Brick& brick, const Step<T>& step, ConstMatrixView<T> input,
                         const BrickMemory<T>& memory, bool last) {
  const bool fused = last && step.fused;
  const LayerKind kind = brick.spec->kind;
  TracedLayer layer;
  layer.kind = kind;
  layer.input = traced(input.data, input.rows, input.columns);
  layer.h = traced(memory.h);
  if (brick.weight_count != 0) {
    const std::size_t rows = brick.weight_count / brick.outputs;
    layer.weights = traced(step.parameters + brick.weights, rows, brick.outputs);
    layer.dloss_dweights = traced(step.gradient + brick.weights, rows, brick.outputs);
    layer.weights_next = traced(step.next + brick.weights, rows, brick.outputs);
  }
  if (brick.bias_count != 0) {
    layer.bias = traced(step.parameters + brick.bias, 1, brick.outputs);
    layer.dloss_dbias = traced(step.gradient + brick.bias, 1, brick.outputs);
    layer.bias_next = traced(step.next + brick.bias, 1, brick.outputs);
  }
  if (kind == LayerKind::dense) {
    layer.activation = std::string(name_of(activations(), brick.spec->activation));
    layer.z = traced(memory.z);
    layer.dh_dz = activation_slope(brick.spec->activation, memory.z, memory.h);
    layer.dloss_dz = traced(memory.gradient);
    if (!fused) layer.dloss_dh = traced(memory.dloss_dh);
  } else {
    layer.dloss_dh = traced(memory.gradient);
    if (kind == LayerKind::dropout) layer.dh_dz = traced(memory.z);
    if (kind == LayerKind::layer_norm || kind == LayerKind::batch_norm) layer.z = traced(memory.z);
  }
  layer.formulas = layer_formulas(brick, step.spec, last, fused);
  if (kind == LayerKind::residual)
    layer.layers = traced_stack(brick.layers, step, input, memory.layers, false);
  return layer;
}

}  // namespace

template <class T>
Result<Trace> make_trace(const Network& network, const NetworkSpec& spec, const TrainingState<T>& state,
                         const Dataset& data, const TraceLimits& limits, Executor& executor) {
  if (Result<void> within = check_limits(network, data.rows, limits); !within) return within.error();
  const Batches<T> batches(data, {}, spec.loss, spec.seed);
  const Batch<T> batch = batches.all();
  const HyperParameters& hyper_parameters = spec.hyper_parameters;
  Objective<T> objective(network, executor);
  objective.set_regularization(hyper_parameters.regularization);
  objective.keep_dloss_dh(true);
  TrainingState<T> next;
  next.assign(state);
  AlignedBuffer<T> gradient(network.parameter_count());
  objective.gradient(batch, state.parameters.data(), next.running.data(), state.step, gradient.data());
  const LossParts loss = objective.loss(batch, state.parameters.data());
  const AlignedBuffer<T> unclipped = gradient;

  Trace trace;
  trace.step = state.step;
  trace.loss = loss.loss();
  trace.data_loss = loss.data_loss;
  trace.penalty = loss.penalty;
  trace.learning_rate = next_rate(state, hyper_parameters);
  trace.gradient_norm = std::sqrt(static_cast<double>(sum_of_squares<T>(gradient.data(), gradient.size())));
  apply_update(next, hyper_parameters, spec.ema, trace.learning_rate, gradient.data(), executor);
  const Step<T> step{spec, state.parameters.data(), unclipped.data(), next.parameters.data(),
                     is_fused(spec.loss.kind, network.last_activation())};
  trace.layers = traced_stack(network.bricks(), step, batch.inputs, objective.workspace().bricks, true);
  return trace;
}

template Result<Trace> make_trace<float>(const Network&, const NetworkSpec&, const TrainingState<float>&,
                                         const Dataset&, const TraceLimits&, Executor&);
template Result<Trace> make_trace<double>(const Network&, const NetworkSpec&, const TrainingState<double>&,
                                          const Dataset&, const TraceLimits&, Executor&);

}  // namespace mlpd::core
