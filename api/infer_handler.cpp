#include "api/infer_handler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "api/feedback_handlers.h"
#include "api/inference_model.h"
#include "api/inference_request.h"
#include "api/inference_service.h"
#include "api/json_writer.h"
#include "api/metrics_service.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "api/tensor_codec.h"

namespace mlpd::api {
namespace {

/// Cells of raw columns in one request: they are read one by one.
constexpr std::size_t kRawCellsMax = 2'000'000;
/// A thread keeps no more numbers than this for the next request.
constexpr std::size_t kKeptNumbersMax = 1u << 20;
constexpr std::string_view kJsonLengthHeader = "Inference-Header-Content-Length";

core::Error invalid(std::string message) {
  return {core::ErrorCode::invalid_argument, std::move(message), {}};
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text;
  JsonWriter(text).values(shape);
  return text;
}

// Rows of the network's own columns in one tensor.
template <class T>
core::Result<void> read_matrix(const InferenceModel& model, const InferenceRequest& request,
                               std::vector<T>& flat) {
  const std::size_t columns = model.snapshot->spec().inputs;
  for (const Tensor& tensor : request.inputs)
    if (tensor.name != kMatrixInput)
      return invalid("unexpected inference input '" + tensor.name + "' for model '" + model.name +
                     "', which takes '" + std::string(kMatrixInput) + "'");
  const Tensor& tensor = request.inputs.front();
  if (tensor.shape.size() != 2 || tensor.shape[1] != columns)
    return invalid("unexpected shape for input '" + tensor.name + "' of model '" + model.name +
                   "': expected [-1," + std::to_string(columns) + "], got " + shape_text(tensor.shape));
  return decode_numbers(tensor, flat);
}

// The body's bytes as rows of the network's own columns and dtype.
template <class T>
core::Result<void> read_raw(const InferenceModel& model, std::string_view body, std::vector<T>& flat) {
  const std::size_t columns = model.snapshot->spec().inputs, row_bytes = columns * sizeof(T);
  if (model.snapshot->preprocess())
    return invalid("a body without JSON needs a model with one input; name the tensors of '" + model.name +
                   "'");
  if (body.empty() || body.size() % row_bytes != 0)
    return invalid("a body without JSON must hold whole rows of " + std::to_string(row_bytes) +
                   " bytes, not " + std::to_string(body.size()));
  Tensor tensor{std::string(kMatrixInput),
                sizeof(T) == 4 ? Datatype::fp32 : Datatype::fp64,
                {body.size() / row_bytes, columns},
                body.size() / sizeof(T),
                body};
  return decode_numbers(tensor, flat);
}

core::Result<core::Table> read_table(const InferenceRequest& request) {
  core::Table table;
  const std::size_t rows = request.inputs.front().elements;
  if (rows > kRawCellsMax / request.inputs.size())
    return invalid("raw columns are limited to " + std::to_string(kRawCellsMax) +
                   " values in one request; send the rows in parts");
  table.rows.assign(rows, std::vector<core::Cell>(request.inputs.size()));
  for (const Tensor& tensor : request.inputs) {
    const bool is_column = tensor.shape.size() == 1 || (tensor.shape.size() == 2 && tensor.shape[1] == 1);
    if (!is_column || tensor.elements != rows)
      return invalid("unexpected shape for input '" + tensor.name + "': expected [" + std::to_string(rows) +
                     ",1], a column as long as the others, got " + shape_text(tensor.shape));
    auto cells = decode_cells(tensor);
    if (!cells) return cells.error();
    for (std::size_t r = 0; r < rows; ++r) table.rows[r][table.columns.size()] = std::move((*cells)[r]);
    table.columns.push_back(tensor.name);
  }
  return table;
}

// One tensor for each raw column, through the network's preprocessing.
template <class T>
core::Result<void> read_columns(const core::Preprocess& preprocess, const InferenceRequest& request,
                                std::vector<T>& flat) {
  const auto table = read_table(request);
  if (!table) return table.error();
  const auto encoded = core::encode_inputs(preprocess, core::TableSource(*table));
  if (!encoded) return encoded.error();
  flat.assign(encoded->begin(), encoded->end());
  if (std::all_of(flat.begin(), flat.end(), [](T value) { return std::isfinite(value); })) return {};
  return invalid("a value is past the network's dtype");
}

template <class T>
core::Result<void> read_inputs(const InferenceModel& model, const InferenceRequest& request,
                               std::string_view body, std::vector<T>& flat) {
  if (request.is_raw) return read_raw(model, body, flat);
  const auto preprocess = model.snapshot->preprocess();
  if (!preprocess) return read_matrix(model, request, flat);
  const auto is_matrix_name = [](const auto& named) { return named.name == kMatrixInput; };
  const bool is_column = std::any_of(preprocess->columns.begin(), preprocess->columns.end(), is_matrix_name);
  const bool is_matrix = request.inputs.size() == 1 && is_matrix_name(request.inputs.front()) && !is_column;
  return is_matrix ? read_matrix(model, request, flat) : read_columns(*preprocess, request, flat);
}

template <class T>
struct Outputs {
  const core::NetworkSpec& spec;
  const std::vector<std::string>& labels;
  const T* values;
  std::size_t rows;
  std::size_t columns;
};

// "value:index[:label]" of the largest values of a row. A classifier of one output has two classes.
template <class T>
void classify_row(const Outputs<T>& outputs, std::size_t row, std::size_t count,
                  std::vector<std::string>& out) {
  const T* begin = outputs.values + row * outputs.columns;
  std::vector<T> scores(begin, begin + outputs.columns);
  if (outputs.columns == 1 && core::is_classifier(outputs.spec)) scores = {T{1} - *begin, *begin};
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  count = std::min(count, order.size());
  const auto larger = [&](std::size_t a, std::size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), larger);
  for (std::size_t i = 0; i < count; ++i) {
    std::string text;
    append_number(text, scores[order[i]]);
    text += ':' + std::to_string(order[i]);
    if (order[i] < outputs.labels.size()) text += ':' + outputs.labels[order[i]];
    out.push_back(std::move(text));
  }
}

void write_shape(JsonWriter& out, std::size_t rows, std::size_t columns) {
  out.key("shape").begin_array().value(rows).value(columns).end_array();
}

void write_binary_size(JsonWriter& out, std::size_t size) {
  out.key("parameters").begin_object().field("binary_data_size", size).end_object();
}

template <class T>
void write_classes(JsonWriter& out, const Outputs<T>& outputs, const OutputRequest& request,
                   std::string& binary) {
  std::vector<std::string> texts;
  for (std::size_t r = 0; r < outputs.rows; ++r) classify_row(outputs, r, request.classification, texts);
  const bool is_pair = outputs.columns == 1 && core::is_classifier(outputs.spec);
  const std::size_t classes = std::min(request.classification, is_pair ? 2 : outputs.columns);
  out.field("datatype", "BYTES");
  write_shape(out, outputs.rows, classes);
  if (!request.binary) {
    out.key("data").values(texts);
    return;
  }
  const std::size_t before = binary.size();
  for (const std::string& text : texts) append_bytes(binary, text);
  write_binary_size(out, binary.size() - before);
}

template <class T>
void write_numbers(JsonWriter& out, const Outputs<T>& outputs, const OutputRequest& request,
                   std::string& binary) {
  const std::span<const T> values(outputs.values, outputs.rows * outputs.columns);
  out.field("datatype", sizeof(T) == 4 ? "FP32" : "FP64");
  write_shape(out, outputs.rows, outputs.columns);
  if (!request.binary) {
    out.key("data").values(values);
    return;
  }
  append_numbers(binary, values);
  write_binary_size(out, values.size_bytes());
}

template <class T>
Response answer(const InferenceModel& model, const InferenceRequest& request, const Outputs<T>& outputs,
                const std::string& prediction_id) {
  std::vector<OutputRequest> wanted = request.outputs;
  if (wanted.empty()) wanted.push_back({std::string(kMatrixOutput), request.binary_output, 0});
  std::string json, binary;
  json.reserve(256 + (wanted.front().binary ? 0 : outputs.rows * outputs.columns * 13));
  JsonWriter out(json);
  out.begin_object().field("model_name", model.name).field("model_version", model.version);
  out.optional_field("id", request.id);
  if (!prediction_id.empty())
    out.key("parameters").begin_object().field(kPredictionId, prediction_id).end_object();
  out.key("outputs").begin_array();
  for (const OutputRequest& output : wanted) {
    out.begin_object().field("name", output.name);
    if (output.classification > 0)
      write_classes(out, outputs, output, binary);
    else
      write_numbers(out, outputs, output, binary);
    out.end_object();
  }
  out.end_array().end_object();
  const bool is_binary = std::any_of(wanted.begin(), wanted.end(), [](const auto& o) { return o.binary; });
  const std::string length = std::to_string(json.size());
  Response response =
      is_binary ? media_response(Media::binary, json += binary) : json_response(std::move(json));
  if (is_binary) response.set_header(kJsonLengthHeader, length);
  if (!prediction_id.empty()) response.set_header(kPredictionIdHeader, prediction_id);
  return response;
}

core::Result<void> check_outputs(const InferenceModel& model, const InferenceRequest& request) {
  for (const OutputRequest& output : request.outputs)
    if (output.name != kMatrixOutput)
      return invalid("unexpected inference output '" + output.name + "' for model '" + model.name +
                     "', which has '" + std::string(kMatrixOutput) + "'");
  return {};
}

template <class T>
core::Result<Response> infer_as(const Call& call, const InferenceModel& model, InferenceRecord& record) {
  thread_local std::vector<T> flat;
  thread_local std::vector<T> computed;
  InferenceService& service = *call.services.inference;
  const std::uint64_t begin = service.now_ns();
  JsonLimits limits;
  limits.depth = call.services.system.limits().json_depth_max;
  const std::string& body = call.request.body;
  const auto request = read_inference_request(body, call.request.header(kJsonLengthHeader), limits);
  if (!request) return request.error();
  if (auto known = check_outputs(model, *request); !known) return known.error();
  if (auto read = read_inputs(model, *request, body, flat); !read) return read.error();
  const std::uint64_t read_at = service.now_ns();
  if (auto run = compute_outputs<T>(model.snapshot, flat, computed); !run) return run.error();
  const std::uint64_t computed_at = service.now_ns();
  const core::NetworkSpec& spec = model.snapshot->spec();
  const auto preprocess = model.snapshot->preprocess();
  const std::size_t columns = core::output_count(spec);
  const Outputs<T> outputs{spec, labels_of(spec, preprocess.get()), computed.data(),
                           computed.size() / columns, columns};
  if (call.services.metrics != nullptr)
    call.services.metrics->record_inference(outputs.rows, static_cast<double>(computed_at - read_at) / 1e9);
  const auto prediction_id = keep_prediction(call,
                                             {model.name, model.number, model.pinned, model.snapshot,
                                              std::span<const T>(flat), std::span<const T>(computed)},
                                             request->prediction_id);
  if (!prediction_id) return prediction_id.error();
  Response response = answer(model, *request, outputs, *prediction_id);
  record = {true, outputs.rows, read_at - begin, computed_at - read_at, service.now_ns() - computed_at};
  if (flat.capacity() > kKeptNumbersMax) std::vector<T>().swap(flat);
  if (computed.capacity() > kKeptNumbersMax) std::vector<T>().swap(computed);
  return response;
}

}  // namespace

Response infer(const Call& call) {
  const auto model = find_inference_model(call);
  if (!model) return problem(model.error(), call.request);
  InferenceService& service = *call.services.inference;
  const std::uint64_t begin = service.now_ns();
  InferenceRecord record;
  auto response = model->snapshot->spec().dtype == core::Dtype::float32
                      ? infer_as<float>(call, *model, record)
                      : infer_as<double>(call, *model, record);
  if (!response) record.input_ns = service.now_ns() - begin;
  service.record(model->name, model->version, record);
  if (!response) return problem(response.error(), call.request);
  return std::move(*response);
}

}  // namespace mlpd::api
