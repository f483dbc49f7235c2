#include "core/checkpoint.h"

namespace mlpd::core {

namespace {

std::uint64_t code(auto enumerator) { return static_cast<std::uint64_t>(enumerator); }

void add(Hasher& hasher, const std::vector<std::string>& texts) {
  hasher.add(std::uint64_t{texts.size()});
  for (const std::string& text : texts) hasher.add(std::string_view(text));
}

void add(Hasher& hasher, const std::vector<LayerSpec>& layers) {
  hasher.add(std::uint64_t{layers.size()});
  for (const LayerSpec& layer : layers) {
    hasher.add(code(layer.kind)).add(std::uint64_t{layer.units}).add(code(layer.activation)).add(layer.bias);
    hasher.add(layer.initializer.has_value());
    if (layer.initializer) hasher.add(code(layer.initializer->kind)).add(layer.initializer->parameter);
    hasher.add(layer.rate).add(layer.momentum).add(layer.epsilon);
    add(hasher, layer.layers);
  }
}

void add(Hasher& hasher, const ScheduleOptions& schedule) {
  hasher.add(code(schedule.kind)).add(schedule.every).add(schedule.factor).add(schedule.decay);
  hasher.add(schedule.steps).add(schedule.minimum).add(schedule.maximum).add(schedule.patience);
  hasher.add(std::uint64_t{schedule.then.size()});
  for (const ScheduleOptions& then : schedule.then) add(hasher, then);
}

void add(Hasher& hasher, const HyperParameters& hyper_parameters) {
  const OptimizerOptions& optimizer = hyper_parameters.optimizer;
  hasher.add(code(optimizer.kind))
      .add(optimizer.learning_rate)
      .add(optimizer.momentum)
      .add(optimizer.nesterov);
  hasher.add(optimizer.decay).add(optimizer.beta1).add(optimizer.beta2).add(optimizer.epsilon);
  hasher.add(optimizer.weight_decay);
  add(hasher, hyper_parameters.schedule);
  hasher.add(hyper_parameters.regularization.l1).add(hyper_parameters.regularization.l2);
  hasher.add(hyper_parameters.gradient_clip.norm).add(hyper_parameters.gradient_clip.value);
}

void add(Hasher& hasher, const NetworkSpec& spec) {
  hasher.add(std::uint64_t{spec.inputs});
  add(hasher, spec.input_names);
  add(hasher, spec.class_labels);
  add(hasher, spec.layers);
  hasher.add(code(spec.loss.kind)).add(spec.loss.label_smoothing);
  add(hasher, spec.hyper_parameters);
  hasher.add(spec.ema).add(spec.seed).add(code(spec.dtype));
}

void add(Hasher& hasher, const NumberArray& array) {
  hasher.add(code(dtype_of(array)));
  std::visit([&](const auto& values) { hasher.add(std::span(values)); }, array);
}

void add(Hasher& hasher, const Column& column) {
  hasher.add(std::string_view(column.name)).add(code(column.type)).add(code(column.scaling));
  hasher.add(code(column.missing)).add(code(column.unseen));
  hasher.add(column.offset).add(column.scale).add(column.fill).add(std::string_view(column.fill_category));
  add(hasher, column.categories);
}

}  // namespace

Digest state_digest(const Checkpoint& checkpoint) {
  Hasher hasher;
  add(hasher, checkpoint.spec);
  hasher.add(checkpoint.step);
  add(hasher, checkpoint.parameters);
  hasher.add(std::uint64_t{checkpoint.numbers.size()});
  for (const NamedNumber& number : checkpoint.numbers)
    hasher.add(std::string_view(number.name)).add(number.value);
  hasher.add(std::uint64_t{checkpoint.arrays.size()});
  for (const NamedArray& array : checkpoint.arrays) {
    hasher.add(std::string_view(array.name));
    add(hasher, array.values);
  }
  const Cursor& cursor = checkpoint.cursor;
  hasher.add(cursor.data.has_value());
  if (cursor.data) hasher.add(std::string_view(cursor.data->hex()));
  hasher.add(cursor.batch_size).add(cursor.shuffle).add(cursor.epoch).add(cursor.row);
  hasher.add(checkpoint.preprocess != nullptr);
  if (checkpoint.preprocess != nullptr) {
    hasher.add(std::uint64_t{checkpoint.preprocess->columns.size()});
    for (const Column& column : checkpoint.preprocess->columns) add(hasher, column);
    add(hasher, checkpoint.preprocess->target);
  }
  return hasher.finish();
}

}  // namespace mlpd::core
