#pragma once

#include <span>
#include <string_view>

#include "api/json_writer.h"
#include "api/service.h"
#include "core/history.h"
#include "core/importance.h"
#include "core/metrics.h"

namespace mlpd::api {

std::string_view name_of(JobState state);

/// The value of a job's "publication".
void write_publication(JsonWriter& out, const Publication& publication);
/// A job as GET /v1/jobs/{id} shows it, with the confusion matrix of a classifier.
void write_job_view(JsonWriter& out, const JobView& job);
/// One record; columns that were not measured are left out.
void write_record(JsonWriter& out, const core::Record& record);
/// {"network", "step", "rows", "loss", "data_loss", "penalty", "metrics": {…}, "confusion": [[…]],
/// "importance":
/// [{"column", "importance", "deviation"}]}.
void write_evaluation(JsonWriter& out, const core::Evaluation& evaluation,
                      std::span<const core::ColumnImportance> importance, std::uint64_t step,
                      std::string_view network);
/// rfc 9457's errors member: [{"pointer", "detail"}].
void write_field_errors(JsonWriter& out, const std::vector<core::FieldError>& fields);
std::string_view name_of(core::ErrorCode code);

}  // namespace mlpd::api
