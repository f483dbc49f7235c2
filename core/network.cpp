#include "core/network.h"

#include <algorithm>
#include <span>
#include <utility>

namespace mlpd::core {

namespace {

void drop_start_numbers(std::vector<LayerSpec>& layers) {
  for (LayerSpec& layer : layers) {
    layer.start_weights = {};
    layer.start_bias = {};
    drop_start_numbers(layer.layers);
  }
}

void collect_batch_norms(const std::vector<Brick>& bricks, std::vector<const Brick*>& found) {
  for (const Brick& brick : bricks) {
    if (brick.spec->kind == LayerKind::batch_norm) found.push_back(&brick);
    collect_batch_norms(brick.layers, found);
  }
}

template <class T>
void start_from(const std::vector<double>& numbers, T* out) {
  std::transform(numbers.begin(), numbers.end(), out, [](double x) { return static_cast<T>(x); });
}

template <class T>
void initialize_brick(const Brick& brick, const LayerSpec& spec, std::uint64_t seed, T* parameters) {
  if (spec.kind == LayerKind::residual) {
    for (std::size_t i = 0; i < brick.layers.size(); ++i)
      initialize_brick(brick.layers[i], spec.layers[i], seed, parameters);
    return;
  }
  std::fill_n(parameters + brick.bias, brick.bias_count, T{0});
  if (spec.kind != LayerKind::dense) {
    std::fill_n(parameters + brick.weights, brick.weight_count, T{1});
    return;
  }
  if (!spec.start_bias.empty()) start_from(spec.start_bias, parameters + brick.bias);
  if (!spec.start_weights.empty()) {
    start_from(spec.start_weights, parameters + brick.weights);
    return;
  }
  const InitializerOptions options = spec.initializer.value_or(InitializerOptions{
      is_relu_family(spec.activation) ? Initializer::he_uniform : Initializer::xavier_uniform, 0});
  initialize(options, std::span<T>(parameters + brick.weights, brick.weight_count), brick.inputs,
             brick.outputs, seed, brick.ordinal);
}

}  // namespace

Network::Network(const NetworkSpec& spec) : spec_(spec) {
  drop_start_numbers(spec_.layers);
  bricks_.resize(spec_.layers.size());
  std::size_t width = spec_.inputs;
  for (std::size_t i = 0; i < bricks_.size(); ++i) {
    place(bricks_[i], spec_.layers[i], width, std::to_string(i));
    width = bricks_[i].outputs;
  }
  collect_batch_norms(bricks_, batch_norms_);
  if (dense_only_ && parameter_count_ <= kInterleavedParameters) row_sum_ = RowSum::interleaved;
}

void Network::place(Brick& brick, const LayerSpec& spec, std::size_t inputs, std::string path) {
  brick.spec = &spec;
  brick.inputs = inputs;
  brick.outputs = spec.kind == LayerKind::dense ? spec.units : inputs;
  brick.ordinal = ordinals_++;
  brick.path = std::move(path);
  if (spec.kind != LayerKind::dense) dense_only_ = false;
  const bool norm = spec.kind == LayerKind::layer_norm || spec.kind == LayerKind::batch_norm;
  if (spec.kind == LayerKind::dense || norm) {
    brick.weights = parameter_count_;
    brick.weight_count = norm ? inputs : inputs * brick.outputs;
    parameter_count_ += brick.weight_count;
    brick.bias = parameter_count_;
    brick.bias_count = norm || spec.bias ? brick.outputs : 0;
    parameter_count_ += brick.bias_count;
    if (!norm) penalized_.push_back({brick.weights, brick.weight_count});
  }
  if (spec.kind == LayerKind::batch_norm) {
    brick.running = running_count_;
    running_count_ += 2 * inputs;
  }
  brick.layers.resize(spec.layers.size());
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    place(brick.layers[i], spec.layers[i], inputs, brick.path + "." + std::to_string(i));
    inputs = brick.layers[i].outputs;
  }
}

template <class T>
void initialize_parameters(const Network& network, const NetworkSpec& spec, T* parameters) {
  for (std::size_t i = 0; i < network.bricks().size(); ++i)
    initialize_brick(network.bricks()[i], spec.layers[i], spec.seed, parameters);
}

template <class T>
void initialize_running(const Network& network, T* running) {
  for (const Brick* brick : network.batch_norms()) {
    std::fill_n(running + brick->running, brick->outputs, T{0});
    std::fill_n(running + brick->running + brick->outputs, brick->outputs, T{1});
  }
}

template void initialize_parameters<float>(const Network&, const NetworkSpec&, float*);
template void initialize_parameters<double>(const Network&, const NetworkSpec&, double*);
template void initialize_running<float>(const Network&, float*);
template void initialize_running<double>(const Network&, double*);

}  // namespace mlpd::core
