#include "api/journal_document.h"

#include <algorithm>
#include <cmath>

#include "api/decode_network.h"
#include "api/encode_job.h"
#include "api/encode_network.h"
#include "api/history_document.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/model_document.h"
#include "api/number_block.h"

namespace mlpd::api {
namespace {

template <class Fill>
std::string write_object(Fill&& fill) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  fill(out);
  out.end_object();
  return text;
}

// Parses, lets `read` take the fields, refuses unknown ones. A seal's checksum may be there.
template <class T, class Read>
core::Result<T> read_object(std::string_view text, Read&& read) {
  auto json = parse_json(text);
  if (!json) return json.error();
  Faults faults;
  ObjectReader body(*json, "#", faults);
  T value{};
  if (body.is_object()) {
    body.find("checksum");
    read(body, value);
    body.finish();
  }
  if (!faults.empty()) return faults.error();
  return value;
}

template <class T, class U>
void assign(T& target, const std::optional<U>& value) {
  if (value) target = *value;
}

void write_generator(JsonWriter& out, const core::GeneratorOptions& options) {
  out.begin_object().field("generator", core::name_of(core::generators(), options.kind));
  out.field("rows", options.rows).field("noise", options.noise).field("seed", options.seed);
  out.field("classes", options.classes).end_object();
}

core::GeneratorOptions read_generator(ObjectReader& body, const Json& json) {
  core::GeneratorOptions options;
  ObjectReader reader(json, body.pointer("data"), body.faults());
  reader.require("generator");
  assign(options.kind, reader.choice("generator", core::generators()));
  assign(options.rows, reader.integer("rows"));
  assign(options.noise, reader.number("noise"));
  assign(options.seed, reader.integer("seed"));
  assign(options.classes, reader.integer("classes"));
  reader.finish("generated data");
  return options;
}

void write_plan(JsonWriter& out, const core::TrainingPlan& plan) {
  out.field("steps", plan.steps).field("batch_size", plan.batches.batch_size);
  out.field("shuffle", plan.batches.shuffle);
  if (!plan.batches.class_weights.empty()) out.key("class_weights").values(plan.batches.class_weights);
  out.field("validation_fraction", plan.validation_fraction).field("keep_best", plan.keep_best);
  out.field("record_every", plan.record_every);
  if (!plan.early_stopping) return;
  out.key("early_stopping").begin_object().field("patience", plan.early_stopping->patience);
  out.field("metric", plan.early_stopping->metric).field("min_delta", plan.early_stopping->min_delta);
  out.end_object();
}

void read_plan(ObjectReader& body, core::TrainingPlan& plan) {
  assign(plan.steps, body.integer("steps"));
  assign(plan.batches.batch_size, body.integer("batch_size"));
  assign(plan.batches.shuffle, body.boolean("shuffle"));
  if (const Json* weights = body.find("class_weights"))
    if (auto block = read_numbers(*weights, body.pointer("class_weights"), body.faults()))
      plan.batches.class_weights = std::move(block->values);
  assign(plan.validation_fraction, body.number("validation_fraction"));
  assign(plan.keep_best, body.boolean("keep_best"));
  assign(plan.record_every, body.integer("record_every"));
  if (const Json* json = body.find("early_stopping")) {
    ObjectReader reader(*json, body.pointer("early_stopping"), body.faults());
    core::EarlyStopping stopping;
    assign(stopping.patience, reader.integer("patience"));
    assign(stopping.metric, reader.string("metric"));
    assign(stopping.min_delta, reader.number("min_delta"));
    reader.finish("early_stopping");
    plan.early_stopping = stopping;
  }
}

void write_stored_evaluation(JsonWriter& out, const core::Evaluation& evaluation) {
  out.begin_object().field("rows", evaluation.rows).field("loss", evaluation.loss);
  out.field("data_loss", evaluation.data_loss).field("penalty", evaluation.penalty);
  out.key("metrics").begin_array();  // an array: their order is part of the value
  for (const auto& [name, value] : evaluation.metrics)
    out.begin_object().field("name", name).field("value", value).end_object();
  out.end_array().key("confusion").begin_array();
  for (const auto& row : evaluation.confusion) out.values(row);
  out.end_array().end_object();
}

// A number that may have been written as null because it was not finite.
double number_or_absent(ObjectReader& reader, std::string_view name) {
  const Json* json = reader.find(name);
  if (!json || json->is_null()) return core::kAbsent;
  return reader.number(name).value_or(core::kAbsent);
}

core::Evaluation read_stored_evaluation(const Json& json, const std::string& pointer, Faults& faults) {
  core::Evaluation evaluation;
  ObjectReader reader(json, pointer, faults);
  assign(evaluation.rows, reader.integer("rows"));
  evaluation.loss = number_or_absent(reader, "loss");
  evaluation.data_loss = number_or_absent(reader, "data_loss");
  evaluation.penalty = number_or_absent(reader, "penalty");
  if (const Json* metrics = reader.find("metrics"); metrics && metrics->as<JsonArray>())
    for (const Json& metric : *metrics->as<JsonArray>()) {
      ObjectReader entry(metric, reader.pointer("metrics"), faults);
      const auto name = entry.string("name");
      const double value = number_or_absent(entry, "value");
      if (name) evaluation.metrics.emplace_back(*name, value);
      entry.finish("a metric");
    }
  if (const Json* confusion = reader.find("confusion"))
    if (const auto block = read_numbers(*confusion, reader.pointer("confusion"), faults);
        block && block->shape.size() == 2)
      for (std::size_t r = 0; r < block->rows(); ++r) {
        const auto begin = block->values.begin() + static_cast<std::ptrdiff_t>(r * block->columns());
        evaluation.confusion.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(block->columns()));
      }
  reader.finish("evaluation");
  return evaluation;
}

