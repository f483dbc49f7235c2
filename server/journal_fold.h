#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "server/network_entry.h"

/// A journal that has grown past `journal_bytes_max` is folded: one record (Folded) takes the place of all
/// that was, with the events that replay needs from a checkpoint on. Steps before that checkpoint can't be
/// replayed any more; `replayable_from` says so.
namespace mlpd::server {

/// What stands for all records up to now. It begins at the oldest checkpoint that lets it keep to half of
/// `journal_bytes_max`, but not behind the newest but one: a damaged checkpoint must leave another. The
/// caller holds `mutex`.
Folded fold(const NetworkEntry& entry);

/// The first step whose moment replay from the checkpoint `base` still reaches, once older ones are gone:
/// what happened at base.step before it was taken is in it already. The caller holds `mutex`.
std::uint64_t first_step(const NetworkEntry::Facts& facts, CheckpointKey base);

/// What memory and disk need no longer once `folded` is durable.
struct FoldedAway {
  std::vector<std::shared_ptr<Job>> replaced;  ///< on record still, without what replay would need
  std::vector<JobAccepted> released;           ///< whose training data is used once less
  std::vector<CheckpointKey> checkpoints;
};
/// Drops it from the facts; the caller holds `mutex`, and no network has gone back since fold().
FoldedAway forget_before(NetworkEntry& entry, CheckpointKey base);

}  // namespace mlpd::server
