#include "api/preprocess_document.h"

#include <cmath>

#include "core/named_table.h"

namespace mlpd::api {
namespace {

void write_column(JsonWriter& out, const core::Column& column) {
  out.begin_object().field("name", column.name);
  out.field("type", core::name_of(core::column_types(), column.type));
  out.field("scaling", core::name_of(core::scalings(), column.scaling));
  out.field("missing", core::name_of(core::missing_policies(), column.missing));
  out.field("unseen", core::name_of(core::unseen_policies(), column.unseen));
  out.field("offset", column.offset).field("scale", column.scale).field("fill", column.fill);
  out.field("fill_category", column.fill_category).key("categories").values(column.categories);
  out.end_object();
}

template <class T>
void assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
}

core::Column read_column(const Json& json, const std::string& pointer, Faults& faults) {
  core::Column column;
  ObjectReader reader(json, pointer, faults);
  for (std::string_view name : {"name", "type"}) reader.require(name);
  assign(column.name, reader.string("name"));
  assign(column.type, reader.choice("type", core::column_types()));
  assign(column.scaling, reader.choice("scaling", core::scalings()));
  assign(column.missing, reader.choice("missing", core::missing_policies()));
  assign(column.unseen, reader.choice("unseen", core::unseen_policies()));
  assign(column.offset, reader.number("offset"));
  assign(column.scale, reader.number("scale"));
  if (column.scale == 0) reader.fault("scale", "must not be 0");
  assign(column.fill, reader.number("fill"));
  assign(column.fill_category, reader.string("fill_category"));
  assign(column.categories, reader.strings("categories"));
  if (column.categories.size() > core::kCategoriesMax)
    reader.fault("categories", "has more than " + std::to_string(core::kCategoriesMax) + " values");
  reader.finish("a column");
  return column;
}

}  // namespace

void write_preprocess(JsonWriter& out, const core::Preprocess& preprocess) {
  out.begin_object().key("columns").begin_array();
  for (const core::Column& column : preprocess.columns) write_column(out, column);
  out.end_array().key("target");
  write_column(out, preprocess.target);
  out.key("held_out").begin_object().field("test", preprocess.held_out.test);
  out.field("validation", preprocess.held_out.validation).end_object().end_object();
}

std::optional<core::Preprocess> read_preprocess(const Json& json, const std::string& pointer,
                                                Faults& faults) {
  core::Preprocess preprocess;
  const std::size_t faults_before = faults.count();
  ObjectReader reader(json, pointer, faults);
  for (std::string_view name : {"columns", "target"}) reader.require(name);
  const Json* columns = reader.find("columns");
  const auto* list = columns ? columns->as<JsonArray>() : nullptr;
  if (columns && !list) reader.fault("columns", "must be an array of columns with at least one");
  for (std::size_t i = 0; list && i < list->size(); ++i)
    preprocess.columns.push_back(read_column((*list)[i], child(reader.pointer("columns"), i), faults));
  if (const Json* target = reader.find("target"))
    preprocess.target = read_column(*target, reader.pointer("target"), faults);
  if (const Json* held_out = reader.find("held_out")) {
    ObjectReader shares(*held_out, reader.pointer("held_out"), faults);
    assign(preprocess.held_out.test, shares.number("test"));
    assign(preprocess.held_out.validation, shares.number("validation"));
    shares.finish("held_out");
  }
  reader.finish("preprocess");
  if (!list || faults.count() != faults_before) return std::nullopt;
  return preprocess;
}

}  // namespace mlpd::api
