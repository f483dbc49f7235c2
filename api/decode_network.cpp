#include "api/decode_network.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "api/encode_network.h"
#include "api/number_block.h"

namespace mlpd::api {
namespace {

// Sections that are either a type's name alone or an object with "type".
struct Typed {
  const Json* type = nullptr;    // the name as given; null where left out
  const Json* object = nullptr;  // null where the name stands alone
};

Typed typed(const Json& json) {
  if (json.as<std::string>()) return {&json, nullptr};
  return {json.find("type"), &json};
}

template <class Row>
auto read_type(ObjectReader& owner, const Json& json, const std::string& pointer, std::span<const Row> table)
    -> std::optional<decltype(Row::value)> {
  const Typed section = typed(json);
  const std::string at = section.object ? child(pointer, "type") : pointer;
  if (!section.type) {
    owner.faults().add(section.object->as<JsonObject>() ? at : pointer,
                       section.object->as<JsonObject>() ? "is required"
                                                        : "must be a name or an object with \"type\", not " +
                                                              std::string(json.kind_name()));
    return std::nullopt;
  }
  if (const auto* name = section.type->template as<std::string>()) return owner.choose(at, *name, table);
  owner.faults().add(at, "must be a string, not " + std::string(section.type->kind_name()));
  return std::nullopt;
}

const Json& empty_object() {
  static const Json object{JsonObject{}};
  return object;
}

// The fields of a typed section; a name alone has none.
ObjectReader fields_of(const Json& json, const std::string& pointer, Faults& faults) {
  ObjectReader reader(json.as<std::string>() ? empty_object() : json, pointer, faults);
  reader.find("type");
  return reader;
}

template <class T>
void assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
}

std::string owner_name(std::string_view section, std::string_view type) {
  return std::string(section) + " \"" + std::string(type) + "\"";
}

std::optional<core::InitializerOptions> decode_initializer(ObjectReader& layer) {
  const Json* json = layer.find("initializer");
  if (!json) return std::nullopt;
  const std::string pointer = layer.pointer("initializer");
  const auto kind = read_type(layer, *json, pointer, core::initializers());
  if (!kind) return std::nullopt;
  core::InitializerOptions options{*kind, 0};
  auto fields = fields_of(*json, pointer, layer.faults());
  for (const core::InitializerRow& row : core::initializers()) {
    if (row.value != *kind) continue;
    if (!row.parameter_name.empty()) {
      if (json->as<std::string>())
        layer.faults().add(pointer, "needs a " + std::string(row.parameter_name) + ": {\"type\": \"" +
                                        std::string(row.name) + "\", \"" + std::string(row.parameter_name) +
                                        "\": 0.1}");
      else
        fields.require(row.parameter_name);
      assign(options.parameter, fields.number(row.parameter_name));
    }
    fields.finish(owner_name("initializer", row.name));
  }
  return options;
}

void narrow(std::vector<double>& values, core::Dtype dtype) {
  if (dtype == core::Dtype::float32)
    for (double& value : values) value = static_cast<double>(to_float32(value));
}

struct LayerContext {
  core::Dtype dtype = core::Dtype::float32;
  bool last_activation_given = false;
};

void decode_start_weights(ObjectReader& reader, core::LayerSpec& layer, core::Dtype dtype) {
  const Json* json = reader.find("weights");
  if (!json) return;
  auto block = read_numbers(*json, reader.pointer("weights"), reader.faults());
  if (!block) return;
  if (block->shape.size() != 2 || block->columns() != layer.units) {
    reader.fault("weights", "must be inputs × units: rows of " + std::to_string(layer.units) + " numbers");
    return;
  }
  layer.start_weights = std::move(block->values);
  narrow(layer.start_weights, dtype);
}

void decode_bias(ObjectReader& reader, core::LayerSpec& layer, core::Dtype dtype) {
  const Json* json = reader.find("bias");
  if (!json) return;
  if (const auto* flag = json->as<bool>()) {
    layer.bias = *flag;
    return;
  }
  auto block = read_numbers(*json, reader.pointer("bias"), reader.faults());
  if (!block) return;
  if (block->shape.size() != 1 || block->columns() != layer.units) {
    reader.fault("bias",
                 "must be true, false, or " + std::to_string(layer.units) + " numbers, one for each unit");
    return;
  }
  layer.start_bias = std::move(block->values);
  narrow(layer.start_bias, dtype);
}

core::LayerSpec decode_layer(const Json& json, const std::string& pointer, Faults& faults,
                             LayerContext& context, bool is_last) {
  core::LayerSpec layer;
  ObjectReader reader(json, pointer, faults);
  if (!reader.is_object()) return layer;
  const bool type_given = json.find("type") != nullptr;
  const auto kind = reader.choice("type", core::layer_kinds());
  if (type_given && !kind) return layer;
  layer.kind = kind.value_or(core::LayerKind::dense);
  switch (layer.kind) {
    case core::LayerKind::dense: {
      reader.require("units");
      assign(layer.units, reader.integer("units"));
      const auto activation = reader.choice("activation", core::activations());
      assign(layer.activation, activation);
      if (is_last) context.last_activation_given = json.find("activation") != nullptr;
      layer.initializer = decode_initializer(reader);
      decode_start_weights(reader, layer, context.dtype);
      decode_bias(reader, layer, context.dtype);
      break;
    }
    case core::LayerKind::dropout:
      assign(layer.rate, reader.number("rate"));
      break;
    case core::LayerKind::layer_norm:
      assign(layer.epsilon, reader.number("epsilon"));
      break;
    case core::LayerKind::batch_norm:
      assign(layer.momentum, reader.number("momentum"));
      assign(layer.epsilon, reader.number("epsilon"));
      break;
    case core::LayerKind::residual: {
      reader.require("layers");
      const Json* inner = reader.find("layers");
      const auto* list = inner ? inner->as<JsonArray>() : nullptr;
      if (inner && !list) reader.fault("layers", "must be an array of layers with at least one");
      for (std::size_t i = 0; list && i < list->size(); ++i)
        layer.layers.push_back(
            decode_layer((*list)[i], child(reader.pointer("layers"), i), faults, context, false));
      break;
    }
  }
  reader.finish(owner_name("layer", core::name_of(core::layer_kinds(), layer.kind)));
  return layer;
}

void decode_inputs(ObjectReader& body, core::NetworkSpec& spec) {
  body.require("inputs");
  const Json* json = body.find("inputs");
  if (json && json->is_array()) {
    assign(spec.input_names, body.strings("inputs"));
    spec.inputs = spec.input_names.size();
  } else if (json) {
    assign(spec.inputs, body.integer("inputs"));
  }
  if (const auto names = body.strings("input_names")) {
    if (!spec.input_names.empty()) body.fault("input_names", "are already given as inputs");
    spec.input_names = *names;
  }
  assign(spec.class_labels, body.strings("class_labels"));
}

void check_distinct(ObjectReader& body, std::string_view field, const std::vector<std::string>& names) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string at = child(body.pointer(field), i);
    if (names[i].empty() || names[i].size() > kColumnNameBytesMax)
      body.faults().add(at, "must have 1 to " + std::to_string(kColumnNameBytesMax) + " bytes");
    else if (!seen.insert(names[i]).second)
      body.faults().add(at, "is there twice");
  }
}

