#include "api/dataset_network.h"

#include <algorithm>

#include "api/decode_network.h"
#include "api/json_reader.h"
#include "core/named_table.h"

namespace mlpd::api {
namespace {

constexpr std::string_view kOwnFields[] = {"dataset", "preprocess", "validation", "test"};

double read_fraction(ObjectReader& body, std::string_view section, double fallback) {
  const Json* json = body.find(section);
  if (json == nullptr) return fallback;
  ObjectReader reader(*json, body.pointer(section), body.faults());
  const double fraction = reader.number("fraction").value_or(fallback);
  if (!(fraction >= 0 && fraction < 1)) reader.fault("fraction", "must be at least 0 and below 1");
  reader.finish(section);
  return fraction;
}

template <class T>
void assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
}

// What one entry of `preprocess` says; each part may be left out.
struct ColumnChange {
  std::optional<core::ColumnType> type;
  std::optional<core::Scaling> scaling;
  std::optional<core::MissingPolicy> missing;
  std::optional<core::UnseenPolicy> unseen;

  void apply(core::Column& column, bool to_all) const {
    if (!to_all) assign(column.type, type);
    assign(column.scaling, scaling);
    assign(column.missing, missing);
    assign(column.unseen, unseen);
    const bool category = column.type == core::ColumnType::category;
    // For all columns at once, `mean` means the nearest that a category has.
    if (to_all && category && column.missing == core::MissingPolicy::mean)
      column.missing = core::MissingPolicy::most_frequent;
  }
};

ColumnChange read_change(ObjectReader& columns, std::string_view name) {
  ColumnChange change;
  ObjectReader reader(*columns.find(name), columns.pointer(name), columns.faults());
  change.type = reader.choice("type", core::column_types());
  change.scaling = reader.choice("scaling", core::scalings());
  change.missing = reader.choice("missing", core::missing_policies());
  change.unseen = reader.choice("unseen", core::unseen_policies());
  if (name == "*" && change.type) reader.fault("type", "can't be given for all columns");
  reader.finish("a column");
  return change;
}

void read_changes(ObjectReader& body, core::Preprocess& plan) {
  const Json* json = body.find("preprocess");
  if (json == nullptr) return;
  ObjectReader columns(*json, body.pointer("preprocess"), body.faults());
  if (!columns.is_object()) return;
  std::vector<std::string_view> known;
  for (const core::Column& column : plan.columns) known.push_back(column.name);
  known.push_back(plan.target.name);
  if (columns.find("*") != nullptr) {
    const ColumnChange all = read_change(columns, "*");
    for (core::Column& column : plan.columns) all.apply(column, true);
  }
  for (const auto& [name, value] : *json->as<JsonObject>()) {
    if (name == "*") continue;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::string_view near = nearest_name(name, known);
      columns.fault(name, "is no column of the data set" +
                              (near.empty() ? "" : "; did you mean \"" + std::string(near) + "\"?"));
      continue;
    }
    const ColumnChange change = read_change(columns, name);
    if (name == plan.target.name) {
      change.apply(plan.target, false);
      continue;
    }
    for (core::Column& column : plan.columns)
      if (column.name == name) change.apply(column, false);
    if (change.type == core::ColumnType::label) columns.fault(name, "only the target is a label");
  }
  if (plan.target.type != core::ColumnType::label && plan.target.type != core::ColumnType::number)
    columns.fault(plan.target.name, "the target must be a label or a number");
}

Json number_json(std::size_t value) { return Json{JsonNumber{static_cast<double>(value), value, true}}; }

Json layer_json(std::size_t units) { return Json{JsonObject{{"units", number_json(units)}}}; }

