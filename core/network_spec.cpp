#include "core/network_spec.h"

#include <cmath>
#include <limits>
#include <set>
#include <utility>

namespace mlpd::core {

namespace {

constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();

/// a + b and a·b that stay at the largest number in place of wrapping round.
std::size_t add(std::size_t a, std::size_t b) { return a > kMax - b ? kMax : a + b; }
std::size_t multiply(std::size_t a, std::size_t b) { return a != 0 && b > kMax / a ? kMax : a * b; }

std::size_t output_width(const LayerSpec& layer, std::size_t inputs) {
  return layer.kind == LayerKind::dense ? layer.units : inputs;
}

std::size_t count_parameters(const std::vector<LayerSpec>& layers, std::size_t& width) {
  std::size_t count = 0;
  for (const LayerSpec& layer : layers) {
    if (layer.kind == LayerKind::dense)
      count = add(count, add(multiply(width, layer.units), layer.bias ? layer.units : 0));
    if (layer.kind == LayerKind::layer_norm || layer.kind == LayerKind::batch_norm)
      count = add(count, multiply(2, width));
    std::size_t inner = width;
    count = add(count, count_parameters(layer.layers, inner));
    width = output_width(layer, width);
  }
  return count;
}

std::size_t count_bricks(const std::vector<LayerSpec>& layers) {
  std::size_t count = layers.size();
  for (const LayerSpec& layer : layers) count = add(count, count_bricks(layer.layers));
  return count;
}

/// Walks a spec and keeps every fault.
class Inspection {
 public:
  Inspection(const NetworkSpec& spec, const NetworkLimits& limits) : spec_(spec), limits_(limits) {}

  Result<void> run() {
    check_inputs();
    if (spec_.layers.empty()) fault("#/layers", "must hold at least one layer");
    if (const std::size_t bricks = count_bricks(spec_.layers); bricks > limits_.layers)
      fault("#/layers", "has " + std::to_string(bricks) + " layers, nested ones included; at most " +
                            std::to_string(limits_.layers) + " are allowed");
    const std::size_t outputs = check_stack(spec_.layers, spec_.inputs, "#/layers", true);
    check_outputs(outputs);
    check_parameters();
    if (const Result<void> valid = validate(spec_.hyper_parameters); !valid)
      for (const FieldError& field : valid.error().fields) fault(field.pointer, field.detail);
    if (!(spec_.ema >= 0 && spec_.ema < 1))
      fault("#/ema", "must be 0 (off) or a decay in (0, 1), such as 0.999");
    if (faults_.empty()) return {};
    return Error{ErrorCode::invalid_argument, "The network's specification has faults.", std::move(faults_)};
  }

 private:
  void fault(std::string pointer, std::string detail) {
    faults_.push_back({std::move(pointer), std::move(detail)});
  }

  void check_inputs() {
    if (spec_.inputs < 1 || spec_.inputs > limits_.units)
      fault("#/inputs", "must be 1 … " + std::to_string(limits_.units) + " columns");
    std::set<std::string> names;
    for (std::size_t i = 0; i < spec_.input_names.size(); ++i) {
      const std::string& name = spec_.input_names[i];
      if (name.empty()) fault("#/inputs/" + std::to_string(i), "must not be an empty name");
      if (!names.insert(name).second)
        fault("#/inputs/" + std::to_string(i), "repeats the name \"" + name + "\"; column names must differ");
    }
  }

  /// Returns the stack's output width.
  std::size_t check_stack(const std::vector<LayerSpec>& layers, std::size_t width, const std::string& pointer,
                          bool outermost) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::string at = pointer + "/" + std::to_string(i);
      check_layer(layers[i], width, at, outermost && i + 1 == layers.size());
      width = output_width(layers[i], width);
    }
    if (outermost && !layers.empty() && layers.back().kind != LayerKind::dense)
      fault(pointer + "/" + std::to_string(layers.size() - 1) + "/type",
            "the last layer must be dense: it makes the outputs");
    return width;
  }

  void check_layer(const LayerSpec& layer, std::size_t width, const std::string& at, bool last) {
    switch (layer.kind) {
      case LayerKind::dense:
        return check_dense(layer, width, at, last);
      case LayerKind::dropout:
        if (!(layer.rate >= 0 && layer.rate < 1))
          fault(at + "/rate", "must be in [0, 1): the share that is dropped");
        return;
      case LayerKind::batch_norm:
        if (!(layer.momentum > 0 && layer.momentum <= 1)) fault(at + "/momentum", "must be in (0, 1]");
        [[fallthrough]];
      case LayerKind::layer_norm:
        if (!(layer.epsilon > 0 && std::isfinite(layer.epsilon)))
          fault(at + "/epsilon", "must be a number above 0");
        return;
      case LayerKind::residual:
        break;
    }
    if (layer.layers.empty()) return fault(at + "/layers", "must hold at least one layer");
    const std::size_t inner = check_stack(layer.layers, width, at + "/layers", false);
    if (inner != width)
      fault(at + "/layers", "ends with " + std::to_string(inner) + " outputs where " + std::to_string(width) +
                                " come in; a residual stack must end as wide as it begins");
  }