struct DtypeRow {
  core::Dtype value;
  std::string_view name;
};
constexpr DtypeRow kDtypes[] = {{core::Dtype::float32, "float32"}, {core::Dtype::float64, "float64"}};

bool decode_loss(ObjectReader& body, core::LossOptions& loss) {
  const Json* json = body.find("loss");
  if (!json) return false;
  const std::string pointer = body.pointer("loss");
  const auto kind = read_type(body, *json, pointer, core::losses());
  if (!kind) return false;
  loss.kind = *kind;
  auto fields = fields_of(*json, pointer, body.faults());
  if (*kind == core::Loss::cross_entropy) assign(loss.label_smoothing, fields.number("label_smoothing"));
  fields.finish(owner_name("loss", core::name_of(core::losses(), *kind)));
  return true;
}

core::OptimizerOptions decode_optimizer(ObjectReader& body, const Json& json) {
  const std::string pointer = body.pointer("optimizer");
  core::OptimizerOptions options = core::default_options(core::Optimizer::adam);
  if (!json.as<JsonObject>() || json.find("type")) {
    const auto kind = read_type(body, json, pointer, core::optimizers());
    if (!kind) return options;
    options = core::default_options(*kind);
  }
  auto fields = fields_of(json, pointer, body.faults());
  assign(options.learning_rate, fields.number("learning_rate"));
  std::string_view name;
  for (const core::OptimizerRow& row : core::optimizers()) {
    if (row.value != options.kind) continue;
    name = row.name;
    for (std::string_view field : row.fields) {
      if (field == "momentum") assign(options.momentum, fields.number(field));
      if (field == "nesterov") assign(options.nesterov, fields.boolean(field));
      if (field == "decay") assign(options.decay, fields.number(field));
      if (field == "epsilon") assign(options.epsilon, fields.number(field));
      if (field == "weight_decay") assign(options.weight_decay, fields.number(field));
      if (field != "betas") continue;
      const Json* betas = fields.find(field);
      const auto* pair = betas ? betas->as<JsonNumbers>() : nullptr;
      if (pair && pair->size() == 2) {
        options.beta1 = (*pair)[0];
        options.beta2 = (*pair)[1];
      } else if (betas) {
        fields.fault(field, "must be two numbers: [0.9, 0.999]");
      }
    }
  }
  fields.finish(owner_name("optimizer", name));
  return options;
}

