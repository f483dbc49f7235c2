#include "server/network_keeper.h"

#include <algorithm>
#include <utility>

#include "server/commit.h"
#include "server/journal_fold.h"

namespace mlpd::server {

using core::Result;
using Clock = NetworkEntry::Clock;

namespace {

/// So many checkpoints lie in a journal of full length, so that folding finds one that keeps half of it.
constexpr std::uint64_t kCheckpointsInJournal = 4;
/// A stored history is written anew where its additions take more than this and than itself.
constexpr std::uint64_t kHistoryAdditionsBytes = 64u << 10;

}  // namespace

ReplaySource NetworkKeeper::source(const NetworkEntry& entry) {
  ReplaySource from;
  from.executor = &parts_.executor;
  from.state = [this, name = entry.name()](CheckpointKey key) -> Result<StoredState> {
    Result<std::string> text = parts_.store.checkpoint(name, key);
    if (!text.ok()) return text.error();
    return read_state(*text);
  };
  from.data = [this](const Job& job) { return parts_.data.load(job.accepted); };
  return from;
}

/// A history stored before the network went back loses what is no more.
void NetworkKeeper::cut_history(const NetworkEntry& entry, core::History& history, CheckpointKey& until) {
  std::lock_guard lock(entry.mutex);
  for (const TimelineEvent& event : entry.facts.events) {
    if (event.kind != TimelineEvent::Kind::restored || event.sequence <= until.sequence) continue;
    if (event.step > until.step) continue;
    truncate_before(history, event.step);
    until = {event.step, event.sequence};
  }
}

void truncate_before(core::History& history, std::uint64_t step) {
  if (step > 0) {
    history.truncate(step - 1);
  } else {
    history.clear();
  }
}

/// Returns the moment up to which the stored history goes; what lies behind it, replay adds. Without a
/// readable one the newest checkpoint serves: the state matters more than records from before it.
CheckpointKey NetworkKeeper::load_history(NetworkEntry& entry) {
  const std::size_t capacity = parts_.limits.history_records_max;
  const Result<std::vector<std::string>> texts = parts_.store.history(entry.name());
  core::History history(capacity);
  CheckpointKey until = kLiveMoment;
  if (texts.ok()) {
    auto stored = read_stored_history(*texts);
    if (stored.ok()) {
      until = stored->first;
      history = core::History::restore(std::move(stored->second), capacity);
      cut_history(entry, history, until);
    } else {
      parts_.log("history of " + entry.name() + ": " + stored.error().message);
    }
  }
  std::lock_guard lock(entry.history_mutex);
  entry.history = std::move(history);
  entry.stored_history.reset();
  return until;
}

Result<void> NetworkKeeper::load(NetworkEntry& entry) {
  if (entry.training.state.learner) return {};
  const Timeline timeline = entry.timeline();
  const CheckpointKey history_until = load_history(entry);
  const Clock::time_point begun = Clock::now();
  Result<TrainingState> state =
      replay(timeline, kLiveMoment, history_until, source(entry), [&](const core::Record& record) {
        std::lock_guard lock(entry.history_mutex);
        const core::Record* last = entry.history.last();
        if (last == nullptr || record.step > last->step) entry.history.append(record);
      });
  if (!state.ok()) {
    parts_.log("network " + entry.name() + " can't be loaded: " + state.error().message);
    return state.error();
  }
  const core::Checkpoint now = state->learner->checkpoint();
  {
    std::lock_guard lock(entry.mutex);
    if (!state->job && !entry.facts.state_sha256.empty() &&
        core::state_digest(now).hex() != entry.facts.state_sha256) {
      return core::Error{core::ErrorCode::corrupted,
                         "network '" + entry.name() +
                             "' can't be loaded: replay of its journal gives another "
                             "state than was recorded"};
    }
    entry.preprocess = now.preprocess;
    entry.facts.step = now.step;
  }
  {
    // A crash between the writes of a history and of its checkpoint leaves records of steps that come again.
    std::lock_guard lock(entry.history_mutex);
    const core::Record* last = entry.history.last();
    if (last != nullptr && last->step >= now.step) truncate_before(entry.history, now.step);
  }
  NetworkEntry::Training& training = entry.training;
  training.state = *std::move(state);
  training.applied_sequence = timeline.events.empty() ? 0 : timeline.events.back().sequence;
  training.seconds_since_stored = std::chrono::duration<double>(Clock::now() - begun).count();
  entry.publish(training.state.learner->snapshot());
  entry.loaded = true;
  return {};
}

Result<void> NetworkKeeper::ensure_loaded(NetworkEntry& entry) {
  if (entry.loaded) return {};
  std::lock_guard lock(entry.training_mutex);
  return load(entry);
}

Result<void> NetworkKeeper::ensure_preprocess(NetworkEntry& entry) {
  if (!entry.identity->preprocessed) return {};
  return ensure_loaded(entry);
}

namespace {

Result<CheckpointKey> moment_in(const NetworkEntry& entry, const Timeline& timeline, std::uint64_t step) {
  std::uint64_t live_step = 0;
  std::uint64_t from = 0;
  {
    std::lock_guard lock(entry.mutex);
    live_step = entry.facts.step;
    from = entry.facts.replayable_from;
  }
  return moment_of_step(timeline, step, live_step, from);
}

}  // namespace

Result<std::pair<TrainingState, CheckpointKey>> NetworkKeeper::replay_past(
    NetworkEntry& entry, std::uint64_t step, const std::function<bool(std::uint64_t)>& go_on) {
  for (;;) {
    const Timeline timeline = entry.timeline();
    const Result<CheckpointKey> moment = moment_in(entry, timeline, step);
    if (!moment.ok()) return moment.error();
    ReplaySource from = source(entry);
    from.go_on = go_on;
    Result<TrainingState> state = replay(timeline, *moment, kLiveMoment, from, [](const core::Record&) {});
    if (state.ok()) return std::pair(*std::move(state), *moment);
    // Checkpoints may have been thinned, or the journal folded, under the replay.
    const bool same = entry.timeline().checkpoints == timeline.checkpoints;
    if (same || state.error().code == core::ErrorCode::cancelled) return state.error();
  }
}

Result<NetworkKeeper::Past> NetworkKeeper::past(NetworkEntry& entry, std::uint64_t step) {
  auto replayed = replay_past(entry, step, nullptr);
  if (!replayed.ok()) return replayed.error();
  return Past{std::move(replayed->first.learner), replayed->second};
}

Result<ReplayLength> NetworkKeeper::replay_length(NetworkEntry& entry, std::uint64_t step) {
  const Timeline timeline = entry.timeline();
  {
    std::lock_guard lock(entry.mutex);
    if (step == entry.facts.step) return ReplayLength{};
  }
  const Result<CheckpointKey> moment = moment_in(entry, timeline, step);
  if (!moment.ok()) return moment.error();
  return server::replay_length(timeline, *moment);
}

Result<void> NetworkKeeper::store_past(const std::shared_ptr<NetworkEntry>& entry, std::uint64_t step,
                                       const std::function<bool(std::uint64_t)>& go_on) {
  auto replayed = replay_past(*entry, step, go_on);
  if (!replayed.ok()) return replayed.error();
  const auto& [past, moment] = *replayed;
  StoredState state;
  state.checkpoint = past.learner->checkpoint();
  if (past.job && past.run) {
    state.job = past.job->accepted.id;
    state.progress = past.run->progress();
  }
  const std::string text = write_state(state);
  std::lock_guard storing(entry->storing);  // nothing goes back, is folded or thinned
  const Timeline timeline = entry->timeline();
  const Result<CheckpointKey> same = moment_in(*entry, timeline, step);
  {
    std::lock_guard lock(entry->mutex);
    if (entry->facts.removed || !same.ok() || *same != moment)
      return core::Error{core::ErrorCode::conflict, "the network went back or was removed meanwhile"};
  }
  // Numbered like the checkpoints of training: by the newest record that decided numbers.
  CheckpointKey key{step, timeline.base.sequence};
  for (const TimelineEvent& event : timeline.events)
    if (event.sequence <= moment.sequence) key.sequence = std::max(key.sequence, event.sequence);
  const Result<std::uint64_t> bytes = parts_.store.put_checkpoint(entry->name(), key, text);
  if (!bytes.ok()) return bytes.error();
  {
    std::lock_guard lock(entry->mutex);
    note_checkpoint(*entry, key, *bytes);
  }
  thin(entry, key);
  parts_.observer.on_checkpoint(entry->name(), step);
  return {};
}

/// The caller holds `mutex`.
void NetworkKeeper::note_checkpoint(NetworkEntry& entry, CheckpointKey key, std::uint64_t bytes) {
  auto& known = entry.facts.checkpoints;
  std::erase_if(known, [&](const StoredCheckpoint& old) { return old.key == key; });
  const auto behind =
      std::find_if(known.begin(), known.end(), [&](const auto& old) { return key < old.key; });
  known.insert(behind, {key, bytes, parts_.now().time_since_epoch().count()});
}

Result<core::Checkpoint> NetworkKeeper::checkpoint(NetworkEntry& entry, api::AtStep step) {
  {
    std::lock_guard lock(entry.training_mutex);
    Result<void> loaded = load(entry);
    if (!loaded.ok()) return loaded.error();
    if (!step || *step == entry.training.state.learner->step())
      return entry.training.state.learner->checkpoint();
  }
  Result<Past> state = past(entry, *step);
  if (!state.ok()) return state.error();
  return state->learner->checkpoint();
}

Result<std::shared_ptr<const core::Snapshot>> NetworkKeeper::snapshot(NetworkEntry& entry, api::AtStep step) {
  if (!step) {
    if (std::shared_ptr<const core::Snapshot> live = entry.live_snapshot()) return live;
    Result<void> loaded = ensure_loaded(entry);
    if (!loaded.ok()) return loaded.error();
    return entry.live_snapshot();
  }
  Result<core::Checkpoint> state = checkpoint(entry, step);
  if (!state.ok()) return state.error();
  Result<std::unique_ptr<core::Learner>> learner = core::Learner::restore(*std::move(state), parts_.executor);
  if (!learner.ok()) return learner.error();
  return (*learner)->snapshot();
}

void NetworkKeeper::write_start(const std::shared_ptr<NetworkEntry>& entry) {
  NetworkEntry::Training& training = entry->training;
  if (!training.unwritten_start) return;
  {
    std::lock_guard lock(entry->mutex);
    if (entry->facts.removed) return;  // its name may be another network's by now
  }
  const Result<std::uint64_t> written = commit(parts_, entry, {*training.unwritten_start});
  if (!written.ok()) return;  // it goes with the next record
  training.applied_sequence = *written;
  training.unwritten_start.reset();
}

Result<CheckpointKey> NetworkKeeper::store_state(const std::shared_ptr<NetworkEntry>& entry,
                                                 std::unique_lock<FairMutex>& lock) {
  NetworkEntry::Training& training = entry->training;
  write_start(entry);
  if (!training.state.learner || training.unwritten_start) {
    return core::Error{core::ErrorCode::unavailable, "the state can't be stored now; try again"};
  }
  StoredState state;
  state.checkpoint = training.state.learner->checkpoint();
  if (training.state.job && training.state.run) {
    state.job = training.state.job->accepted.id;
    state.progress = training.state.run->progress();
  }
  const CheckpointKey key{state.checkpoint.step, training.applied_sequence};
  const HistoryPart history = part_to_store(*entry);
  const double replay_seconds = std::exchange(training.seconds_since_stored, 0);
  lock.unlock();
  const Clock::time_point begun = Clock::now();
  const Result<void> done = write_state_of(*entry, key, state, history);
  if (done.ok()) {
    {
      std::lock_guard storing(entry->storing);
      thin(entry, std::nullopt);
    }
    parts_.observer.on_checkpoint(entry->name(), key.step);
  } else {
    parts_.log("checkpoint of " + entry->name() + ": " + done.error().message);
  }
  lock.lock();
  training.store_seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  if (done.ok()) return key;
  training.seconds_since_stored += replay_seconds;
  std::lock_guard guard(entry->mutex);
  entry->facts.unstored_bytes = 0;  // the journal asks again when it has grown further
  return done.error();
}

NetworkKeeper::HistoryPart NetworkKeeper::part_to_store(NetworkEntry& entry) {
  std::lock_guard lock(entry.history_mutex);
  const std::optional<NetworkEntry::StoredHistory>& stored = entry.stored_history;
  HistoryPart part;
  if (stored && stored->stride == entry.history.stride() &&
      stored->bytes - stored->whole_bytes <= std::max(kHistoryAdditionsBytes, stored->whole_bytes))
    part.kept = stored->settled;
  part.state = entry.history.state(part.kept);
  part.settled = entry.history.settled();
  return part;
}

/// The caller holds `storing`.
Result<void> NetworkKeeper::write_history(NetworkEntry& entry, CheckpointKey key, const HistoryPart& part) {
  std::optional<NetworkEntry::StoredHistory> stored;
  {
    std::lock_guard lock(entry.history_mutex);
    stored = entry.stored_history;
  }
  if (stored && key < stored->until) return {};  // a later one was quicker, and has all of this
  if (!stored && part.kept > 0)
    return core::Error{core::ErrorCode::unavailable, "the network was loaded anew meanwhile; try again"};
  std::string text = write_stored_history(key, part.state, part.kept);
  const Result<std::uint64_t> bytes =
      part.kept > 0 ? parts_.store.add_to_history(entry.name(), stored->bytes, std::move(text))
                    : parts_.store.put_history(entry.name(), std::move(text));
  if (!bytes.ok()) return bytes.error();
  const std::uint64_t whole_bytes = part.kept > 0 ? stored->whole_bytes : *bytes;
  std::lock_guard lock(entry.history_mutex);
  entry.stored_history = {key, part.state.stride, part.settled, *bytes, whole_bytes};
  return {};
}

/// The history goes first: a checkpoint is a base for loading only up to where the history reaches.
Result<void> NetworkKeeper::write_state_of(NetworkEntry& entry, CheckpointKey key, const StoredState& state,
                                           const HistoryPart& history) {
  std::lock_guard storing(entry.storing);
  {
    std::lock_guard guard(entry.mutex);
    if (entry.facts.removed) return {};
    if (key.sequence < entry.facts.restored_sequence) return {};  // the network went back meanwhile
  }
  Result<void> put = write_history(entry, key, history);
  if (!put.ok()) return put;
  Result<std::uint64_t> bytes = parts_.store.put_checkpoint(entry.name(), key, write_state(state));
  if (!bytes.ok()) return bytes.error();
  std::lock_guard guard(entry.mutex);
  note_checkpoint(entry, key, *bytes);
  entry.facts.unstored_bytes = 0;
  return {};
}

bool NetworkKeeper::journal_wants_checkpoint(const NetworkEntry& entry) {
  std::lock_guard lock(entry.mutex);
  return entry.facts.unstored_bytes > entry.limits.journal_bytes_max / kCheckpointsInJournal;
}

void NetworkKeeper::fold_when_due(const std::shared_ptr<NetworkEntry>& entry,
                                  std::unique_lock<FairMutex>& lock) {
  {
    std::lock_guard guard(entry->mutex);
    if (entry->facts.removed || entry->facts.journal_bytes <= entry->facts.fold_bytes) return;
  }
  Result<void> done = load(*entry);
  if (done.ok() && journal_wants_checkpoint(*entry)) (void)store_state(entry, lock);
  if (done.ok()) {
    lock.unlock();
    done = fold_journal(entry);
    lock.lock();
  }
  if (done.ok()) return;
  parts_.log("folding the journal of " + entry->name() + ": " + done.error().message);
  std::lock_guard guard(entry->mutex);
  entry->facts.fold_bytes = entry->facts.journal_bytes + parts_.past_limits.journal_bytes_max / 8;
}

Result<void> NetworkKeeper::fold_journal(const std::shared_ptr<NetworkEntry>& entry) {
  std::lock_guard storing(entry->storing);
  Folded folded;
  std::uint64_t through = 0;
  {
    std::lock_guard guard(entry->mutex);
    if (entry->facts.removed) return {};
    folded = fold(*entry);
    through = entry->facts.sequence;
  }
  const Result<std::uint64_t> bytes = parts_.store.fold(entry->name(), through, write_record(folded));
  if (!bytes.ok()) return bytes.error();
  FoldedAway away;
  {
    std::lock_guard guard(entry->mutex);
    away = forget_before(*entry, folded.base);
    entry->facts.journal_bytes = *bytes;
    entry->facts.fold_bytes = std::max(parts_.past_limits.journal_bytes_max, 2 * *bytes);
  }
  for (const std::shared_ptr<Job>& job : away.replaced) parts_.registry.replace_job(job);
  for (const JobAccepted& accepted : away.released) parts_.data.release(accepted);
  for (const CheckpointKey& key : away.checkpoints) (void)parts_.store.remove_checkpoint(entry->name(), key);
  return {};
}

void NetworkKeeper::thin(const std::shared_ptr<NetworkEntry>& entry, std::optional<CheckpointKey> asked_for) {
  std::vector<CheckpointKey> victims;
  std::uint64_t from_step = 0;
  {
    std::lock_guard lock(entry->mutex);
    if (entry->facts.removed) return;
    auto& known = entry->facts.checkpoints;
    std::uint64_t sum = 0;
    for (const StoredCheckpoint& stored : known) sum += stored.bytes;
    // The newest two stay whatever they take: recovery begins at one of them.
    while (known.size() > 2 && sum > parts_.limits.time_travel_bytes_max) {
      const auto oldest = known.begin() + (known.front().key == asked_for ? 1 : 0);
      sum -= oldest->bytes;
      victims.push_back(oldest->key);
      known.erase(oldest);
    }
    if (victims.empty()) return;
    from_step = first_step(entry->facts, known.front().key);
  }
  const Result<std::uint64_t> said = commit(parts_, entry, {TravelShortened{from_step}});
  if (!said.ok()) return parts_.log("thinning " + entry->name() + ": " + said.error().message);
  for (const CheckpointKey& key : victims) (void)parts_.store.remove_checkpoint(entry->name(), key);
}

}  // namespace mlpd::server
