#include "api/problem.h"

#include "api/encode_job.h"
#include "api/json_writer.h"

namespace mlpd::api {
namespace {

int status_of(core::ErrorCode code, bool is_conditional) {
  using core::ErrorCode;
  switch (code) {
    case ErrorCode::invalid_argument:
      return 422;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::already_exists:
      return 409;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::failed_precondition:
      return is_conditional ? 412 : 409;
    case ErrorCode::resource_exhausted:
      return 429;
    case ErrorCode::unauthenticated:
      return 401;
    case ErrorCode::permission_denied:
      return 403;
    case ErrorCode::cancelled:
      return 409;
    case ErrorCode::corrupted:
      return 500;
    case ErrorCode::unavailable:
      return 503;
    case ErrorCode::internal:
      return 500;
  }
  return 500;
}

struct StatusRow {
  int status;
  std::string_view slug;
  std::string_view title;
};
constexpr StatusRow kStatuses[] = {
    {400, "malformed-request", "The request is malformed"},
    {401, "unauthenticated", "A key is needed"},
    {403, "permission-denied", "This is not permitted"},
    {404, "not-found", "There is no such thing"},
    {405, "method-not-allowed", "The method is not allowed here"},
    {406, "not-acceptable", "There is no answer in this form"},
    {408, "request-timeout", "The request came too slowly"},
    {409, "conflict", "The present state does not allow this"},
    {411, "length-required", "A length is needed"},
    {412, "precondition-failed", "It has changed in the meantime"},
    {413, "body-too-large", "The body is too large"},
    {414, "target-too-long", "The address is too long"},
    {415, "unsupported-media-type", "The body has a form that is not taken here"},
    {422, "invalid-values", "The values are not valid"},
    {428, "precondition-required", "A condition is needed"},
    {429, "too-many-requests", "A limit is reached"},
    {431, "header-too-large", "The header is too large"},
    {500, "internal-error", "Something went wrong inside"},
    {501, "not-implemented", "This is not supported"},
    {503, "unavailable", "Not available at the moment"},
    {505, "http-version", "This version of HTTP is not supported"},
};

StatusRow row_of(int status) {
  for (const StatusRow& row : kStatuses)
    if (row.status == status) return row;
  return {status, "error", "The request failed"};
}

bool is_inference_protocol(std::string_view path) { return path == "/v2" || path.rfind("/v2/", 0) == 0; }

// The protocol knows 400 for all that is wrong with a request, and 503 where a queue is full.
int inference_status(int status) {
  switch (status) {
    case 406:
    case 409:
    case 412:
    case 415:
    case 422:
      return 400;
    case 429:
      return 503;
    default:
      return status;
  }
}

Response make(int status, std::string_view path, std::string_view detail,
              const std::vector<core::FieldError>& errors, std::string_view request_id) {
  Response response;
  response.status = status;
  JsonWriter out(response.body);
  out.begin_object();
  if (is_inference_protocol(path)) {
    response.status = status = inference_status(status);
    std::string text(detail);
    for (const core::FieldError& error : errors)
      if (detail.find(error.detail) == std::string_view::npos)
        text += "; " + error.pointer + ": " + error.detail;
    out.field("error", text);
    response.set_header("Content-Type", "application/json");
  } else {
    const StatusRow row = row_of(status);
    out.field("type", "urn:mlpd:problem:" + std::string(row.slug)).field("title", row.title);
    out.field("status", status)
        .field("detail", detail)
        .field("instance", path)
        .field("request_id", request_id);
    if (!errors.empty()) {
      out.key("errors");
      write_field_errors(out, errors);
    }
    response.set_header("Content-Type", "application/problem+json");
  }
  out.end_object();
  response.body += '\n';
  if (status == 429 || status == 503) response.set_header("Retry-After", std::to_string(kRetryAfterSeconds));
  return response;
}

}  // namespace

Response problem(const core::Error& error, const Request& request) {
  const bool is_conditional =
      request.header("If-Match") || (request.method == "PUT" && request.header("If-None-Match"));
  const int status = status_of(error.code, is_conditional);
  return make(status, request.path, error.message, error.fields, request.request_id);
}

Response problem(int status, std::string_view detail, const Request& request) {
  return make(status, request.path, detail, {}, request.request_id);
}

Response refusal(int status, std::string_view path, std::string_view detail, std::string_view request_id) {
  return make(status, path, detail, {}, request_id);
}

}  // namespace mlpd::api
