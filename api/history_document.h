#pragma once

#include <string>

#include "api/json_reader.h"
#include "api/json_writer.h"
#include "core/history.h"

namespace mlpd::api {

/// {"stride", "seen", "columns": {"step": […], "loss": […], …}}; a column without any value is left out, null
/// where a record has none.
void write_history_fields(JsonWriter& out, const core::History::State& history);
core::History::State read_history_fields(const Json& json, const std::string& pointer, Faults& faults);

}  // namespace mlpd::api
