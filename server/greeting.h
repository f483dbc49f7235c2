#pragma once

#include <string>

#include "server/config.h"

namespace mlpd::server {

/// Where the server can be reached from this machine: "http://127.0.0.1:8080". `port` is the one that was
/// bound.
std::string url_of(const Config& config, int port);

/// What `mlpd serve` prints when it is ready: the address, where data is kept, three curl lines to begin
/// with.
std::string greeting(const Config& config, int port);

}  // namespace mlpd::server
