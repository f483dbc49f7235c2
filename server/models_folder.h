#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "api/service.h"
#include "core/result.h"

namespace mlpd::server {

/// Imports each model document `NAME.json` of the folder as the network NAME; subfolders and other files are
/// passed over, nothing is written there. A network that is there already stays as it is. Fails with
/// invalid_argument where the folder can't be read or a file is no model, naming every such file; the others
/// are imported all the same. `log` hears of each network.
core::Result<void> import_models(const std::filesystem::path& folder, api::NetworkService& networks,
                                 const api::Limits& limits,
                                 const std::function<void(const std::string&)>& log);

}  // namespace mlpd::server
