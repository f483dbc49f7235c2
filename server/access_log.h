#pragma once

#include "server/http/listener.h"
#include "server/logging.h"

namespace mlpd::server {

/// A line of `log` for each request: method, path, status, duration, bytes, who, request id, trace; level
/// info, warning from 500 on. With `every` false only answers from 500 on. What the handler let out as an
/// exception stands beside as `error`. `log` must outlive the observer.
RequestObserver access_log(Log& log, bool every);

}  // namespace mlpd::server
