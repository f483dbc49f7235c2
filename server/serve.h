#pragma once

#include <functional>
#include <ostream>

#include "core/result.h"
#include "server/config.h"

namespace mlpd::server {

/// Reads the configuration again: file, environment and flags as at the start.
using ConfigReader = std::function<core::Result<Config>()>;

/// `mlpd serve`: recovers the data, listens, greets on `out`, logs to `errors`, and returns after SIGTERM or
/// SIGINT once requests and jobs are drained (at most drain_deadline; a second signal ends the process at
/// once). SIGHUP reads keys, certificate and log level again; what can't be read stays as it was. Call it
/// from main's thread before there is any other. Fails where it can't begin to serve: open to strangers, data
/// folder in use, address taken.
core::Result<void> serve(const Config& config, const ConfigReader& read_again, std::ostream& out,
                         std::ostream& errors);

}  // namespace mlpd::server
