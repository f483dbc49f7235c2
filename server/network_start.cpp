#include "server/network_start.h"

#include <utility>

namespace mlpd::server {

core::Result<PreparedNetwork> prepare_network(EngineParts& parts, NetworkStart start) {
  core::Result<std::unique_ptr<core::Learner>> learner =
      core::Learner::restore(start.checkpoint, parts.executor);
  if (!learner.ok()) return learner.error();
  NetworkIdentity& identity = start.identity;
  identity.incarnation = parts.new_id();
  identity.spec = start.checkpoint.spec;
  identity.created_at = parts.now();
  identity.preprocessed = start.checkpoint.preprocess != nullptr;
  identity.start_step = start.checkpoint.step;
  identity.state_sha256 = core::state_digest(start.checkpoint).hex();
  const CheckpointKey key{start.checkpoint.step, 0};

  PreparedNetwork prepared;
  prepared.files.identity = write_identity(identity);
  prepared.files.checkpoint.emplace(key, write_state({start.checkpoint, {}, {}}));
  if (start.history) prepared.files.history = write_stored_history(key, *start.history);
  prepared.entry =
      std::make_shared<NetworkEntry>(std::move(identity), parts.registry.next_ordinal(),
                                     parts.limits.history_records_max, parts.past_limits, parts.job_counts);
  NetworkEntry& entry = *prepared.entry;
  const std::int64_t now = parts.now().time_since_epoch().count();
  entry.facts.checkpoints.push_back({key, prepared.files.checkpoint->second.size() + kSealedBytes, now});
  entry.preprocess = start.checkpoint.preprocess;
  entry.snapshot = (*learner)->snapshot();
  entry.training.state.learner = *std::move(learner);
  if (start.history) {
    entry.history = core::History::restore(*std::move(start.history), parts.limits.history_records_max);
    if (const core::Record* last = entry.history.last()) entry.facts.last_record = *last;
  }
  entry.loaded = true;
  entry.used_at_ms = now;
  return prepared;
}

core::Result<void> check_room(const EngineParts& parts) {
  if (parts.registry.size() < parts.limits.networks_max) return {};
  return core::Error{core::ErrorCode::resource_exhausted,
                     "there are " + std::to_string(parts.limits.networks_max) +
                         " networks, the most that this server keeps (networks_max)"};
}

}  // namespace mlpd::server
