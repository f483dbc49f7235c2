#include "server/time_travel.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "server/commit.h"
#include "server/network_service.h"
#include "server/network_start.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

namespace {

api::CheckpointView view_of(const StoredCheckpoint& stored) {
  return {stored.key.step, stored.bytes, api::Timestamp(std::chrono::milliseconds(stored.created_ms))};
}

/// What was trained on at a moment: by the newest job that had begun. The caller holds `mutex`.
std::shared_ptr<const JobAccepted> data_at(const NetworkEntry& entry, std::uint64_t sequence) {
  std::shared_ptr<const JobAccepted> data = entry.identity->data;
  for (const TimelineEvent& event : entry.facts.events) {
    if (event.sequence <= sequence && event.kind == TimelineEvent::Kind::job_started)
      data = std::shared_ptr<const JobAccepted>(event.job, &event.job->accepted);
  }
  return data;
}

Result<void> check_idle(NetworkEntry& entry) {
  std::lock_guard lock(entry.mutex);
  if (entry.facts.removed) return no_network(entry.name());
  if (entry.facts.queue.empty()) return {};
  return Error{ErrorCode::conflict,
               "network '" + entry.name() + "' has jobs that have not ended; wait for them or cancel them"};
}

}  // namespace

Result<TimeTravel::EntryPointer> TimeTravel::find(const std::string& name) {
  if (parts_.stopping) return Error{ErrorCode::unavailable, "the server is stopping"};
  EntryPointer entry = parts_.registry.find(name);
  if (!entry) return no_network(name);
  entry->used_at_ms = parts_.now().time_since_epoch().count();
  return entry;
}

Result<api::CheckpointList> TimeTravel::checkpoints(const std::string& network) {
  const Result<EntryPointer> entry = find(network);
  if (!entry.ok()) return entry.error();
  api::CheckpointList list;
  list.bytes_max = parts_.limits.time_travel_bytes_max;
  list.disk_bytes = parts_.store.bytes(network);
  std::lock_guard lock((*entry)->mutex);
  const NetworkEntry::Facts& facts = (*entry)->facts;
  for (auto stored = facts.checkpoints.rbegin(); stored != facts.checkpoints.rend(); ++stored) {
    list.checkpoints.push_back(view_of(*stored));
    list.bytes += stored->bytes;
  }
  list.disk_bytes += list.bytes;
  list.step = facts.step;
  list.replayable_from = (*entry)->replayable_from();
  return list;
}

Result<api::CheckpointView> TimeTravel::save(const std::string& network) {
  const Result<EntryPointer> entry = find(network);
  if (!entry.ok()) return entry.error();
  Result<CheckpointKey> key = Error{};
  {
    std::unique_lock training((*entry)->training_mutex);
    if (Result<void> loaded = keeper_.load(**entry); !loaded.ok()) return loaded.error();
    key = keeper_.store_state(*entry, training);
  }
  if (!key.ok()) return key.error();
  std::lock_guard lock((*entry)->mutex);
  for (const StoredCheckpoint& stored : (*entry)->facts.checkpoints)
    if (stored.key == *key) return view_of(stored);
  return no_network(network);  // it was removed meanwhile
}

Result<api::NetworkView> TimeTravel::restore(const std::string& network, const api::IfMatch& if_match,
                                             std::uint64_t step) {
  const Result<EntryPointer> found = find(network);
  if (!found.ok()) return found.error();
  const EntryPointer& entry = *found;
  std::lock_guard changing(entry->changes);
  {
    std::lock_guard lock(entry->mutex);
    if (Result<void> match = check_match(*entry, if_match); !match.ok()) return match.error();
  }
  if (Result<void> idle = check_idle(*entry); !idle.ok()) return idle.error();
  if (Result<void> loaded = keeper_.ensure_loaded(*entry); !loaded.ok()) return loaded.error();
  Result<NetworkKeeper::Past> past = keeper_.past(*entry, step);
  if (!past.ok()) return past.error();
  {
    std::unique_lock training(entry->training_mutex);
    // A job may have begun during the replay.
    if (Result<void> idle = check_idle(*entry); !idle.ok()) return idle.error();
    if (Result<void> loaded = keeper_.load(*entry); !loaded.ok()) return loaded.error();
    if (step != entry->training.state.learner->step()) {
      if (Result<void> done = go_back(entry, *std::move(past), training); !done.ok()) return done.error();
    }
  }
  parts_.observer.on_network_restored(network, step);
  std::lock_guard lock(entry->mutex);
  return entry->view();
}

