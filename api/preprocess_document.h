#pragma once

#include <optional>

#include "api/json_reader.h"
#include "api/json_writer.h"
#include "core/preprocess.h"

namespace mlpd::api {

/// A fitted preprocess as the model document carries it, all fields written out.
void write_preprocess(JsonWriter& out, const core::Preprocess& preprocess);
/// What write_preprocess wrote; adds faults and returns nullopt where a field is wrong.
std::optional<core::Preprocess> read_preprocess(const Json& json, const std::string& pointer, Faults& faults);

}  // namespace mlpd::api
