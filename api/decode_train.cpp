#include "api/decode_train.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "api/decode_network.h"
#include "api/number_block.h"
#include "core/batches.h"
#include "core/generator.h"

namespace mlpd::api {
namespace {

template <class T>
void assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
}

// Numbers stay float64 in a data set and are narrowed when a network binds it; the one float32 whose shortest
// decimal would be narrowed to its neighbour is put right here.
void keep_float32_meaning(std::vector<double>& values, core::Dtype dtype) {
  if (dtype != core::Dtype::float32) return;
  for (double& value : values) {
    const float meant = to_float32(value);
    if (std::isfinite(meant) && meant != static_cast<float>(value)) value = static_cast<double>(meant);
  }
}

bool check_range(const std::vector<double>& values, const core::NetworkSpec& spec, const std::string& pointer,
                 Faults& faults) {
  if (spec.dtype == core::Dtype::float64) return true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(to_float32(values[i]))) continue;
    faults.add(pointer, "holds a number past float32, the network's dtype");
    return false;
  }
  return true;
}

bool decode_inputs(ObjectReader& data, const core::NetworkSpec& spec, core::Dataset& out) {
  data.require("inputs");
  const Json* json = data.find("inputs");
  if (!json) return false;
  auto block = read_numbers(*json, data.pointer("inputs"), data.faults());
  if (!block) return false;
  const bool flat = block->shape.size() == 1;
  out.rows = flat ? (spec.inputs == 1 ? block->columns() : 1) : block->rows();
  out.input_count = flat && spec.inputs == 1 ? 1 : block->columns();
  if (block->values.empty()) {
    data.fault("inputs", "must have at least one row");
    return false;
  }
  if (out.input_count != spec.inputs) {
    data.fault("inputs", "has " + std::to_string(out.input_count) + " numbers a row, but the network takes " +
                             std::to_string(spec.inputs));
    return false;
  }
  out.inputs = std::move(block->values);
  keep_float32_meaning(out.inputs, spec.dtype);
  return check_range(out.inputs, spec, data.pointer("inputs"), data.faults());
}

// One-hot rows out of class indices or labels; out.class_labels are the known ones.
class OneHot {
 public:
  OneHot(ObjectReader& data, core::Dataset& out)
      : pointer_(data.pointer("targets")), faults_(data.faults()), classes_(out.output_count), out_(out) {}

  void add_index(double index, std::size_t at) {
    if (!(index >= 0 && index < static_cast<double>(classes_) && index == std::floor(index))) {
      faults_.add(child(pointer_, at), "must be a class index from 0 to " + std::to_string(classes_ - 1));
      return;
    }
    push(static_cast<std::size_t>(index));
  }

  void add_label(const std::string& label, std::size_t at) {
    const std::vector<std::string>& known = out_.class_labels;
    const auto found = std::find(known.begin(), known.end(), label);
    if (found == known.end()) {
      std::vector<std::string_view> names(known.begin(), known.end());
      const auto near = nearest_name(label, names);
      faults_.add(child(pointer_, at), "\"" + label + "\" is an unknown label; " +
                                           (near.empty() ? "known: " + list_names(names)
                                                         : "did you mean \"" + std::string(near) + "\"?"));
      return;
    }
    push(static_cast<std::size_t>(found - known.begin()));
  }

 private:
  void push(std::size_t index) {
    out_.targets.resize(out_.targets.size() + classes_);
    out_.targets[out_.targets.size() - classes_ + index] = 1;
  }

  std::string pointer_;
  Faults& faults_;
  std::size_t classes_;
  core::Dataset& out_;
};

// The labels of a network that has none yet: those of its rows, sorted. False with a fault.
bool learn_labels(ObjectReader& data, const JsonArray& targets, core::Dataset& out) {
  std::set<std::string_view> found;
  std::optional<std::size_t> unlabelled;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (const auto* label = targets[i].as<std::string>())
      found.insert(*label);
    else if (!unlabelled)
      unlabelled = i;
  }
  if (found.empty()) return true;
  if (unlabelled) {
    data.faults().add(
        child(data.pointer("targets"), *unlabelled),
        "must be a label as others are: the network has none yet, so that an index says nothing");
    return false;
  }
  if (found.size() != out.output_count) {
    const std::vector<std::string_view> names(found.begin(), found.end());
    data.fault("targets",
               "has " + std::to_string(names.size()) + " labels (" + list_names(names) +
                   "), but the network has " + std::to_string(out.output_count) +
                   " outputs, one for each; class_labels at its creation name those that no row has");
    return false;
  }
  out.class_labels.assign(found.begin(), found.end());
  return true;
}

