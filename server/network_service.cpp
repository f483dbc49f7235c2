#include "server/network_service.h"

#include <charconv>
#include <utility>

#include "server/commit.h"
#include "server/network_start.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

namespace {

std::int64_t milliseconds(api::Timestamp at) { return at.time_since_epoch().count(); }

}  // namespace

Result<void> check_match(const NetworkEntry& entry, const api::IfMatch& if_match) {
  if (!if_match || *if_match == "*" || *if_match == entry.etag()) return {};
  return Error{
      ErrorCode::failed_precondition,
      "network '" + entry.name() + "' has changed since If-Match was read; its ETag is now " + entry.etag()};
}

Error no_network(const std::string& name) {
  return {ErrorCode::not_found, "there is no network '" + name + "'"};
}

Result<NetworkServiceImplementation::EntryPointer> NetworkServiceImplementation::find(
    const std::string& name) {
  EntryPointer entry = parts_.registry.find(name);
  if (!entry) return no_network(name);
  entry->used_at_ms.store(milliseconds(parts_.now()), std::memory_order_relaxed);
  return entry;
}

Result<api::NetworkView> NetworkServiceImplementation::create(const api::CreateNetwork& request) {
  if (parts_.stopping) return Error{ErrorCode::unavailable, "the server is stopping"};
  const std::string name = request.name.empty() ? parts_.new_id() : request.name;
  const Registry::Reservation reservation(parts_.registry, name, request.idempotency.key);
  if (const EntryPointer made = parts_.registry.find_created(request.idempotency.key)) {
    if (made->identity->request_digest != request.idempotency.request_digest) {
      return Error{ErrorCode::conflict, "this Idempotency-Key was used for another request"};
    }
    std::lock_guard lock(made->mutex);
    return made->view();
  }
  return create_reserved(request, name);
}

Result<api::NetworkView> NetworkServiceImplementation::create_reserved(const api::CreateNetwork& request,
                                                                       const std::string& name) {
  if (parts_.registry.find(name)) {
    return Error{
        ErrorCode::already_exists, "there is a network '" + name + "' already", {{"#/name", "is taken"}}};
  }
  if (Result<void> room = check_room(parts_); !room.ok()) return room.error();
  Result<std::unique_ptr<core::Learner>> learner =
      core::Learner::create(request.spec, request.preprocess, parts_.executor);
  if (!learner.ok()) return learner.error();
  const core::Checkpoint start = (*learner)->checkpoint();

  NetworkIdentity identity;
  identity.name = name;
  identity.incarnation = parts_.new_id();
  identity.spec = request.spec;
  identity.labels = request.labels;
  identity.ttl_s = request.ttl_s;
  identity.created_at = parts_.now();
  identity.idempotency_key = request.idempotency.key;
  identity.request_digest = request.idempotency.request_digest;
  identity.state_sha256 = core::state_digest(start).hex();
  NewNetwork files;
  if (request.preprocess) {
    identity.start_step = 0;
    identity.preprocessed = true;
    files.checkpoint.emplace(CheckpointKey{}, write_state({start, {}, {}}));
  }
  files.identity = write_identity(identity);

  auto entry = std::make_shared<NetworkEntry>(std::move(identity), parts_.registry.next_ordinal(),
                                              parts_.limits.history_records_max, parts_.past_limits,
                                              parts_.job_counts);
  if (files.checkpoint)
    entry->facts.checkpoints.push_back(
        {CheckpointKey{}, files.checkpoint->second.size(), milliseconds(parts_.now())});
  entry->preprocess = request.preprocess;
  entry->snapshot = (*learner)->snapshot();
  entry->training.state.learner = *std::move(learner);
  entry->loaded = true;
  entry->used_at_ms = milliseconds(parts_.now());
  Result<void> stored = parts_.store.create(name, files, false);
  if (!stored.ok()) return stored.error();
  parts_.registry.insert(entry);
  parts_.observer.on_network_created(name);
  std::lock_guard lock(entry->mutex);
  return entry->view();
}