core::ScheduleOptions decode_schedule(ObjectReader& owner, const Json& json, const std::string& pointer) {
  core::ScheduleOptions options;
  const auto kind = read_type(owner, json, pointer, core::schedules());
  if (!kind) return options;
  options.kind = *kind;
  auto fields = fields_of(json, pointer, owner.faults());
  std::string_view name;
  for (const core::ScheduleRow& row : core::schedules()) {
    if (row.value != *kind) continue;
    name = row.name;
    for (std::string_view field : row.fields) {
      if (field != "minimum" && field != "patience" && !json.as<std::string>()) fields.require(field);
      if (field == "every") assign(options.every, fields.integer(field));
      if (field == "factor") assign(options.factor, fields.number(field));
      if (field == "decay") assign(options.decay, fields.number(field));
      if (field == "steps") assign(options.steps, fields.integer(field));
      if (field == "minimum") assign(options.minimum, fields.number(field));
      if (field == "maximum") assign(options.maximum, fields.number(field));
      if (field == "patience") assign(options.patience, fields.integer(field));
      if (field == "then")
        if (const Json* then = fields.find(field))
          options.then.push_back(decode_schedule(fields, *then, fields.pointer(field)));
    }
    if (json.as<std::string>() && !row.fields.empty())
      owner.faults().add(pointer, "needs an object: {\"type\": \"" + std::string(name) + "\", …} with " +
                                      list_names(row.fields));
  }
  fields.finish(owner_name("schedule", name));
  return options;
}

void complete_defaults(core::NetworkSpec& spec, bool loss_given, bool last_activation_given) {
  if (spec.layers.empty() || spec.layers.back().kind != core::LayerKind::dense) return;
  core::LayerSpec& last = spec.layers.back();
  if (!last_activation_given) {
    if (loss_given)
      last.activation = core::default_last_activation(spec.loss.kind);
    else
      last.activation = last.units >= 2 ? core::Activation::softmax : core::Activation::linear;
  }
  if (!loss_given) spec.loss.kind = core::default_loss(last.activation);
}

Json hyper_parameters_json(const core::HyperParameters& hyper_parameters) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  write_hyper_parameter_fields(out, hyper_parameters);
  out.end_object();
  auto parsed = parse_json(text);
  return parsed ? std::move(*parsed) : Json{JsonObject{}};
}

constexpr std::string_view kSections[] = {"optimizer", "schedule", "regularization", "gradient_clip"};

