#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "server/engine_parts.h"
#include "server/journal_record.h"
#include "server/network_entry.h"

namespace mlpd::server {

/// Called, under no lock, once the records have become facts, or with the error. `job` is the last job that a
/// record concerned. Must be short.
using Committed = std::function<void(core::Result<std::uint64_t> sequence, const std::shared_ptr<Job>& job)>;

/// Makes records durable, all or none, then applies them to the entry's facts in the order of the journal and
/// registers accepted jobs. Returns at once.
void commit_later(EngineParts& parts, const std::shared_ptr<NetworkEntry>& entry,
                  std::vector<JournalRecord> records, Committed committed);

/// The same, waiting: the last record's sequence number.
core::Result<std::uint64_t> commit(EngineParts& parts, const std::shared_ptr<NetworkEntry>& entry,
                                   std::vector<JournalRecord> records);

}  // namespace mlpd::server