bool decode_class_targets(ObjectReader& data, const Json& json, core::Dataset& out) {
  OneHot one_hot(data, out);
  if (const auto* indices = json.as<JsonNumbers>()) {
    for (std::size_t i = 0; i < indices->size(); ++i) one_hot.add_index((*indices)[i], i);
    return true;
  }
  const auto* list = json.as<JsonArray>();
  if (!list || (*list)[0].is_array()) return false;
  if (out.class_labels.empty() && !learn_labels(data, *list, out)) return true;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Json& item = (*list)[i];
    if (const auto* label = item.as<std::string>())
      one_hot.add_label(*label, i);
    else if (const auto* index = item.as<JsonNumber>())
      one_hot.add_index(index->value, i);
    else
      data.faults().add(child(data.pointer("targets"), i),
                        "must be a class index or a label, not " + std::string(item.kind_name()));
  }
  return true;
}

void decode_targets(ObjectReader& data, const core::NetworkSpec& spec, core::Dataset& out) {
  data.require("targets");
  const Json* json = data.find("targets");
  if (!json || out.rows == 0) return;
  out.output_count = core::output_count(spec);
  out.class_labels = spec.class_labels;
  std::size_t rows = 0;
  if (out.output_count > 1 && decode_class_targets(data, *json, out)) {
    const auto* indices = json->as<JsonNumbers>();
    rows = indices ? indices->size() : json->as<JsonArray>()->size();
  } else {
    auto block = read_numbers(*json, data.pointer("targets"), data.faults());
    if (!block) return;
    const bool flat = block->shape.size() == 1;
    rows = flat ? block->columns() / std::max<std::size_t>(1, out.output_count) : block->rows();
    const std::size_t columns = flat ? out.output_count : block->columns();
    if (columns != out.output_count) {
      data.fault("targets", "has " + std::to_string(columns) + " numbers a row, but the network has " +
                                std::to_string(out.output_count) + " outputs");
      return;
    }
    out.targets = std::move(block->values);
    keep_float32_meaning(out.targets, spec.dtype);
    if (!check_range(out.targets, spec, data.pointer("targets"), data.faults())) return;
  }
  if (rows != out.rows)
    data.fault("targets", "has " + std::to_string(rows) + " rows, but inputs has " +
                              std::to_string(out.rows) +
                              (out.output_count > 1 && json->as<JsonNumbers>()
                                   ? "; a flat list holds class indices, rows of numbers are [[…]]"
                                   : ""));
}

std::optional<DataSource> decode_data(ObjectReader& body, const Json& json, const core::NetworkSpec& spec) {
  ObjectReader data(json, body.pointer("data"), body.faults());
  if (!data.is_object()) return std::nullopt;
  if (json.find("generator")) {
    const auto options = decode_generator(data);
    data.finish("generated data");
    if (!options) return std::nullopt;
    return DataSource{*options};
  }
  auto dataset = std::make_shared<core::Dataset>();
  decode_inputs(data, spec, *dataset);
  decode_targets(data, spec, *dataset);
  data.find("generator");  // known, for "did you mean"
  data.finish("data");
  return DataSource{std::shared_ptr<const core::Dataset>(std::move(dataset))};
}

void decode_steps(ObjectReader& body, const Limits& limits, TrainRequest& request) {
  const auto steps = body.integer("steps");
  const auto epochs = body.integer("epochs");
  if (steps && epochs) body.fault("epochs", "and steps can't both be given");
  const std::string range = "must be 1 to " + std::to_string(limits.job_steps_max);
  if (steps && (*steps < 1 || *steps > limits.job_steps_max)) body.fault("steps", range);
  if (epochs && (*epochs < 1 || *epochs > limits.job_steps_max)) body.fault("epochs", range);
  assign(request.plan.steps, steps);
  request.epochs = epochs;
}