Result<void> TimeTravel::go_back(const EntryPointer& entry, NetworkKeeper::Past past,
                                 std::unique_lock<FairMutex>& lock) {
  const core::Checkpoint state = past.learner->checkpoint();
  core::History history = [&] {
    std::lock_guard guard(entry->history_mutex);
    return core::History::restore(entry->history.state(), parts_.limits.history_records_max);
  }();
  truncate_before(history, state.step);
  Restored record;
  record.step = state.step;
  record.sequence = past.moment.sequence;
  record.hyper_parameters = state.spec.hyper_parameters;
  if (const core::Record* last = history.last()) record.last_record = *last;
  record.state_sha256 = core::state_digest(state).hex();
  record.at = parts_.now();
  std::vector<StoredCheckpoint> before;
  Result<std::uint64_t> written = Error{};
  {
    // No checkpoint of what is no more comes in between.
    std::lock_guard storing(entry->storing);
    {
      std::lock_guard guard(entry->mutex);
      before = entry->facts.checkpoints;
    }
    written = commit(parts_, entry, {record});
  }
  if (!written.ok()) return written.error();
  {
    std::lock_guard guard(entry->history_mutex);
    entry->history = std::move(history);
    entry->stored_history.reset();
  }
  NetworkEntry::Training& training = entry->training;
  training.state = TrainingState{};
  training.state.learner = std::move(past.learner);
  training.applied_sequence = *written;
  entry->publish(training.state.learner->snapshot());
  (void)keeper_.store_state(entry, lock);  // only the next start's replay hangs on it
  std::lock_guard storing(entry->storing);
  std::vector<StoredCheckpoint> kept;
  {
    std::lock_guard guard(entry->mutex);
    kept = entry->facts.checkpoints;
  }
  for (const StoredCheckpoint& stored : before) {
    const bool stays = std::any_of(kept.begin(), kept.end(),
                                   [&](const StoredCheckpoint& other) { return other.key == stored.key; });
    if (!stays) (void)parts_.store.remove_checkpoint(entry->name(), stored.key);
  }
  return {};
}

Result<TimeTravel::Origin> TimeTravel::origin(NetworkEntry& entry, api::AtStep step) {
  {
    std::lock_guard training(entry.training_mutex);
    if (Result<void> loaded = keeper_.load(entry); !loaded.ok()) return loaded.error();
    const TrainingState& state = entry.training.state;
    if (!step || *step == state.learner->step()) {
      Origin live{state.learner->checkpoint(), nullptr};
      std::lock_guard lock(entry.mutex);
      live.data = state.job ? std::shared_ptr<const JobAccepted>(state.job, &state.job->accepted)
                            : data_at(entry, ~std::uint64_t{0});
      return live;
    }
  }
  Result<NetworkKeeper::Past> past = keeper_.past(entry, *step);
  if (!past.ok()) return past.error();
  Origin then{past->learner->checkpoint(), nullptr};
  std::lock_guard lock(entry.mutex);
  then.data = data_at(entry, past->moment.sequence);
  return then;
}

Result<void> TimeTravel::apply_changes(NetworkEntry& parent, const api::ForkNetwork& request,
                                       core::Checkpoint& checkpoint, api::Labels& labels) {
  api::NetworkView at_step;
  {
    std::lock_guard lock(parent.mutex);
    at_step = parent.view();
  }
  at_step.spec = checkpoint.spec;
  at_step.step = checkpoint.step;
  Result<api::PatchNetwork> changes = request.changes(at_step);
  if (!changes.ok()) return changes.error();
  labels = changes->labels.value_or(at_step.labels);
  if (!changes->hyper_parameters || *changes->hyper_parameters == checkpoint.spec.hyper_parameters) return {};
  core::NetworkSpec spec = checkpoint.spec;
  spec.hyper_parameters = *changes->hyper_parameters;
  if (Result<void> valid = core::validate(spec, parts_.limits.network); !valid.ok()) return valid;
  Result<std::unique_ptr<core::Learner>> learner =
      core::Learner::restore(std::move(checkpoint), parts_.executor);
  if (!learner.ok()) return learner.error();
  if (Result<void> set = (*learner)->set_hyper_parameters(*changes->hyper_parameters); !set.ok()) return set;
  checkpoint = (*learner)->checkpoint();
  return {};
}

