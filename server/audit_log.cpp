#include "server/audit_log.h"

namespace mlpd::server {
namespace {

constexpr std::string_view kNetworks = "/v1/networks/";

/// Of the path, or of what was made.
std::string_view network_of(const RequestRecord& request) {
  if (!request.network.empty()) return request.network;
  if (request.location.starts_with(kNetworks)) {
    const auto rest = request.location.substr(kNetworks.size());
    return rest.substr(0, rest.find('/'));
  }
  return "-";
}

std::string_view outcome_of(int status) {
  if (status < 400) return "done";
  return status == 401 || status == 403 || status == 429 ? "refused" : "failed";
}

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

}  // namespace

RequestObserver audit_log(Log& log) {
  return [&log](const RequestRecord& request) {
    if (request.scope < api::Scope::train) return;
    log.info("change", {{"key_id", or_dash(request.key_id)},
                        {"remote_address", request.remote_address},
                        {"method", request.method},
                        {"path", request.path},
                        {"network", network_of(request)},
                        {"outcome", outcome_of(request.status)},
                        {"status", std::int64_t{request.status}},
                        {"request_id", request.request_id},
                        {"trace_id", or_dash(request.trace_id)}});
  };
}

}  // namespace mlpd::server
