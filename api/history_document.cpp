#include "api/history_document.h"

#include <algorithm>
#include <cmath>

namespace mlpd::api {
namespace {

// Fields of a record after step and epoch, in the order of record_fields().
constexpr double core::Record::*kMeasured[] = {
    &core::Record::loss,
    &core::Record::data_loss,
    &core::Record::penalty,
    &core::Record::learning_rate,
    &core::Record::gradient_norm,
    &core::Record::accuracy,
    &core::Record::validation_loss,
    &core::Record::validation_accuracy,
};

// A column's values; null (kAbsent) is allowed but in step and epoch.
std::optional<std::vector<double>> read_column(ObjectReader& columns, std::string_view name) {
  const Json* json = columns.find(name);
  if (!json) return std::nullopt;
  if (const auto* numbers = json->as<JsonNumbers>()) return *numbers;
  const auto* mixed = json->as<JsonArray>();
  std::vector<double> values;
  for (const Json& item : mixed ? *mixed : JsonArray{}) {
    const auto* number = item.as<JsonNumber>();
    if (!number && !item.is_null()) break;
    values.push_back(number ? number->value : core::kAbsent);
  }
  if (mixed && values.size() == mixed->size()) return values;
  columns.fault(name, "must be an array of numbers and nulls");
  return std::nullopt;
}

bool is_count(double value) {
  return value >= 0 && value <= 9007199254740992.0 && value == std::floor(value);
}

}  // namespace

void write_history_fields(JsonWriter& out, const core::History::State& history) {
  out.begin_object()
      .field("stride", history.stride)
      .field("seen", history.seen)
      .key("columns")
      .begin_object();
  const auto& names = core::record_fields();
  out.key(names[0]).begin_array();
  for (const core::Record& record : history.records) out.value(record.step);
  out.end_array().key(names[1]).begin_array();
  for (const core::Record& record : history.records) out.value(record.epoch);
  out.end_array();
  for (std::size_t f = 0; f < std::size(kMeasured); ++f) {
    const auto has_value = [&](const core::Record& record) { return !std::isnan(record.*kMeasured[f]); };
    if (std::none_of(history.records.begin(), history.records.end(), has_value)) continue;
    out.key(names[f + 2]).begin_array();
    for (const core::Record& record : history.records) out.value(record.*kMeasured[f]);
    out.end_array();
  }
  out.end_object().end_object();
}

core::History::State read_history_fields(const Json& json, const std::string& pointer, Faults& faults) {
  core::History::State history;
  ObjectReader reader(json, pointer, faults);
  history.stride = reader.integer("stride").value_or(1);
  history.seen = reader.integer("seen").value_or(0);
  if (history.stride == 0) reader.fault("stride", "must be at least 1");
  reader.find("checksum");
  reader.require("columns");
  const Json* table = reader.find("columns");
  reader.finish("history");
  if (!table) return history;
  ObjectReader columns(*table, reader.pointer("columns"), faults);
  const auto& names = core::record_fields();
  const auto steps = read_column(columns, names[0]);
  const auto epochs = read_column(columns, names[1]);
  const std::size_t rows = steps ? steps->size() : 0;
  history.records.resize(rows);
  const auto check_length = [&](std::string_view name, const std::vector<double>& values) {
    if (values.size() == rows) return true;
    columns.fault(name, "must be as long as step: " + std::to_string(rows));
    return false;
  };
  for (std::size_t r = 0; r < rows; ++r) {
    if (!is_count((*steps)[r]) || (r > 0 && (*steps)[r] <= (*steps)[r - 1])) {
      columns.fault(names[0], "must be whole numbers that increase");
      break;
    }
    history.records[r].step = static_cast<std::uint64_t>((*steps)[r]);
  }
  if (epochs && check_length(names[1], *epochs)) {
    for (std::size_t r = 0; r < rows; ++r)
      history.records[r].epoch = is_count((*epochs)[r]) ? static_cast<std::uint64_t>((*epochs)[r]) : 0;
  }
  for (std::size_t f = 0; f < std::size(kMeasured); ++f) {
    const auto values = read_column(columns, names[f + 2]);
    if (!values || !check_length(names[f + 2], *values)) continue;
    for (std::size_t r = 0; r < rows; ++r) history.records[r].*kMeasured[f] = (*values)[r];
  }
  columns.finish("history");
  return history;
}

}  // namespace mlpd::api