api::Page<api::NetworkView> NetworkServiceImplementation::list(const api::PageQuery& query) {
  api::Page<api::NetworkView> page;
  std::uint64_t below = ~std::uint64_t{0};
  std::from_chars(query.cursor.data(), query.cursor.data() + query.cursor.size(), below);
  const std::vector<EntryPointer> entries = parts_.registry.newest(below, query.limit + 1);
  for (const EntryPointer& entry : entries) {
    if (page.items.size() == query.limit) {
      page.next_cursor = std::to_string(entry->ordinal + 1);
      break;
    }
    std::lock_guard lock(entry->mutex);
    page.items.push_back(entry->view());
  }
  return page;
}

Result<api::NetworkView> NetworkServiceImplementation::read(const std::string& name) {
  const Result<EntryPointer> entry = find(name);
  if (!entry.ok()) return entry.error();
  if (Result<void> loaded = keeper_.ensure_preprocess(**entry); !loaded.ok()) return loaded.error();
  std::lock_guard lock((*entry)->mutex);
  return (*entry)->view();
}

Result<api::NetworkView> NetworkServiceImplementation::patch(const std::string& name,
                                                             const api::IfMatch& if_match,
                                                             const Merge& merge) {
  const Result<EntryPointer> found = find(name);
  if (!found.ok()) return found.error();
  const EntryPointer& entry = *found;
  std::lock_guard changing(entry->changes);
  api::NetworkView current;
  {
    std::lock_guard lock(entry->mutex);
    if (entry->facts.removed) return no_network(name);
    if (Result<void> match = check_match(*entry, if_match); !match.ok()) return match.error();
    current = entry->view();
  }
  Result<api::PatchNetwork> patch = merge(current);
  if (!patch.ok()) return patch.error();
  if (patch->hyper_parameters && *patch->hyper_parameters != current.spec.hyper_parameters) {
    return patch_trained(entry, *patch);
  }
  if (patch->labels || patch->ttl_s) {
    SettingsChanged record;
    record.labels = patch->labels;
    record.ttl_s = patch->ttl_s;
    record.at = parts_.now();
    Result<std::uint64_t> written = commit(parts_, entry, {record});
    if (!written.ok()) return written.error();
    parts_.observer.on_network_changed(name);
  }
  std::lock_guard lock(entry->mutex);
  return entry->view();
}

/// Between two slices where a job runs, so that the change has one exact step.
Result<api::NetworkView> NetworkServiceImplementation::patch_trained(const EntryPointer& entry,
                                                                     const api::PatchNetwork& patch) {
  std::unique_lock training(entry->training_mutex);
  if (Result<void> loaded = keeper_.load(*entry); !loaded.ok()) return loaded.error();
  core::Learner& learner = *entry->training.state.learner;
  core::NetworkSpec spec = learner.spec();
  spec.hyper_parameters = *patch.hyper_parameters;
  if (Result<void> valid = core::validate(spec, parts_.limits.network); !valid.ok()) return valid.error();

  SettingsChanged record;
  record.step = learner.step();
  record.hyper_parameters = patch.hyper_parameters;
  record.labels = patch.labels;
  record.ttl_s = patch.ttl_s;
  record.at = parts_.now();
  const bool idle = !entry->training.state.job;
  if (idle) {  // the digest of what will be, on a copy
    Result<std::unique_ptr<core::Learner>> copy =
        core::Learner::restore(learner.checkpoint(), parts_.executor);
    if (!copy.ok()) return copy.error();
    if (Result<void> set = (*copy)->set_hyper_parameters(*patch.hyper_parameters); !set.ok())
      return set.error();
    record.state_sha256 = core::state_digest((*copy)->checkpoint()).hex();
  }
  std::vector<JournalRecord> records;
  if (entry->training.unwritten_start) records.push_back(*entry->training.unwritten_start);
  records.push_back(record);
  Result<std::uint64_t> written = commit(parts_, entry, std::move(records));
  if (!written.ok()) return written.error();
  entry->training.unwritten_start.reset();
  entry->training.applied_sequence = *written;
  // Replay skips a refused change alike, so the state stays what the journal says.
  if (Result<void> set = learner.set_hyper_parameters(*patch.hyper_parameters); !set.ok()) return set.error();
  training.unlock();
  parts_.observer.on_network_changed(entry->name());
  std::lock_guard lock(entry->mutex);
  return entry->view();
}