void write_error(JsonWriter& out, const core::Error& error) {
  out.begin_object().field("code", name_of(error.code)).field("message", error.message).key("errors");
  write_field_errors(out, error.fields);
  out.end_object();
}

core::Error read_error(const Json& json, const std::string& pointer, Faults& faults) {
  core::Error error;
  ObjectReader reader(json, pointer, faults);
  const auto code = reader.string("code");
  for (int c = 0; c <= static_cast<int>(core::ErrorCode::internal); ++c)
    if (code == name_of(static_cast<core::ErrorCode>(c))) error.code = static_cast<core::ErrorCode>(c);
  assign(error.message, reader.string("message"));
  if (const Json* fields = reader.find("errors"); fields && fields->as<JsonArray>())
    for (const Json& field : *fields->as<JsonArray>()) {
      ObjectReader entry(field, reader.pointer("errors"), faults);
      error.fields.push_back({entry.string("pointer").value_or(""), entry.string("detail").value_or("")});
      entry.finish("a fault");
    }
  reader.finish("error");
  return error;
}

Publication read_publication(const Json& json, const std::string& pointer, Faults& faults) {
  Publication publication;
  ObjectReader reader(json, pointer, faults);
  assign(publication.alias, reader.string("alias"));
  assign(publication.metric, reader.string("metric"));
  publication.value = reader.number("value");
  publication.incumbent = reader.number("incumbent");
  publication.version = reader.integer("version");
  assign(publication.reason, reader.string("reason"));
  reader.finish("publication");
  return publication;
}

std::optional<Timestamp> read_time(ObjectReader& reader, std::string_view name) {
  const auto text = reader.string(name);
  if (!text) return std::nullopt;
  const auto time = parse_timestamp(*text);
  if (!time) reader.fault(name, "must be a time like 2026-11-23T20:38:00.000Z");
  return time;
}

// An enumerator by the name that name_of gives it, among 0 … last.
template <class Enum>
std::optional<Enum> read_enum(ObjectReader& reader, std::string_view name, Enum last,
                              std::string_view (*name_of_value)(Enum)) {
  const auto text = reader.string(name);
  if (!text) return std::nullopt;
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (name_of_value(static_cast<Enum>(i)) == *text) return static_cast<Enum>(i);
  reader.fault(name, "is unknown");
  return std::nullopt;
}

void read_job_fields(ObjectReader& body, JobView& job) {
  for (std::string_view name : {"id", "network", "state", "created_at"}) body.require(name);
  assign(job.id, body.string("id"));
  assign(job.network, body.string("network"));
  assign(job.state, read_enum<JobState>(body, "state", JobState::cancelled, name_of));
  assign(job.steps_done, body.integer("steps_done"));
  assign(job.steps_total, body.integer("steps_total"));
  assign(job.step, body.integer("step"));
  assign(job.loss, body.number("loss"));
  if (const Json* json = body.find("evaluation"))
    job.evaluation = read_stored_evaluation(*json, body.pointer("evaluation"), body.faults());
  job.stop_reason = read_enum<core::StopReason>(body, "stop_reason", core::StopReason::failed, core::name_of);
  job.best_step = body.integer("best_step");
  if (const Json* json = body.find("publication"))
    job.publication = read_publication(*json, body.pointer("publication"), body.faults());
  if (const Json* json = body.find("error"))
    job.error = read_error(*json, body.pointer("error"), body.faults());
  assign(job.steps_per_second, body.number("steps_per_second"));
  assign(job.created_at, read_time(body, "created_at"));
  job.started_at = read_time(body, "started_at");
  job.finished_at = read_time(body, "finished_at");
}

}  // namespace

