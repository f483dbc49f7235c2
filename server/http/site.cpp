#include "server/http/site.h"

#include "server/http/assets.h"

namespace mlpd::server {
namespace {

bool is_page(std::string_view method, std::string_view path) {
  return (method == "GET" || method == "HEAD") && is_asset(path);
}

}  // namespace

api::RouteInfo Site::route(std::string_view method, std::string_view path) const {
  if (!is_page(method, path)) return contract_.route(method, path);
  api::RouteInfo info;
  info.found = true;
  info.pattern = "/{asset}";
  return info;
}

api::Response Site::handle(const api::Request& request) {
  if (!is_asset(request.path)) return contract_.handle(request);
  if (!is_page(request.method, request.path)) {
    api::Response refused = contract_.refuse(
        405, request.path, request.method + " is not allowed here; allowed: GET, HEAD", request.request_id);
    refused.set_header("Allow", "GET, HEAD");
    return refused;
  }
  return serve_asset(request.path, request.header("Accept-Encoding").value_or(""),
                     request.header("If-None-Match").value_or(""));
}

api::Response Site::refuse(int status, std::string_view path, std::string_view detail,
                           std::string_view request_id) const {
  return contract_.refuse(status, path, detail, request_id);
}

}  // namespace mlpd::server
