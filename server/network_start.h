#pragma once

#include <memory>
#include <optional>

#include "core/checkpoint.h"
#include "core/history.h"
#include "core/result.h"
#include "server/engine_parts.h"
#include "server/journal_record.h"
#include "server/network_entry.h"
#include "server/store/store.h"

namespace mlpd::server {

/// A network that starts from a given state: imported or forked.
struct NetworkStart {
  NetworkIdentity identity;  ///< name, labels and lineage; what follows from the state is filled in
  core::Checkpoint checkpoint;
  std::optional<core::History::State> history;
};

/// The same, ready to be stored and then registered.
struct PreparedNetwork {
  std::shared_ptr<NetworkEntry> entry;
  NewNetwork files;
};
core::Result<PreparedNetwork> prepare_network(EngineParts& parts, NetworkStart start);

/// resource_exhausted where one more network would be too many.
core::Result<void> check_room(const EngineParts& parts);

}  // namespace mlpd::server