Result<void> NetworkServiceImplementation::retire(const EntryPointer& entry, const api::IfMatch& if_match,
                                                  bool force) {
  std::unique_lock lock(entry->mutex);
  if (entry->facts.removed) return no_network(entry->name());
  if (Result<void> match = check_match(*entry, if_match); !match.ok()) return match;
  if (!force && (!entry->facts.queue.empty() || entry->facts.accepting > 0)) {
    return Error{ErrorCode::conflict,
                 "network '" + entry->name() + "' has jobs that have not ended; cancel them, or force this"};
  }
  entry->facts.removing = true;
  entry->changed.wait(lock, [&] { return entry->facts.accepting == 0; });
  entry->facts.removed = true;  // a worker leaves the network at its next slice
  lock.unlock();
  // Whoever worked on it is gone once these can be had.
  const std::lock_guard training(entry->training_mutex);
  return {};
}

void NetworkServiceImplementation::keep_after_all(const EntryPointer& entry) {
  {
    std::lock_guard lock(entry->mutex);
    entry->facts.removing = entry->facts.removed = false;
  }
  parts_.wake(entry);
}

/// What the store no longer has, memory forgets.
void NetworkServiceImplementation::forget(const EntryPointer& entry) {
  std::vector<std::shared_ptr<Job>> jobs;
  {
    std::lock_guard lock(entry->mutex);
    for (const std::shared_ptr<Job>& job : entry->facts.queue)
      entry->set_state(*job, api::JobState::cancelled);
    entry->facts.queue.clear();
    for (const auto* known : {&entry->facts.former, &entry->facts.jobs})
      jobs.insert(jobs.end(), known->begin(), known->end());
  }
  entry->changed.notify_all();
  for (const std::shared_ptr<Job>& job : jobs)
    if (job->kept_for_replay()) parts_.data.release(job->accepted);
  if (entry->identity->data) parts_.data.release(*entry->identity->data);
}

Result<void> NetworkServiceImplementation::remove_retired(const EntryPointer& entry) {
  Result<void> removed;
  {
    const std::lock_guard storing(entry->storing);
    removed = parts_.store.remove(entry->name());
  }
  if (!removed.ok()) {
    keep_after_all(entry);
    return removed;
  }
  parts_.registry.erase(entry);
  forget(entry);
  parts_.forget_versions(entry->name());
  parts_.observer.on_network_removed(entry->name());
  return {};
}

Result<void> NetworkServiceImplementation::remove(const std::string& name, const api::IfMatch& if_match,
                                                  bool force) {
  const Result<EntryPointer> entry = find(name);
  if (!entry.ok()) return entry.error();
  const Registry::Reservation reservation(parts_.registry, name, "");
  const std::lock_guard changing((*entry)->changes);
  if (Result<void> retired = retire(*entry, if_match, force); !retired.ok()) return retired;
  return remove_retired(*entry);
}

void NetworkServiceImplementation::remove_expired() {
  const std::int64_t now = milliseconds(parts_.now());
  for (const EntryPointer& entry : parts_.registry.all()) {
    {
      std::lock_guard lock(entry->mutex);
      if (!entry->facts.ttl_s || !entry->facts.queue.empty()) continue;
      const auto ttl_ms =
          static_cast<std::int64_t>(std::min<std::uint64_t>(*entry->facts.ttl_s, 1u << 31) * 1000);
      if (now - entry->used_at_ms < ttl_ms) continue;
    }
    const Registry::Reservation reservation(parts_.registry, entry->name(), "");
    const std::lock_guard changing(entry->changes);
    if (!retire(entry, std::nullopt, false).ok()) continue;
    parts_.log("network " + entry->name() + " expired");
    (void)remove_retired(entry);
  }
}

}  // namespace mlpd::server