std::optional<std::uint64_t> at_least_one(ObjectReader& body, std::string_view name) {
  const auto value = body.integer(name);
  if (value && *value < 1) body.fault(name, "must be at least 1");
  return value;
}

std::optional<double> above_zero(ObjectReader& body, std::string_view name) {
  const auto value = body.number(name);
  if (value && !(*value > 0)) body.fault(name, "must be greater than 0");
  return value;
}

/// `metric` keeps its default where the field is left out.
void decode_judged_metric(ObjectReader& fields, const core::TrainingPlan& plan, std::string& metric) {
  assign(metric, fields.string("metric"));
  const std::span<const std::string_view> known = core::judged_metrics();
  if (std::find(known.begin(), known.end(), metric) == known.end())
    fields.fault("metric", "must be " + list_names(known));
  else if (metric.starts_with("validation") && !(plan.validation_fraction > 0))
    fields.fault("metric", "is " + metric + ", which needs \"validation\": {\"fraction\": 0.2}");
}

void decode_publish_if(ObjectReader& body, TrainRequest& request) {
  const Json* json = body.find("publish_if");
  if (!json) return;
  ObjectReader fields(*json, body.pointer("publish_if"), body.faults());
  PublishIf wanted;
  if (!(request.plan.validation_fraction > 0)) wanted.metric = "loss";
  decode_judged_metric(fields, request.plan, wanted.metric);
  assign(wanted.better_by, fields.number("better_by"));
  if (!(wanted.better_by >= 0)) fields.fault("better_by", "must be at least 0");
  assign(wanted.alias, fields.string("alias"));
  if (!is_valid_alias(wanted.alias)) fields.fault("alias", alias_rule());
  fields.finish("publish_if");
  request.publish_if = std::move(wanted);
}

void decode_early_stopping(ObjectReader& body, core::TrainingPlan& plan) {
  const Json* json = body.find("early_stopping");
  if (!json) return;
  ObjectReader fields(*json, body.pointer("early_stopping"), body.faults());
  core::EarlyStopping stopping;
  assign(stopping.patience, at_least_one(fields, "patience"));
  assign(stopping.min_delta, fields.number("min_delta"));
  if (!(stopping.min_delta >= 0)) fields.fault("min_delta", "must be at least 0");
  decode_judged_metric(fields, plan, stopping.metric);
  fields.finish("early_stopping");
  plan.early_stopping = stopping;
}

void decode_class_weights(ObjectReader& body, const core::NetworkSpec& spec, core::BatchPlan& batches) {
  const Json* json = body.find("class_weights");
  if (!json) return;
  const std::string pointer = body.pointer("class_weights");
  ObjectReader fields(*json, pointer, body.faults());
  const auto* weights = json->as<JsonObject>();
  if (!weights) return;
  if (!core::is_classifier(spec)) {
    body.fault("class_weights", "need a network that tells classes apart");
    return;
  }
  const std::size_t classes = core::class_weight_count(core::output_count(spec));
  batches.class_weights.assign(classes, 1.0);
  for (const auto& field : *weights) {
    const std::string& name = field.first;
    const auto label = std::find(spec.class_labels.begin(), spec.class_labels.end(), name);
    std::size_t index = static_cast<std::size_t>(label - spec.class_labels.begin());
    if (label == spec.class_labels.end()) {
      const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), index);
      if (error != std::errc{} || stop != name.data() + name.size()) index = classes;
    }
    const auto weight = fields.number(name);
    if (index >= classes)
      fields.fault(name, "is no class: give a label or an index from 0 to " + std::to_string(classes - 1));
    else if (weight && !(*weight >= 0))
      fields.fault(name, "must be at least 0");
    else if (weight)
      batches.class_weights[index] = *weight;
  }
}

