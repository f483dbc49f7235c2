#include "api/encode_job.h"

#include <cmath>

namespace mlpd::api {

std::string_view name_of(JobState state) {
  switch (state) {
    case JobState::queued:
      return "queued";
    case JobState::running:
      return "running";
    case JobState::paused:
      return "paused";
    case JobState::succeeded:
      return "succeeded";
    case JobState::failed:
      return "failed";
    case JobState::cancelled:
      return "cancelled";
  }
  return {};
}

std::string_view name_of(core::ErrorCode code) {
  using core::ErrorCode;
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::already_exists:
      return "already_exists";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::failed_precondition:
      return "failed_precondition";
    case ErrorCode::resource_exhausted:
      return "resource_exhausted";
    case ErrorCode::unauthenticated:
      return "unauthenticated";
    case ErrorCode::permission_denied:
      return "permission_denied";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::corrupted:
      return "corrupted";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::internal:
      return "internal";
  }
  return {};
}

void write_field_errors(JsonWriter& out, const std::vector<core::FieldError>& fields) {
  out.begin_array();
  for (const core::FieldError& field : fields)
    out.begin_object().field("pointer", field.pointer).field("detail", field.detail).end_object();
  out.end_array();
}

void write_record(JsonWriter& out, const core::Record& record) {
  out.begin_object();
  const auto& names = core::record_fields();
  out.field(names[0], record.step).field(names[1], record.epoch);
  for (std::size_t i = 2; i < names.size(); ++i) {
    const double value = core::record_value(record, i);
    if (std::isfinite(value)) out.field(names[i], value);
  }
  out.end_object();
}

namespace {

void write_metrics(JsonWriter& out, const core::Evaluation& evaluation) {
  out.key("metrics").begin_object();
  for (const auto& [name, value] : evaluation.metrics) out.field(name, value);
  out.end_object();
  if (evaluation.confusion.empty()) return;
  out.key("confusion").begin_array();
  for (const auto& row : evaluation.confusion) out.values(row);
  out.end_array();
}

}  // namespace

void write_evaluation(JsonWriter& out, const core::Evaluation& evaluation,
                      std::span<const core::ColumnImportance> importance, std::uint64_t step,
                      std::string_view network) {
  out.begin_object().field("network", network).field("step", step).field("rows", evaluation.rows);
  out.field("loss", evaluation.loss);
  out.field("data_loss", evaluation.data_loss).field("penalty", evaluation.penalty);
  write_metrics(out, evaluation);
  if (!importance.empty()) {
    out.key("importance").begin_array();
    for (const core::ColumnImportance& column : importance)
      out.begin_object()
          .field("column", column.column)
          .field("importance", column.importance)
          .field("deviation", column.deviation)
          .end_object();
    out.end_array();
  }
  out.end_object();
}

void write_publication(JsonWriter& out, const Publication& publication) {
  out.begin_object().field("alias", publication.alias).field("metric", publication.metric);
  out.optional_field("value", publication.value).optional_field("incumbent", publication.incumbent);
  out.optional_field("version", publication.version);
  if (!publication.reason.empty()) out.field("reason", publication.reason);
  out.end_object();
}

void write_job_view(JsonWriter& out, const JobView& job) {
  out.begin_object().field("id", job.id).field("network", job.network).field("state", name_of(job.state));
  if (job.replay) out.field("kind", "replay");
  out.field("steps_done", job.steps_done).field("steps_total", job.steps_total).field("step", job.step);
  out.optional_field("loss", job.loss);
  if (job.evaluation) write_metrics(out, *job.evaluation);
  if (job.stop_reason) out.field("stop_reason", core::name_of(*job.stop_reason));
  out.optional_field("best_step", job.best_step);
  if (job.publication) {
    out.key("publication");
    write_publication(out, *job.publication);
  }
  if (job.error) {
    out.key("error")
        .begin_object()
        .field("code", name_of(job.error->code))
        .field("message", job.error->message);
    if (!job.error->fields.empty()) {
      out.key("errors");
      write_field_errors(out, job.error->fields);
    }
    out.end_object();
  }
  out.field("steps_per_second", job.steps_per_second).field("created_at", job.created_at);
  out.optional_field("started_at", job.started_at)
      .optional_field("finished_at", job.finished_at)
      .end_object();
}

}  // namespace mlpd::api
