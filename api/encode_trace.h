#pragma once

#include <string>
#include <string_view>

#include "api/json_writer.h"
#include "core/history.h"
#include "core/number_array.h"
#include "core/trace.h"

namespace mlpd::api {

/// The glass box as POST …/trace answers it; arrays that a brick lacks are null. Numbers are
/// written as the network's dtype has them.
void write_trace(JsonWriter& out, const core::Trace& trace, core::Dtype dtype);

/// {"step": […], "loss": […], …}: columns of equal length; null where a record has no value.
void write_history_columns(JsonWriter& out, const core::HistoryColumns& columns);
/// The same with a header line, and as one object a line.
std::string history_as_csv(const core::HistoryColumns& columns);
std::string history_as_ndjson(const core::HistoryColumns& columns);

/// Appends a cell, quoted where RFC 4180 wants it.
void append_csv_cell(std::string& out, std::string_view text);

}  // namespace mlpd::api