void decode_plan(ObjectReader& body, const core::NetworkSpec& spec, TrainRequest& request) {
  core::TrainingPlan& plan = request.plan;
  assign(plan.batches.batch_size, at_least_one(body, "batch_size"));
  assign(plan.batches.shuffle, body.boolean("shuffle"));
  if (const Json* json = body.find("validation")) {
    ObjectReader fields(*json, body.pointer("validation"), body.faults());
    fields.require("fraction");
    assign(plan.validation_fraction, fields.number("fraction"));
    if (!(plan.validation_fraction >= 0 && plan.validation_fraction < 1))
      fields.fault("fraction", "must be at least 0 and less than 1");
    fields.finish("validation");
  }
  decode_early_stopping(body, plan);
  assign(plan.record_every, at_least_one(body, "record_every"));
  plan.keep_best = plan.validation_fraction > 0;
  if (const auto keep = body.string("keep")) {
    if (*keep != "best" && *keep != "last") body.fault("keep", "must be \"best\" or \"last\"");
    plan.keep_best = *keep == "best";
  }
  decode_class_weights(body, spec, plan.batches);
  decode_publish_if(body, request);
  request.checkpoint_every = at_least_one(body, "checkpoint_every");
  request.max_seconds = above_zero(body, "max_seconds");
  if (const Json* json = body.find("pace")) {
    ObjectReader fields(*json, body.pointer("pace"), body.faults());
    fields.require("steps_per_second");
    request.pace_steps_per_second = above_zero(fields, "steps_per_second");
    fields.finish("pace");
  }
}

}  // namespace

std::optional<core::GeneratorOptions> decode_generator(ObjectReader& data) {
  core::GeneratorOptions options;
  const auto kind = data.choice("generator", core::generators());
  if (const auto rows = data.integer("rows")) options.rows = static_cast<std::size_t>(*rows);
  assign(options.noise, data.number("noise"));
  assign(options.seed, data.integer("seed"));
  if (kind == core::Generator::blobs) {
    if (const auto classes = data.integer("classes")) options.classes = static_cast<std::size_t>(*classes);
    if (options.classes < 2 || options.classes > 16) data.fault("classes", "must be 2 to 16");
  }
  if (options.rows < 1 || options.rows > 1'000'000) data.fault("rows", "must be 1 to 1000000");
  if (!(options.noise >= 0)) data.fault("noise", "must be at least 0");
  if (!kind) return std::nullopt;
  options.kind = *kind;
  return options;
}

std::optional<DataSource> decode_data_source(ObjectReader& body, const core::NetworkSpec& spec) {
  const Json* data = body.find("data");
  const auto dataset = body.string("dataset");
  if (data && dataset) body.fault("dataset", "and data can't both be given");
  if (data) return decode_data(body, *data, spec);
  if (dataset) return DataSource{*dataset};
  return std::nullopt;
}

core::Result<TrainRequest> decode_train(const Json& json, const NetworkView& network, const Limits& limits) {
  Faults faults;
  ObjectReader body(json, "#", faults);
  if (!body.is_object()) return faults.error();
  TrainRequest request;
  request.data = decode_data_source(body, network.spec);
  if (request.data)
    if (const auto* rows = std::get_if<std::shared_ptr<const core::Dataset>>(&*request.data))
      request.class_labels = (*rows)->class_labels;
  decode_steps(body, limits, request);
  core::NetworkSpec labelled = network.spec;
  if (!request.class_labels.empty()) labelled.class_labels = request.class_labels;
  decode_plan(body, labelled, request);
  const double held_out = network.preprocess ? network.preprocess->held_out.validation : 1;
  if (request.data && std::holds_alternative<std::string>(*request.data) &&
      request.plan.validation_fraction > held_out)
    faults.add("#/validation/fraction",
               "is more than the " + std::to_string(held_out) +
                   " that the network's preprocessing was fitted without; create the network with a larger "
                   "validation fraction");
  request.hyper_parameters = decode_changed_hyper_parameters(body, network.spec.hyper_parameters);
  body.finish();
  if (!faults.empty()) return faults.error();
  return request;
}

core::Result<DataBody> decode_data_body(const Json& json, const core::NetworkSpec& spec, bool evaluates) {
  Faults faults;
  ObjectReader body(json, "#", faults);
  if (!body.is_object()) return faults.error();
  DataBody data;
  data.source = decode_data_source(body, spec);
  data.part = body.choice("part", core::part_names());
  if (evaluates) data.importance = body.boolean("importance");
  if (data.part && !(data.source && std::holds_alternative<std::string>(*data.source)))
    body.fault("part", "is a part of a stored data set: give dataset too");
  body.finish();
  if (!faults.empty()) return faults.error();
  return data;
}

}  // namespace mlpd::api