// The sections of `patch` merged onto the present ones; false where it has none.
bool merge_sections(ObjectReader& patch, Json& merged) {
  bool any = false;
  core::HyperParameters plain;
  plain.optimizer = core::default_options(core::Optimizer::adam);
  const Json defaults = hyper_parameters_json(plain);
  for (std::string_view section : kSections) {
    const Json* change = patch.find(section);
    if (!change) continue;
    any = true;
    auto& fields = std::get<JsonObject>(merged.value);
    Json& present =
        std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == section; })->second;
    const auto type_of = [](const Json& json) {
      const Json* type = typed(json).type;
      return type ? type->as<std::string>() : nullptr;
    };
    const auto* new_type = type_of(*change);
    const auto* old_type = type_of(present);
    if (change->is_null())  // removed: as it would be had it never been given
      present = *defaults.find(section);
    else if (change->as<std::string>() || (new_type && old_type && *new_type != *old_type))
      present = *change;
    else
      merge_patch(present, *change);
  }
  return any;
}

std::optional<std::uint64_t> decode_ttl(ObjectReader& body) {
  const auto ttl = body.integer("ttl_s");
  if (ttl && *ttl == 0) body.fault("ttl_s", "must be at least 1 second");
  static constexpr std::uint64_t kTtlMax = 10ull * 365 * 24 * 3600;
  if (ttl && *ttl > kTtlMax) body.fault("ttl_s", "must be at most ten years: " + std::to_string(kTtlMax));
  return ttl;
}

}  // namespace

bool is_valid_name(std::string_view name) {
  const auto inner = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  const auto outer = [&](char c) { return inner(c) && c != '.' && c != '_' && c != '-'; };
  return !name.empty() && name.size() <= 63 && outer(name.front()) && outer(name.back()) &&
         std::all_of(name.begin(), name.end(), inner);
}

std::string name_rule() {
  return "must be 1 to 63 characters of a-z, 0-9, '.', '_' and '-', the first and last a letter or digit";
}

bool is_valid_alias(std::string_view alias) {
  return is_valid_name(alias) && alias.find_first_not_of("0123456789") != std::string_view::npos;
}

std::string alias_rule() { return name_rule() + "; not a number"; }

Labels decode_labels(const Json& json, const std::string& pointer, Faults& faults) {
  Labels labels;
  ObjectReader reader(json, pointer, faults);
  const auto* fields = json.as<JsonObject>();
  if (!fields) return labels;
  if (fields->size() > kLabelsMax)
    faults.add(pointer, "has more than " + std::to_string(kLabelsMax) + " labels");
  for (const auto& field : *fields) {
    const auto value = reader.string(field.first);
    if (!value) continue;
    if (field.first.empty() || field.first.size() > kLabelBytesMax || value->size() > kLabelBytesMax)
      reader.fault(field.first, "key and value must have at most " + std::to_string(kLabelBytesMax) +
                                    " bytes, the key at least one");
    labels[field.first] = *value;
  }
  return labels;
}

core::HyperParameters decode_hyper_parameters(ObjectReader& body, const core::HyperParameters& present) {
  core::HyperParameters out = present;
  if (const Json* json = body.find("optimizer")) out.optimizer = decode_optimizer(body, *json);
  if (const Json* json = body.find("schedule"))
    out.schedule = decode_schedule(body, *json, body.pointer("schedule"));
  if (const Json* json = body.find("regularization")) {
    ObjectReader fields(*json, body.pointer("regularization"), body.faults());
    out.regularization = {};
    assign(out.regularization.l1, fields.number("l1"));
    assign(out.regularization.l2, fields.number("l2"));
    fields.finish("regularization");
  }
  if (const Json* json = body.find("gradient_clip")) {
    ObjectReader fields(*json, body.pointer("gradient_clip"), body.faults());
    out.gradient_clip = {};
    assign(out.gradient_clip.norm, fields.number("norm"));
    assign(out.gradient_clip.value, fields.number("value"));
    fields.finish("gradient_clip");
  }
  return out;
}