std::string write_spec(const core::NetworkSpec& spec) {
  return write_object([&](JsonWriter& out) { write_spec_fields(out, spec, StartNumbers::include); });
}

core::Result<core::NetworkSpec> read_spec(std::string_view text) {
  return read_object<core::NetworkSpec>(
      text, [](ObjectReader& body, core::NetworkSpec& spec) { spec = decode_spec(body); });
}

std::string write_hyper_parameters(const core::HyperParameters& hyper_parameters) {
  return write_object([&](JsonWriter& out) { write_hyper_parameter_fields(out, hyper_parameters); });
}

core::Result<core::HyperParameters> read_hyper_parameters(std::string_view text) {
  return read_object<core::HyperParameters>(text, [](ObjectReader& body, core::HyperParameters& value) {
    value = decode_hyper_parameters(body, value);
  });
}

std::string write_train_request(const TrainRequest& request) {
  return write_object([&](JsonWriter& out) {
    if (request.data) {
      if (const auto* generator = std::get_if<core::GeneratorOptions>(&*request.data)) {
        out.key("data");
        write_generator(out, *generator);
      } else if (const auto* dataset = std::get_if<std::string>(&*request.data)) {
        out.field("dataset", *dataset);
      }
    }
    write_plan(out, request.plan);
    out.optional_field("epochs", request.epochs).optional_field("max_seconds", request.max_seconds);
    out.optional_field("pace_steps_per_second", request.pace_steps_per_second);
    out.optional_field("checkpoint_every", request.checkpoint_every);
    if (request.publish_if) {
      out.key("publish_if").begin_object().field("metric", request.publish_if->metric);
      out.field("better_by", request.publish_if->better_by).field("alias", request.publish_if->alias);
      out.end_object();
    }
    if (!request.hyper_parameters) return;
    out.key("hyper_parameters").begin_object();
    write_hyper_parameter_fields(out, *request.hyper_parameters);
    out.end_object();
  });
}

core::Result<TrainRequest> read_train_request(std::string_view text) {
  return read_object<TrainRequest>(text, [](ObjectReader& body, TrainRequest& request) {
    if (const Json* data = body.find("data")) request.data = read_generator(body, *data);
    if (const auto dataset = body.string("dataset")) request.data = *dataset;
    read_plan(body, request.plan);
    request.epochs = body.integer("epochs");
    request.max_seconds = body.number("max_seconds");
    request.pace_steps_per_second = body.number("pace_steps_per_second");
    request.checkpoint_every = body.integer("checkpoint_every");
    if (const Json* json = body.find("publish_if")) {
      ObjectReader reader(*json, body.pointer("publish_if"), body.faults());
      request.publish_if.emplace();
      assign(request.publish_if->metric, reader.string("metric"));
      assign(request.publish_if->better_by, reader.number("better_by"));
      assign(request.publish_if->alias, reader.string("alias"));
      reader.finish("publish_if");
    }
    if (const Json* json = body.find("hyper_parameters")) {
      ObjectReader reader(*json, body.pointer("hyper_parameters"), body.faults());
      request.hyper_parameters = decode_hyper_parameters(reader, {});
      reader.finish("hyper_parameters");
    }
  });
}

std::string write_dataset(const core::Dataset& dataset) {
  return write_object([&](JsonWriter& out) {
    const auto block = [&](std::string_view name, const std::vector<double>& values, std::size_t columns) {
      const std::size_t shape[] = {dataset.rows, columns};
      out.key(name);
      write_numbers(out, values, shape, values.size() > kReadableNumbersMax);
    };
    block("inputs", dataset.inputs, dataset.input_count);
    block("targets", dataset.targets, dataset.output_count);
    out.key("class_labels").values(dataset.class_labels);
  });
}

