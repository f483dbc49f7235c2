#pragma once

#include <chrono>

#include "core/result.h"
#include "server/config.h"

namespace mlpd::server {

/// Asks the server that serves under this configuration (GET /v2/health/ready, by HTTPS where it has a
/// certificate, which isn't checked: it is our own machine). An address of all interfaces is asked on
/// loopback. Failure: unavailable, saying whether nobody answered or what the answer was.
core::Result<void> check_health(const Config& config, std::chrono::seconds timeout = std::chrono::seconds(5));

}  // namespace mlpd::server