Result<api::NetworkView> TimeTravel::store_fork(NetworkEntry& parent, NetworkStart start) {
  const std::shared_ptr<const JobAccepted> data = start.identity.data;
  {
    // The parent can't be removed, and its data with it, while it is counted once more.
    std::lock_guard changing(parent.changes);
    std::lock_guard lock(parent.mutex);
    if (parent.facts.removed) return no_network(parent.name());
    if (data && !parts_.data.keep_also(*data)) {
      return Error{ErrorCode::conflict,
                   "the network's journal was folded meanwhile; see replayable_from, and try again"};
    }
  }
  const std::string name = start.identity.name;
  Result<PreparedNetwork> prepared = prepare_network(parts_, std::move(start));
  Result<void> stored;
  if (!prepared.ok()) {
    stored = prepared.error();
  } else {
    stored = parts_.store.create(name, prepared->files, false);
  }
  if (!stored.ok()) {
    if (data) parts_.data.release(*data);
    return stored.error();
  }
  parts_.registry.insert(prepared->entry);
  parts_.observer.on_network_created(name);
  std::lock_guard lock(prepared->entry->mutex);
  return prepared->entry->view();
}

Result<api::NetworkView> TimeTravel::fork(const std::string& parent, const api::ForkNetwork& request) {
  const Result<EntryPointer> found = find(parent);
  if (!found.ok()) return found.error();
  const std::string name = request.name.empty() ? parts_.new_id() : request.name;
  const Registry::Reservation reservation(parts_.registry, name, request.idempotency.key);
  if (const EntryPointer made = parts_.registry.find_created(request.idempotency.key)) {
    if (made->identity->request_digest != request.idempotency.request_digest) {
      return Error{ErrorCode::conflict, "this Idempotency-Key was used for another request"};
    }
    std::lock_guard lock(made->mutex);
    return made->view();
  }
  if (parts_.registry.find(name)) {
    return Error{
        ErrorCode::already_exists, "there is a network '" + name + "' already", {{"#/name", "is taken"}}};
  }
  if (Result<void> room = check_room(parts_); !room.ok()) return room.error();
  Result<Origin> from = origin(**found, request.step);
  if (!from.ok()) return from.error();
  NetworkStart start;
  start.identity.name = name;
  start.identity.forked_from.emplace(parent, from->checkpoint.step);
  start.identity.idempotency_key = request.idempotency.key;
  start.identity.request_digest = request.idempotency.request_digest;
  if (from->data) {
    JobAccepted data;
    data.request = "{}";
    data.data = from->data->data;
    data.rows = from->data->rows;
    data.dataset = from->data->dataset;
    start.identity.data = std::make_shared<const JobAccepted>(std::move(data));
  }
  {
    std::lock_guard lock((*found)->history_mutex);
    core::History history =
        core::History::restore((*found)->history.state(), parts_.limits.history_records_max);
    truncate_before(history, from->checkpoint.step);
    start.history = history.state();
  }
  if (Result<void> changed = apply_changes(**found, request, from->checkpoint, start.identity.labels);
      !changed.ok())
    return changed.error();
  start.checkpoint = std::move(from->checkpoint);
  return store_fork(**found, std::move(start));
}

Result<std::optional<api::JobView>> TimeTravel::long_replay(const std::string& network, std::uint64_t step) {
  const Result<EntryPointer> entry = find(network);
  if (!entry.ok()) return entry.error();
  return replays_.where_long(*entry, step);
}

}  // namespace mlpd::server
