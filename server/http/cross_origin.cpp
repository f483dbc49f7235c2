#include "server/http/cross_origin.h"

#include <algorithm>

namespace mlpd::server {

void add_cross_origin_fields(const std::vector<std::string>& origins, const api::Request& request,
                             api::Response& response) {
  if (origins.empty()) return;
  const auto vary = response.header("Vary");
  response.set_header("Vary", vary ? std::string(*vary) + ", Origin" : "Origin");
  const auto origin = request.header("Origin");
  if (!origin || std::find(origins.begin(), origins.end(), *origin) == origins.end()) return;
  response.set_header("Access-Control-Allow-Origin", std::string(*origin));
  if (request.method == "OPTIONS" && request.header("Access-Control-Request-Method")) {
    response.set_header("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
    response.set_header("Access-Control-Allow-Headers",
                        "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
                        "Inference-Header-Content-Length, Last-Event-ID, Prefer, Traceparent, X-Request-Id");
    response.set_header("Access-Control-Max-Age", "600");
    return;
  }
  response.set_header("Access-Control-Expose-Headers",
                      "Allow, ETag, Inference-Header-Content-Length, Location, Prediction-Id, Retry-After, "
                      "Traceparent, WWW-Authenticate, X-Request-Id");
}

}  // namespace mlpd::server