// Whether a last layer already gives what the target needs.
bool is_output(const Json& layer, const core::Column& target) {
  const Json* type = layer.find("type");
  const std::string* kind = type != nullptr ? type->as<std::string>() : nullptr;
  const Json* units = layer.find("units");
  const JsonNumber* count = units != nullptr ? units->as<JsonNumber>() : nullptr;
  if (count == nullptr || (kind != nullptr && *kind != "dense")) return false;
  const std::size_t classes = target.categories.size();
  if (target.type == core::ColumnType::number) return count->integer == 1;
  return count->integer == classes || (classes == 2 && count->integer == 1);
}

// The body of a network that takes plain numbers, the same but for the fields of the data set.
Json plain_body(const Json& body, const core::Preprocess& fitted) {
  JsonObject plain;
  bool has_layers = false;
  const std::size_t outputs =
      fitted.target.type == core::ColumnType::number ? 1 : fitted.target.categories.size();
  for (const auto& [name, value] : *body.as<JsonObject>()) {
    if (std::find(std::begin(kOwnFields), std::end(kOwnFields), name) != std::end(kOwnFields)) continue;
    plain.emplace_back(name, value);
    if (name != "layers") continue;
    has_layers = true;
    JsonArray layers;
    if (const JsonArray* given = value.as<JsonArray>()) layers = *given;
    if (!value.is_array() || (layers.size() > 0 && is_output(layers.back(), fitted.target))) continue;
    layers.push_back(layer_json(outputs));
    plain.back().second = Json{std::move(layers)};
  }
  if (!has_layers)
    plain.emplace_back("layers", Json{JsonArray{layer_json(kHiddenUnitsDefault), layer_json(outputs)}});
  plain.emplace_back("inputs", number_json(fitted.input_count()));
  return Json{std::move(plain)};
}

}  // namespace

core::Result<CreateNetwork> decode_create_over_dataset(const Json& json, DatasetService& datasets,
                                                       const Limits& limits) {
  auto fitted = fit_to_dataset(json, datasets);
  if (!fitted) return fitted.error();
  return decode_create_fitted(json, *std::move(fitted), limits);
}

core::Result<std::shared_ptr<const core::Preprocess>> fit_to_dataset(const Json& json,
                                                                     DatasetService& datasets) {
  Faults faults;
  ObjectReader body(json, "#", faults);
  const std::string name = body.string("dataset").value_or("");
  for (std::string_view field : {"inputs", "input_names", "class_labels"})
    if (json.find(field) != nullptr) body.fault(field, "comes from the data set; leave it out");
  if (!faults.empty()) return faults.error();
  const core::Result<DatasetView> dataset = datasets.read(name);
  if (!dataset) {
    core::Error error = dataset.error();
    error.code = core::ErrorCode::invalid_argument;
    error.fields.push_back({"#/dataset", "names no data set"});
    return error;
  }
  core::Preprocess plan = core::plan_of(dataset->profile);
  read_changes(body, plan);
  plan.held_out.validation = read_fraction(body, "validation", kValidationFractionDefault);
  plan.held_out.test = read_fraction(body, "test", 0);
  const std::uint64_t seed = body.integer("seed").value_or(0);
  if (!faults.empty()) return faults.error();
  const auto rows = datasets.rows(name);
  if (!rows) return rows.error();
  core::Result<core::Preprocess> fitted = core::fit(std::move(plan), **rows, seed);
  if (!fitted) return fitted.error();
  return std::make_shared<const core::Preprocess>(std::move(fitted).value());
}

core::Result<CreateNetwork> decode_create_fitted(const Json& json,
                                                 std::shared_ptr<const core::Preprocess> fitted,
                                                 const Limits& limits) {
  core::Result<CreateNetwork> request = decode_create(plain_body(json, *fitted), limits.network);
  if (!request) return request;
  const std::size_t outputs = core::output_count(request->spec);
  if (fitted->target.type == core::ColumnType::label && outputs == fitted->target.categories.size())
    request->spec.class_labels = fitted->target.categories;
  request->preprocess = std::move(fitted);
  return request;
}

}  // namespace mlpd::api
