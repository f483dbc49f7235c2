#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http_message.h"
#include "api/service.h"

namespace mlpd::api {

/// What a handler gets: the request, the values of the pattern's {parameters}, the services.
struct Call {
  const Request& request;
  const Services& services;
  std::vector<std::pair<std::string_view, std::string>> path;  ///< parameter name → value

  /// The value of a parameter of the pattern; it is there.
  const std::string& parameter(std::string_view name) const;
};

using RouteHandler = Response (*)(const Call& call);

/// Which of Limits' sizes bounds the body.
enum class BodyLimit { none, body, model, dataset };

/// A query parameter that a route takes (besides ?pretty, which all take).
struct QueryParameter {
  std::string_view name;
  std::string_view schema;  ///< JSON schema text
  std::string_view about;
};

/// One answer: status, schema name (empty = no body), media types besides application/json.
struct Answer {
  int status;
  std::string_view schema;
  std::string_view about;
};

/// A form of body or answer besides JSON.
enum class Media { json, csv, ndjson, png, svg, onnx, binary, metrics, event_stream, tar };

/// One row of THE table: how a request is dispatched, and what openapi says of it.
struct Route {
  std::string_view method = {};
  std::string_view pattern = {};  ///< "/v1/networks/{network}"
  RouteHandler handler = nullptr;
  std::string_view operation = {};  ///< openapi's operationId
  std::string_view summary = {};
  Scope scope = Scope::read;
  BodyLimit limit = BodyLimit::none;
  bool streams_body = false;
  std::string_view request_schema = {};  ///< empty where no body is taken
  bool body_required = true;

  std::vector<Answer> answers = {};            ///< successes
  std::vector<int> problems = {};              ///< besides those that every route can have
  std::vector<QueryParameter> query = {};      ///< besides ?pretty
  std::vector<std::string_view> headers = {};  ///< request headers that matter: If-Match, Prefer, …
  std::vector<Media> request_media = {Media::json};
  std::vector<Media> answer_media = {Media::json};
};

/// The rows whose service is there.
std::vector<Route> make_routes(const Services& services);

}  // namespace mlpd::api
