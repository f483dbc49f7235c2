#include "api/encode_trace.h"

#include <cmath>

#include "core/layer_spec.h"
#include "core/named_table.h"

namespace mlpd::api {
namespace {

// Writes traced bricks; a float32 network's numbers are exact in float64 and short again as float32.
class TraceWriter {
 public:
  TraceWriter(JsonWriter& out, core::Dtype dtype) : out_(out), dtype_(dtype) {}

  void write_layer(const core::TracedLayer& layer) {
    out_.begin_object().field("type", core::name_of(core::layer_kinds(), layer.kind));
    if (!layer.activation.empty()) out_.field("activation", layer.activation);
    write_array("input", layer.input);
    write_array("weights", layer.weights);
    write_array("bias", layer.bias);
    write_array("z", layer.z);
    write_array("h", layer.h);
    write_array("dh_dz", layer.dh_dz);
    write_array("dloss_dh", layer.dloss_dh);
    write_array("dloss_dz", layer.dloss_dz);
    write_array("dloss_dweights", layer.dloss_dweights);
    write_array("dloss_dbias", layer.dloss_dbias);
    write_array("weights_next", layer.weights_next);
    write_array("bias_next", layer.bias_next);
    out_.key("formulas").begin_object();
    for (const auto& [name, formula] : layer.formulas) out_.field(name, formula);
    out_.end_object();
    if (!layer.layers.empty()) {
      out_.key("layers").begin_array();
      for (const core::TracedLayer& inner : layer.layers) write_layer(inner);
      out_.end_array();
    }
    out_.end_object();
  }

 private:
  void write_array(std::string_view name, const core::TracedArray& array) {
    out_.key(name);
    if (array.shape.empty())
      out_.null();
    else
      write_level(array, 0, array.values.data());
  }

  // Writes the block that starts at `values`, of the sizes from `level` on; returns its end.
  const double* write_level(const core::TracedArray& array, std::size_t level, const double* values) {
    out_.begin_array();
    for (std::size_t i = 0; i < array.shape[level]; ++i) {
      if (level + 1 < array.shape.size())
        values = write_level(array, level + 1, values);
      else if (dtype_ == core::Dtype::float32)
        out_.value(static_cast<float>(*values++));
      else
        out_.value(*values++);
    }
    out_.end_array();
    return values;
  }

  JsonWriter& out_;
  core::Dtype dtype_;
};

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

void write_trace(JsonWriter& out, const core::Trace& trace, core::Dtype dtype) {
  TraceWriter writer(out, dtype);
  out.begin_object().field("step", trace.step).field("loss", trace.loss).field("data_loss", trace.data_loss);
  out.field("penalty", trace.penalty).field("learning_rate", trace.learning_rate);
  out.field("gradient_norm", trace.gradient_norm).key("layers").begin_array();
  for (const core::TracedLayer& layer : trace.layers) writer.write_layer(layer);
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
