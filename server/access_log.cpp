#include "server/access_log.h"

namespace mlpd::server {

RequestObserver access_log(Log& log, bool every) {
  return [&log, every](const RequestRecord& request) {
    const bool failed = request.status >= 500;
    const LogLevel level = failed ? LogLevel::warning : LogLevel::info;
    if ((!every && !failed) || !log.writes(level)) return;
    const LogField method{"method", request.method};
    const LogField path{"path", request.path};
    const LogField status{"status", std::int64_t{request.status}};
    const LogField duration{"duration_ms", static_cast<double>(request.duration_us) / 1000};
    const LogField in{"bytes_in", static_cast<std::int64_t>(request.bytes_in)};
    const LogField out{"bytes_out", static_cast<std::int64_t>(request.bytes_out)};
    const LogField remote{"remote_address", request.remote_address};
    const LogField key{"key_id", request.key_id.empty() ? "-" : request.key_id};
    const LogField id{"request_id", request.request_id};
    const LogField trace{"trace_id", request.trace_id.empty() ? "-" : request.trace_id};
    if (request.error.empty())
      log.write(level, "request", {method, path, status, duration, in, out, remote, key, id, trace});
    else
      log.write(level, "request",
                {method, path, status, duration, in, out, remote, key, id, trace, {"error", request.error}});
  };
}

}  // namespace mlpd::server
