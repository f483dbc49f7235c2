#pragma once

#include <ostream>

#include "core/result.h"
#include "server/config.h"

namespace mlpd::server {

/// `mlpd serve`: recovers the data, listens, greets on `out`, logs to `errors`, and returns after SIGTERM or
/// SIGINT once requests and jobs are drained (at most drain_deadline; a second signal ends the process at
/// once). SIGHUP reads the certificate again. Call it from main's thread before there is any other. Fails
/// where it can't begin to serve: open to strangers, data folder in use, address taken.
core::Result<void> serve(const Config& config, std::ostream& out, std::ostream& errors);

}  // namespace mlpd::server
