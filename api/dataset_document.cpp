#include "api/dataset_document.h"

#include "core/named_table.h"

namespace mlpd::api {
namespace {

void write_column(JsonWriter& out, const core::ColumnProfile& column) {
  out.begin_object().field("name", column.name);
  out.field("type", core::name_of(core::column_types(), column.type));
  out.field("count", column.count).field("missing", column.missing);
  if (column.distinct > 0) out.field("distinct", column.distinct);
  if (column.type == core::ColumnType::number && column.count > 0) {
    out.field("minimum", column.minimum).field("maximum", column.maximum);
    out.field("mean", column.mean).field("deviation", column.deviation).key("quantiles").begin_object();
    for (std::size_t i = 0; i < column.quantiles.size(); ++i) {
      std::string name;
      append_number(name, core::kProfileQuantiles[i]);
      out.field(name, column.quantiles[i]);
    }
    out.end_object();
    if (column.sampled) out.field("sampled", true);
  }
  if (!column.top.empty()) {
    out.key("top").begin_array();
    for (const core::CategoryCount& top : column.top)
      out.begin_object().field("value", top.value).field("count", top.count).end_object();
    out.end_array();
  }
  out.end_object();
}

template <class T>
void assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
}

void read_statistics(ObjectReader& reader, core::ColumnProfile& column) {
  assign(column.minimum, reader.number("minimum"));
  assign(column.maximum, reader.number("maximum"));
  assign(column.mean, reader.number("mean"));
  assign(column.deviation, reader.number("deviation"));
  assign(column.sampled, reader.boolean("sampled"));
  if (const Json* quantiles = reader.find("quantiles"))
    if (const JsonObject* fields = quantiles->as<JsonObject>())
      for (const auto& [name, value] : *fields)
        if (const JsonNumber* number = value.as<JsonNumber>()) column.quantiles.push_back(number->value);
}

core::ColumnProfile read_column(const Json& json, const std::string& pointer, Faults& faults) {
  core::ColumnProfile column;
  ObjectReader reader(json, pointer, faults);
  for (std::string_view name : {"name", "type", "count", "missing"}) reader.require(name);
  assign(column.name, reader.string("name"));
  assign(column.type, reader.choice("type", core::column_types()));
  assign(column.count, reader.integer("count"));
  assign(column.missing, reader.integer("missing"));
  assign(column.distinct, reader.integer("distinct"));
  read_statistics(reader, column);
  const Json* top = reader.find("top");
  if (const JsonArray* list = top != nullptr ? top->as<JsonArray>() : nullptr) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      ObjectReader entry((*list)[i], child(reader.pointer("top"), i), faults);
      core::CategoryCount count;
      assign(count.value, entry.string("value"));
      assign(count.count, entry.integer("count"));
      entry.finish("a value");
      column.top.push_back(std::move(count));
    }
  }
  reader.finish("a column");
  return column;
}

}  // namespace

void write_dataset_fields(JsonWriter& out, const DatasetView& dataset) {
  out.field("name", dataset.name).field("source", dataset.source).field("rows", dataset.profile.rows);
  out.field("target", dataset.profile.target).key("columns").begin_array();
  for (const core::ColumnProfile& column : dataset.profile.columns) write_column(out, column);
  out.end_array();
  if (dataset.read_only) {
    out.field("read_only", true);
    return;
  }
  out.field("bytes", dataset.bytes).field("sha256", dataset.sha256).field("created_at", dataset.created_at);
}

DatasetView read_dataset_fields(ObjectReader& body) {
  DatasetView dataset;
  for (std::string_view name : {"name", "source", "rows", "target", "columns", "sha256", "created_at"})
    body.require(name);
  assign(dataset.name, body.string("name"));
  assign(dataset.source, body.string("source"));
  assign(dataset.profile.rows, body.integer("rows"));
  assign(dataset.profile.target, body.string("target"));
  assign(dataset.bytes, body.integer("bytes"));
  assign(dataset.sha256, body.string("sha256"));
  if (const auto text = body.string("created_at")) {
    if (const auto time = parse_timestamp(*text))
      dataset.created_at = *time;
    else
      body.fault("created_at", "must be a time");
  }
  const Json* columns = body.find("columns");
  const JsonArray* list = columns != nullptr ? columns->as<JsonArray>() : nullptr;
  if (columns != nullptr && list == nullptr) body.fault("columns", "must be an array of columns");
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i)
    dataset.profile.columns.push_back(
        read_column((*list)[i], child(body.pointer("columns"), i), body.faults()));
  return dataset;
}

void write_cell(JsonWriter& out, const core::Cell& cell) {
  if (const std::string* text = std::get_if<std::string>(&cell))
    out.value(*text);
  else if (const double* number = std::get_if<double>(&cell))
    out.value(*number);
  else
    out.null();
}

}  // namespace mlpd::api
