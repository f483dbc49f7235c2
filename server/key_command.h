#pragma once

#include <ostream>

#include "core/result.h"
#include "server/command_line.h"

namespace mlpd::server {

/// `mlpd key create|list|revoke`: the new key alone on `out` (what to do with it on `notes`), a table, or
/// nothing. Failures say what to do.
core::Result<void> run_key_command(const Config& config, const KeyRequest& request, std::ostream& out,
                                   std::ostream& notes);

}  // namespace mlpd::server