core::Result<core::Dataset> read_dataset(std::string_view text) {
  return read_object<core::Dataset>(text, [](ObjectReader& body, core::Dataset& dataset) {
    for (std::string_view name : {"inputs", "targets"}) body.require(name);
    const auto block = [&](std::string_view name, std::vector<double>& values, std::size_t& columns) {
      const Json* json = body.find(name);
      auto read = json ? read_numbers(*json, body.pointer(name), body.faults()) : std::nullopt;
      if (!read) return;
      if (read->shape.size() != 2 || (dataset.rows != 0 && read->rows() != dataset.rows))
        body.fault(name, "must be as many rows as inputs");
      dataset.rows = read->rows();
      columns = read->columns();
      values = std::move(read->values);
    };
    block("inputs", dataset.inputs, dataset.input_count);
    block("targets", dataset.targets, dataset.output_count);
    assign(dataset.class_labels, body.strings("class_labels"));
  });
}

std::string write_job(const JobView& job) {
  return write_object([&](JsonWriter& out) {
    out.field("id", job.id).field("network", job.network).field("state", name_of(job.state));
    out.field("steps_done", job.steps_done).field("steps_total", job.steps_total).field("step", job.step);
    if (job.loss && std::isfinite(*job.loss)) out.field("loss", *job.loss);
    if (job.evaluation) {
      out.key("evaluation");
      write_stored_evaluation(out, *job.evaluation);
    }
    if (job.stop_reason) out.field("stop_reason", core::name_of(*job.stop_reason));
    out.optional_field("best_step", job.best_step);
    if (job.publication) {
      out.key("publication");
      write_publication(out, *job.publication);
    }
    if (job.error) {
      out.key("error");
      write_error(out, *job.error);
    }
    out.field("steps_per_second", job.steps_per_second).field("created_at", job.created_at);
    out.optional_field("started_at", job.started_at).optional_field("finished_at", job.finished_at);
  });
}

core::Result<JobView> read_job(std::string_view text) { return read_object<JobView>(text, read_job_fields); }

std::string write_progress(const core::TrainingProgress& progress) {
  return write_object([&](JsonWriter& out) {
    out.field("steps_done", progress.steps_done).field("stale", progress.stale);
    out.optional_field("best_value", progress.best_value).optional_field("best_step", progress.best_step);
    out.key("best_parameters");
    std::visit(
        [&](const auto& values) {
          const std::size_t shape[] = {values.size()};
          write_numbers(out, values, shape, true);
        },
        progress.best_parameters);
  });
}

core::Result<core::TrainingProgress> read_progress(std::string_view text) {
  return read_object<core::TrainingProgress>(text, [](ObjectReader& body, core::TrainingProgress& progress) {
    assign(progress.steps_done, body.integer("steps_done"));
    assign(progress.stale, body.integer("stale"));
    progress.best_value = body.number("best_value");
    progress.best_step = body.integer("best_step");
    body.require("best_parameters");
    if (const Json* json = body.find("best_parameters"))
      if (auto values = read_number_array(*json, core::Dtype::float32, body.pointer("best_parameters"),
                                          body.faults(), KeepDtype::yes))
        progress.best_parameters = std::move(*values);
  });
}

std::string write_history(const core::History::State& history) {
  std::string text;
  JsonWriter out(text);
  write_history_fields(out, history);
  return text;
}

core::Result<core::History::State> read_history(std::string_view text) {
  auto json = parse_json(text);
  if (!json) return json.error();
  Faults faults;
  auto history = read_history_fields(*json, "#", faults);
  if (!faults.empty()) return faults.error();
  return history;
}

std::string write_class_labels(const std::vector<std::string>& labels) {
  std::string text;
  JsonWriter(text).values(labels);
  return text;
}

core::Result<std::vector<std::string>> read_class_labels(std::string_view text) {
  using Texts = std::vector<std::string>;
  return read_object<Texts>(
      "{\"class_labels\":" + std::string(text) + "}",
      [](ObjectReader& body, Texts& labels) { assign(labels, body.strings("class_labels")); });
}

std::string write_labels(const Labels& labels) {
  std::string text;
  JsonWriter out(text);
  write_labels(out, labels);
  return text;
}

core::Result<Labels> read_labels(std::string_view text) {
  auto json = parse_json(text);
  if (!json) return json.error();
  Faults faults;
  auto labels = decode_labels(*json, "#", faults);
  if (!faults.empty()) return faults.error();
  return labels;
}

}  // namespace mlpd::api
