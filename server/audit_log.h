#pragma once

#include "server/http/listener.h"
#include "server/logging.h"

namespace mlpd::server {

/// A line `change` of `log`, at level info, for each request that changes something or tried to (routes of
/// scope train and admin): who (key, address), what (method, path), which network, with what outcome. `log`
/// must outlive the observer.
RequestObserver audit_log(Log& log);

}  // namespace mlpd::server
