#pragma once

#include <string>
#include <string_view>

#include "api/http_message.h"
#include "core/result.h"

/// ErrorCode → RFC 9457: the only place that knows which status code an error has.
namespace mlpd::api {

/// Seconds that a 429 or 503 asks the client to wait.
inline constexpr int kRetryAfterSeconds = 1;

/// The answer to an expected failure. failed_precondition is 412 where the request carries If-Match, else
/// 409. Paths under /v2 get the Open Inference Protocol's {"error": "…"}.
Response problem(const core::Error& error, const Request& request);

/// The same with a status of HTTP's own: 400 malformed, 404, 405, 406, 413, 415, …
Response problem(int status, std::string_view detail, const Request& request);

/// A refusal without a parsed request.
Response refusal(int status, std::string_view path, std::string_view detail, std::string_view request_id);

}  // namespace mlpd::api
