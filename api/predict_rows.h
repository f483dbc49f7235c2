#pragma once

#include <string_view>
#include <vector>

#include "api/json.h"
#include "core/preprocess.h"
#include "core/result.h"

namespace mlpd::api {

/// Encodes [{"age": 31, "sex": "f"}, …] by a network's preprocess: rows × input_count() numbers. Values are
/// numbers, strings, booleans ("true", "false") or null (missing); a field that a row lacks is missing. All
/// faults at once, with pointers "#/rows/0/age".
core::Result<std::vector<double>> encode_named_rows(const Json& rows, const core::Preprocess& preprocess);

/// NDJSON as the JSON body that asks the same: {"rows": […]} for lines that are objects, {"inputs": […]} for
/// arrays of numbers, or one number each. Blank lines are skipped. The error, of a line that is no JSON,
/// names it.
core::Result<Json> lines_as_body(std::string_view text, const JsonLimits& limits);

/// The same rows as CSV with a header line.
core::Result<std::vector<double>> encode_csv_rows(std::string_view text, const core::Preprocess& preprocess);

}  // namespace mlpd::api
