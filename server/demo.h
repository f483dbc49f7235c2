#pragma once

#include "api/service.h"
#include "core/result.h"

namespace mlpd::server {

/// The name of the network that `mlpd serve --demo` shows.
inline constexpr const char* kDemoName = "demo";

/// Creates the demo network unless it is there, and trains it on the article's 300 points unless it was ever
/// trained. Doesn't wait for the training.
core::Result<void> ensure_demo(api::NetworkService& networks, api::JobService& jobs);

}  // namespace mlpd::server