core::NetworkSpec decode_spec(ObjectReader& body) {
  core::NetworkSpec spec;
  decode_inputs(body, spec);
  check_distinct(body, spec.inputs == spec.input_names.size() ? "inputs" : "input_names", spec.input_names);
  check_distinct(body, "class_labels", spec.class_labels);
  assign(spec.dtype, body.choice("dtype", std::span<const DtypeRow>(kDtypes)));
  body.require("layers");
  LayerContext context;
  context.dtype = spec.dtype;
  const Json* layers = body.find("layers");
  if (layers && !layers->is_array())
    body.fault("layers", "must be an array of layers, not " + std::string(layers->kind_name()));
  else if (layers && !layers->as<JsonArray>())
    body.fault("layers", "must hold at least one layer, each an object");
  else if (layers) {
    const auto& list = *layers->as<JsonArray>();
    for (std::size_t i = 0; i < list.size(); ++i)
      spec.layers.push_back(decode_layer(list[i], child(body.pointer("layers"), i), body.faults(), context,
                                         i + 1 == list.size()));
  }
  const bool loss_given = decode_loss(body, spec.loss);
  complete_defaults(spec, loss_given, context.last_activation_given);
  spec.hyper_parameters.optimizer = core::default_options(core::Optimizer::adam);
  spec.hyper_parameters = decode_hyper_parameters(body, spec.hyper_parameters);
  assign(spec.ema, body.number("ema"));
  assign(spec.seed, body.integer("seed"));
  return spec;
}

core::Result<CreateNetwork> decode_create(const Json& json, const core::NetworkLimits& limits) {
  Faults faults;
  ObjectReader body(json, "#", faults);
  CreateNetwork request;
  if (!body.is_object()) return faults.error();
  if (const auto name = body.string("name")) {
    request.name = *name;
    if (!is_valid_name(*name)) body.fault("name", name_rule());
  }
  request.spec = decode_spec(body);
  if (const Json* labels = body.find("labels"))
    request.labels = decode_labels(*labels, body.pointer("labels"), faults);
  request.ttl_s = decode_ttl(body);
  body.finish();
  if (auto valid = core::validate(request.spec, limits); !valid) faults.merge(valid.error());
  if (!faults.empty()) return faults.error();
  return request;
}

std::optional<core::HyperParameters> decode_changed_hyper_parameters(ObjectReader& body,
                                                                     const core::HyperParameters& present) {
  Json merged = hyper_parameters_json(present);
  if (!merge_sections(body, merged)) return std::nullopt;
  ObjectReader reader(merged, body.pointer(), body.faults());
  auto changed = decode_hyper_parameters(reader, present);
  if (auto valid = core::validate(changed); !valid) body.faults().merge(valid.error());
  return changed;
}

core::Result<PatchNetwork> decode_patch(const Json& json, const NetworkView& current) {
  Faults faults;
  ObjectReader body(json, "#", faults);
  PatchNetwork patch;
  if (!body.is_object()) return faults.error();
  patch.hyper_parameters = decode_changed_hyper_parameters(body, current.spec.hyper_parameters);
  if (const Json* labels = body.find("labels")) {
    Json merged{JsonObject{}};
    for (const auto& [key, value] : current.labels)
      std::get<JsonObject>(merged.value).emplace_back(key, Json{value});
    if (labels->is_null())
      merged.value = JsonObject{};
    else
      merge_patch(merged, *labels);
    patch.labels = decode_labels(merged, body.pointer("labels"), faults);
  }
  if (const Json* ttl = body.find("ttl_s"))
    patch.ttl_s = ttl->is_null() ? std::optional<std::uint64_t>{} : decode_ttl(body);
  static constexpr std::string_view kFixed[] = {"name", "inputs", "input_names", "class_labels", "layers",
                                                "loss", "ema",    "seed",        "dtype"};
  for (std::string_view field : kFixed)
    if (json.find(field)) {
      body.find(field);
      body.fault(field, "can't change after the network was created; fork it or create another");
    }
  body.finish();
  if (!faults.empty()) return faults.error();
  return patch;
}

}  // namespace mlpd::api
