#include "api/encode_trace.h"

#include <cmath>

#include "core/layer_spec.h"
#include "core/named_table.h"

namespace mlpd::api {
namespace {

// `depth` of nesting: bias arrays are 1 × units and shown as they are, a matrix of one row.
void write_array(JsonWriter& out, std::string_view name, const core::TracedArray& array) {
  out.key(name);
  if (array.shape.empty()) {
    out.null();
    return;
  }
  if (array.shape.size() == 2) {
    out.rows(array.values.data(), array.shape[0], array.shape[1]);
    return;
  }
  const std::size_t block = array.shape[1] * array.shape[2];
  out.begin_array();
  for (std::size_t b = 0; b < array.shape[0]; ++b)
    out.rows(array.values.data() + b * block, array.shape[1], array.shape[2]);
  out.end_array();
}

void write_layer(JsonWriter& out, const core::TracedLayer& layer) {
  out.begin_object().field("type", core::name_of(core::layer_kinds(), layer.kind));
  if (!layer.activation.empty()) out.field("activation", layer.activation);
  write_array(out, "input", layer.input);
  write_array(out, "weights", layer.weights);
  write_array(out, "bias", layer.bias);
  write_array(out, "z", layer.z);
  write_array(out, "h", layer.h);
  write_array(out, "dh_dz", layer.dh_dz);
  write_array(out, "dloss_dh", layer.dloss_dh);
  write_array(out, "dloss_dz", layer.dloss_dz);
  write_array(out, "dloss_dweights", layer.dloss_dweights);
  write_array(out, "dloss_dbias", layer.dloss_dbias);
  write_array(out, "weights_next", layer.weights_next);
  write_array(out, "bias_next", layer.bias_next);
  out.key("formulas").begin_object();
  for (const auto& [name, formula] : layer.formulas) out.field(name, formula);
  out.end_object();
  if (!layer.layers.empty()) {
    out.key("layers").begin_array();
    for (const core::TracedLayer& inner : layer.layers) write_layer(out, inner);
    out.end_array();
  }
  out.end_object();
}

// Counts are written as whole numbers, never as 1e+06.
bool is_count(std::string_view column) { return column == "step" || column == "epoch"; }

void append_cell(std::string& out, std::string_view column, double value) {
  if (is_count(column) && std::isfinite(value))
    append_number(out, static_cast<std::uint64_t>(value));
  else
    append_number(out, value);
}

std::size_t length_of(const core::HistoryColumns& columns) {
  return columns.values.empty() ? 0 : columns.values.front().size();
}

}  // namespace

void write_trace(JsonWriter& out, const core::Trace& trace) {
  out.begin_object().field("step", trace.step).field("loss", trace.loss).field("data_loss", trace.data_loss);
  out.field("penalty", trace.penalty).field("learning_rate", trace.learning_rate);
  out.field("gradient_norm", trace.gradient_norm).key("layers").begin_array();
  for (const core::TracedLayer& layer : trace.layers) write_layer(out, layer);
  out.end_array().end_object();
}

void write_history_columns(JsonWriter& out, const core::HistoryColumns& columns) {
  out.begin_object();
  std::string list;
  for (std::size_t c = 0; c < columns.names.size(); ++c) {
    list = "[";
    for (std::size_t r = 0; r < columns.values[c].size(); ++r) {
      if (r > 0) list += ',';
      append_cell(list, columns.names[c], columns.values[c][r]);
    }
    out.key(columns.names[c]).text(list + "]");
  }
  out.end_object();
}

std::string history_as_csv(const core::HistoryColumns& columns) {
  std::string out;
  for (std::size_t c = 0; c < columns.names.size(); ++c) out += (c ? "," : "") + columns.names[c];
  out += '\n';
  for (std::size_t r = 0; r < length_of(columns); ++r) {
    for (std::size_t c = 0; c < columns.names.size(); ++c) {
      if (c > 0) out += ',';
      if (std::isfinite(columns.values[c][r])) append_cell(out, columns.names[c], columns.values[c][r]);
    }
    out += '\n';
  }
  return out;
}

std::string history_as_ndjson(const core::HistoryColumns& columns) {
  std::string out;
  for (std::size_t r = 0; r < length_of(columns); ++r) {
    out += '{';
    bool first = true;
    for (std::size_t c = 0; c < columns.names.size(); ++c) {
      if (!std::isfinite(columns.values[c][r])) continue;
      if (!first) out += ',';
      first = false;
      append_string(out, columns.names[c]);
      out += ':';
      append_cell(out, columns.names[c], columns.values[c][r]);
    }
    out += "}\n";
  }
  return out;
}

void append_csv_cell(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace mlpd::api