  void check_dense(const LayerSpec& layer, std::size_t width, const std::string& at, bool last) {
    if (layer.units < 1 || layer.units > limits_.units) {
      fault(at + "/units", "must be 1 … " + std::to_string(limits_.units));
      return;
    }
    if (layer.activation == Activation::softmax && !last)
      fault(at + "/activation", "softmax is for the last layer only; use tanh or relu here");
    if (layer.activation == Activation::softmax && last && layer.units < 2)
      fault(at + "/units", "softmax needs two units or more; use sigmoid for a single output");
    if (layer.initializer) check_initializer(*layer.initializer, at + "/initializer");
    check_numbers(layer.start_weights, multiply(width, layer.units), at + "/weights",
                  std::to_string(width) + " × " + std::to_string(layer.units));
    if (!layer.bias && !layer.start_bias.empty())
      fault(at + "/bias", "start numbers are given for a bias that the layer doesn't have");
    else
      check_numbers(layer.start_bias, layer.units, at + "/bias", std::to_string(layer.units));
  }

  void check_initializer(const InitializerOptions& options, const std::string& at) {
    for (const InitializerRow& row : initializers()) {
      if (row.value != options.kind || row.parameter_name.empty()) continue;
      if (!(options.parameter > 0 && std::isfinite(options.parameter)))
        fault(at + "/" + std::string(row.parameter_name), "must be a number above 0");
    }
  }

  void check_numbers(const std::vector<double>& numbers, std::size_t count, const std::string& at,
                     const std::string& shape) {
    if (numbers.empty()) return;
    if (numbers.size() != count)
      return fault(at, "has " + std::to_string(numbers.size()) + " numbers; the layer takes " + shape);
    // A float64 number can overflow the network's dtype.
    const double limit = spec_.dtype == Dtype::float32 ? std::numeric_limits<float>::max()
                                                       : std::numeric_limits<double>::max();
    for (double number : numbers)
      if (!(std::fabs(number) <= limit))
        return fault(at, "holds a number that is not finite in " + std::string(name_of(spec_.dtype)));
  }

  void check_outputs(std::size_t outputs) {
    if (spec_.layers.empty()) return;
    const double smoothing = spec_.loss.label_smoothing;
    if (!(smoothing >= 0 && smoothing < 1)) fault("#/loss/label_smoothing", "must be in [0, 1)");
    if (smoothing != 0 && spec_.loss.kind != Loss::cross_entropy)
      fault("#/loss/label_smoothing", "goes with the loss cross_entropy only");
    if (spec_.loss.kind == Loss::cross_entropy && outputs < 2)
      fault("#/loss", "cross_entropy needs two outputs or more; use binary_cross_entropy for a single one");
    const std::size_t labels = spec_.class_labels.size();
    if (labels != 0 && labels != outputs && !(labels == 2 && outputs == 1))
      fault("#/class_labels", "has " + std::to_string(labels) + " labels where the network has " +
                                  std::to_string(outputs) + " outputs");
  }

  void check_parameters() {
    const std::size_t count = parameter_count(spec_);
    if (count > limits_.parameters)
      fault("#/layers", "make " + (count == kMax ? "more than 10^19" : std::to_string(count)) +
                            " parameters; at most " + std::to_string(limits_.parameters) +
                            " are allowed: use fewer units or layers");
  }

  const NetworkSpec& spec_;
  const NetworkLimits& limits_;
  std::vector<FieldError> faults_;
};

}  // namespace

Result<void> validate(const NetworkSpec& spec, const NetworkLimits& limits) {
  return Inspection(spec, limits).run();
}

std::size_t parameter_count(const NetworkSpec& spec) {
  std::size_t width = spec.inputs;
  return count_parameters(spec.layers, width);
}

std::size_t output_count(const NetworkSpec& spec) {
  return spec.layers.empty() ? 0 : spec.layers.back().units;
}

bool is_classifier(const NetworkSpec& spec) {
  const Activation last = spec.layers.back().activation;
  return last == Activation::softmax || spec.loss.kind == Loss::cross_entropy ||
         (last == Activation::sigmoid && spec.loss.kind == Loss::binary_cross_entropy) ||
         !spec.class_labels.empty();
}

}  // namespace mlpd::core
