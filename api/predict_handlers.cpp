#include "api/predict_handlers.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "api/decode_train.h"
#include "api/encode_job.h"
#include "api/encode_trace.h"
#include "api/feedback_handlers.h"
#include "api/inference_model.h"
#include "api/inference_service.h"
#include "api/json_writer.h"
#include "api/metrics_service.h"
#include "api/negotiation.h"
#include "api/number_block.h"
#include "api/predict_inputs.h"
#include "api/predict_rows.h"
#include "api/prediction.h"
#include "api/problem.h"
#include "api/version_service.h"
#include "core/importance.h"

namespace mlpd::api {
namespace {

// Narrows checked numbers into the network's dtype.
template <class T>
bool narrow_into(const std::vector<double>& values, std::vector<T>& flat) {
  flat.clear();
  for (double value : values) {
    if constexpr (sizeof(T) == 4)
      flat.push_back(to_float32(value));
    else
      flat.push_back(value);
    if (!std::isfinite(flat.back())) return false;
  }
  return true;
}

core::Error not_in_dtype(std::string_view field) {
  Faults faults;
  faults.add(child("#", field), "holds a number past float32, the network's dtype");
  return faults.error();
}

template <class T>
core::Result<void> take_encoded(const core::Result<std::vector<double>>& encoded, std::vector<T>& flat) {
  if (!encoded) return encoded.error();
  if (!narrow_into(*encoded, flat)) return not_in_dtype("rows");
  return {};
}

// Inputs that the fast path did not take: finds what is wrong, or reads the rarer forms.
template <class T>
core::Result<void> read_slowly(const Json& json, const core::Snapshot& snapshot, std::vector<T>& flat) {
  Faults faults;
  ObjectReader body(json, "#", faults);
  const std::size_t columns = snapshot.spec().inputs;
  const auto preprocess = snapshot.preprocess();
  const Json* rows = body.find("rows");
  if (!rows) body.require("inputs");
  const Json* inputs = body.find("inputs");
  body.finish();
  if (rows && inputs) body.fault("rows", "and inputs can't both be given");
  if (rows && !preprocess)
    body.fault("rows", "need a network that was made from a data set; this one takes numbers: give inputs");
  if (!faults.empty()) return faults.error();
  if (rows) return take_encoded(encode_named_rows(*rows, *preprocess), flat);
  const auto block = read_numbers(*inputs, "#/inputs", faults);
  if (!block) return faults.error();
  const bool row_each = block->shape.size() == 1 && columns == 1;
  if (block->values.empty())
    body.fault("inputs", "must have at least one row");
  else if (!row_each && block->columns() != columns)
    body.fault("inputs", "has " + std::to_string(block->columns()) +
                             " numbers a row, but the network takes " + std::to_string(columns));
  if (!faults.empty()) return faults.error();
  if (!narrow_into(block->values, flat)) return not_in_dtype("inputs");
  return {};
}

std::optional<Json> read_rows_body(const Call& call, Response& refused) {
  if (!is_ndjson(call.request)) return read_json_body(call, refused);
  JsonLimits limits;
  limits.depth = call.services.system.limits().json_depth_max;
  auto body = lines_as_body(call.request.body, limits);
  if (body) return std::move(*body);
  refused = problem(400, body.error().message, call.request);
  return std::nullopt;
}

struct Predicted {
  std::string_view network;
  const core::Snapshot& snapshot;
  std::size_t rows;
  std::size_t outputs;
  bool classifies;
  const std::vector<std::string>& labels;  // empty where classes have indices only
  std::string id;                          // for feedback; empty where it is not kept
};

void write_class(JsonWriter& out, const Predicted& predicted, std::size_t index) {
  if (index < predicted.labels.size())
    out.value(predicted.labels[index]);
  else
    out.value(index);
}

template <class T>
std::string as_json(const Predicted& predicted, const T* outputs) {
  std::string body;
  body.reserve(predicted.rows * (predicted.outputs * 13 + 8) + 128);
  JsonWriter out(body);
  out.begin_object().key("outputs").rows(outputs, predicted.rows, predicted.outputs);
  if (predicted.classifies) {
    out.key("classes").begin_array();
    for (std::size_t r = 0; r < predicted.rows; ++r)
      write_class(out, predicted, class_of(outputs + r * predicted.outputs, predicted.outputs));
    out.end_array();
  }
  out.field("network", predicted.network).field("step", predicted.snapshot.step());
  if (!predicted.id.empty()) out.field(kPredictionId, predicted.id);
  out.end_object();
  return body;
}

template <class T>
std::string as_ndjson(const Predicted& predicted, const T* outputs) {
  std::string body;
  for (std::size_t r = 0; r < predicted.rows; ++r) {
    const T* row = outputs + r * predicted.outputs;
    JsonWriter out(body);
    out.begin_object().key("outputs").values(std::span<const T>(row, predicted.outputs));
    if (predicted.classifies) {
      out.key("class");
      write_class(out, predicted, class_of(row, predicted.outputs));
    }
    out.end_object();
    body += '\n';
  }
  return body;
}

template <class T>
std::string as_csv(const Predicted& predicted, const T* outputs) {
  std::string body;
  for (std::size_t j = 0; j < predicted.outputs; ++j)
    body += (j ? ",output_" : "output_") + std::to_string(j);
  body += predicted.classifies ? ",class\n" : "\n";
  for (std::size_t r = 0; r < predicted.rows; ++r) {
    const T* row = outputs + r * predicted.outputs;
    for (std::size_t j = 0; j < predicted.outputs; ++j) {
      if (j > 0) body += ',';
      append_number(body, row[j]);
    }
    if (predicted.classifies) {
      const std::size_t index = class_of(row, predicted.outputs);
      body += ',';
      append_csv_cell(body,
                      index < predicted.labels.size() ? predicted.labels[index] : std::to_string(index));
    }
    body += '\n';
  }
  return body;
}

// The parameters that answer, and whose they are.
struct Chosen {
  SnapshotPointer snapshot;
  std::optional<std::uint64_t> version;  // none: live, or of a past step
  bool pinned = false;                   // ?version=
  bool past = false;                     // ?step=
};

template <class T>
core::Result<void> read_body(const Call& call, const core::Snapshot& snapshot, std::vector<T>& flat,
                             std::optional<Response>& refused) {
  const core::NetworkSpec& spec = snapshot.spec();
  if (is_csv(call.request)) {
    const auto preprocess = snapshot.preprocess();
    return preprocess ? take_encoded(encode_csv_rows(call.request.body, *preprocess), flat)
                      : read_csv_inputs(call.request.body, spec.inputs, flat);
  }
  if (!is_ndjson(call.request) && read_inputs(call.request.body, spec.inputs, flat) == FastRead::ok)
    return {};
  const auto json = read_rows_body(call, refused.emplace());
  if (!json) return {};
  refused.reset();
  return read_slowly(*json, snapshot, flat);
}

template <class T>
std::string as_text(Media media, const Predicted& predicted, const T* outputs) {
  if (media == Media::csv) return as_csv(predicted, outputs);
  return media == Media::ndjson ? as_ndjson(predicted, outputs) : as_json(predicted, outputs);
}

std::uint64_t nanoseconds_since(std::chrono::steady_clock::time_point begun) {
  return static_cast<std::uint64_t>((std::chrono::steady_clock::now() - begun) / std::chrono::nanoseconds(1));
}

template <class T>
Response predict_as(const Call& call, const Chosen& chosen, Media media, bool wants_id,
                    InferenceRecord& record) {
  thread_local std::vector<T> flat;
  thread_local std::vector<T> outputs;
  static constexpr std::size_t kKeptNumbersMax = 1u << 20;
  const auto begun = std::chrono::steady_clock::now();
  const std::string& network = call.parameter("network");
  const SnapshotPointer& snapshot = chosen.snapshot;
  const core::NetworkSpec& spec = snapshot->spec();
  const auto preprocess = snapshot->preprocess();
  std::optional<Response> refused;
  auto done = read_body(call, *snapshot, flat, refused);
  record.input_ns = nanoseconds_since(begun);
  if (refused) return std::move(*refused);
  if (done) done = compute_outputs<T>(snapshot, flat, outputs);
  if (!done) return problem(done.error(), call.request);
  record.infer_ns = nanoseconds_since(begun) - record.input_ns;
  Predicted predicted{network,
                      *snapshot,
                      flat.size() / spec.inputs,
                      core::output_count(spec),
                      core::is_classifier(spec),
                      labels_of(spec, preprocess.get()),
                      {}};
  record.rows = predicted.rows;
  if (call.services.metrics != nullptr)
    call.services.metrics->record_inference(predicted.rows, static_cast<double>(record.infer_ns) / 1e9);
  if (!chosen.past) {
    auto id = keep_prediction(call,
                              {network, chosen.version, chosen.pinned, snapshot, std::span<const T>(flat),
                               std::span<const T>(outputs)},
                              wants_id);
    if (!id) return problem(id.error(), call.request);
    predicted.id = *std::move(id);
  }
  Response response = media_response(media, as_text(media, predicted, outputs.data()));
  if (!predicted.id.empty()) response.set_header(kPredictionIdHeader, predicted.id);
  record.succeeded = true;
  record.output_ns = nanoseconds_since(begun) - record.input_ns - record.infer_ns;
  if (flat.capacity() > kKeptNumbersMax) std::vector<T>().swap(flat);
  if (outputs.capacity() > kKeptNumbersMax) std::vector<T>().swap(outputs);
  return response;
}

// The learner at ?step= and the rows of the body.
struct Probe {
  std::unique_ptr<core::Learner> learner;
  std::shared_ptr<const core::Dataset> data;
  std::shared_ptr<const core::Preprocess> preprocess;
  std::optional<bool> importance;  ///< asked for, not wanted, or where it is cheap
};

// Multiply-adds of a permutation importance: done unasked up to the first, refused past the second.
constexpr double kCheapImportance = 2e8;
constexpr double kImportanceMax = 1e11;

// Empty where it is not wanted.
core::Result<std::vector<core::ColumnImportance>> importance_of(const Probe& what) {
  const core::NetworkSpec& spec = what.learner->spec();
  const auto columns = core::column_inputs(spec, what.preprocess.get());
  const double work = static_cast<double>(columns.size() * core::kImportanceRepeats) *
                      static_cast<double>(what.data->rows) * static_cast<double>(core::parameter_count(spec));
  if (!what.importance.value_or(work <= kCheapImportance)) return std::vector<core::ColumnImportance>();
  if (work > kImportanceMax)
    return core::Error{core::ErrorCode::invalid_argument,
                       "The importance of " + std::to_string(columns.size()) + " columns over " +
                           std::to_string(what.data->rows) + " rows takes too long; give fewer rows.",
                       {{"#/importance", "takes too long on so many rows"}}};
  return core::permutation_importance(*what.learner, *what.data, columns, spec.seed);
}

core::Result<std::shared_ptr<const core::Dataset>> part_of(DatasetService& datasets, const std::string& name,
                                                           core::Part part, const NetworkView& network) {
  const auto dataset = datasets.read(name);
  if (!dataset) return dataset.error();
  const auto rows = datasets.rows(name);
  if (!rows) return rows.error();
  auto data = core::encode_part(dataset->profile, **rows, network.preprocess.get(), part, network.spec.inputs,
                                core::output_count(network.spec), network.spec.seed);
  if (!data) return data.error();
  return std::make_shared<const core::Dataset>(std::move(*data));
}

std::optional<Probe> probe(const Call& call, Response& refused, bool evaluates) {
  const std::string& name = call.parameter("network");
  const auto fail = [&](const core::Error& error) {
    refused = problem(error, call.request);
    return std::nullopt;
  };
  const auto step = query_integer(call.request, "step");
  if (!step) return fail(step.error());
  const auto network = call.services.networks.read(name);
  if (!network) return fail(network.error());
  const auto json = read_json_body(call, refused, true);
  if (!json) return std::nullopt;
  const auto source = decode_data_body(*json, network->spec, evaluates);
  if (!source) return fail(source.error());
  auto data =
      source->part && call.services.datasets != nullptr
          ? part_of(*call.services.datasets, std::get<std::string>(*source->source), *source->part, *network)
          : call.services.networks.data(name, source->source);
  if (!data) return fail(data.error());
  auto learner = call.services.networks.learner(name, *step);
  if (!learner) return fail(learner.error());
  return Probe{std::move(*learner), std::move(*data), network->preprocess, source->importance};
}

// The live parameters, those of ?step=, or those of ?version= or ?alias=.
core::Result<Chosen> choose(const Call& call) {
  const std::string& network = call.parameter("network");
  const auto step = query_integer(call.request, "step");
  if (!step) return step.error();
  const auto version = call.request.query_value("version");
  const auto alias = call.request.query_value("alias");
  if (!version && !alias) {
    auto snapshot = call.services.networks.snapshot(network, *step);
    if (!snapshot) return snapshot.error();
    return Chosen{std::move(*snapshot), {}, false, step->has_value()};
  }
  Faults faults;
  if (*step) faults.add("?step", "can't be given with a version or alias");
  if (version && alias) faults.add("?alias", "can't be given with a version");
  if (!faults.empty()) return faults.error();
  if (call.services.versions == nullptr)
    return core::Error{core::ErrorCode::not_found, "there are no versions here", {}};
  auto resolved = call.services.versions->resolve(network, std::string(version ? *version : *alias));
  if (!resolved) return resolved.error();
  return Chosen{std::move(resolved->snapshot), resolved->version, version.has_value(), false};
}

}  // namespace

Response predict(const Call& call) {
  static constexpr Media kOffered[] = {Media::json, Media::csv, Media::ndjson};
  const auto media = choose_media(call.request, kOffered);
  if (!media) return problem(406, media.error().message, call.request);
  const auto wants_id = query_flag(call.request, kPredictionId);
  if (!wants_id) return problem(wants_id.error(), call.request);
  const auto chosen = choose(call);
  if (!chosen) return problem(chosen.error(), call.request);
  if (*wants_id && chosen->past) {
    Faults faults;
    faults.add("?prediction_id", "can't be given with a step");
    return problem(faults.error(), call.request);
  }
  InferenceRecord record;
  Response response = chosen->snapshot->spec().dtype == core::Dtype::float32
                          ? predict_as<float>(call, *chosen, *media, *wants_id, record)
                          : predict_as<double>(call, *chosen, *media, *wants_id, record);
  if (call.services.inference != nullptr && !chosen->past)
    call.services.inference->record(call.parameter("network"), version_name(chosen->version), record);
  return response;
}

Response evaluate(const Call& call) {
  Response refused;
  const auto what = probe(call, refused, true);
  if (!what) return refused;
  const auto evaluation = what->learner->evaluate(*what->data);
  if (!evaluation) return problem(evaluation.error(), call.request);
  const auto importance = importance_of(*what);
  if (!importance) return problem(importance.error(), call.request);
  std::string body;
  JsonWriter out(body);
  write_evaluation(out, *evaluation, *importance, what->learner->step(), call.parameter("network"));
  return json_response(std::move(body));
}

Response trace(const Call& call) {
  Response refused;
  const auto what = probe(call, refused, false);
  if (!what) return refused;
  const auto traced = what->learner->trace(*what->data, call.services.system.limits().trace);
  if (!traced) return problem(traced.error(), call.request);
  std::string body;
  JsonWriter out(body);
  write_trace(out, *traced, what->learner->spec().dtype);
  return json_response(std::move(body));
}

}  // namespace mlpd::api
