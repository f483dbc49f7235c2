#pragma once

#include <vector>

#include "server/config.h"
#include "server/engine.h"
#include "server/http/listener.h"
#include "server/logging.h"

namespace mlpd::server {

/// The data sets among the embedded files: /samples/X.csv is sample-X. None in a build without the dashboard.
std::vector<SampleTable> embedded_samples();

/// The engine's part of the configuration; what it wants to tell the operator goes to `log`, which outlives
/// it.
EngineOptions engine_options(const Config& config, Log& log);

/// The listener's part.
ListenerOptions listener_options(const Config& config);

}  // namespace mlpd::server
