#include "server/engine.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "server/backup.h"
#include "server/event_broker.h"
#include "server/feedback.h"
#include "server/inference_service.h"
#include "server/jobs/job_runner.h"
#include "server/jobs/job_service.h"
#include "server/jobs/scheduler.h"
#include "server/network_keeper.h"
#include "server/network_service.h"
#include "server/replays.h"
#include "server/searches.h"
#include "server/store/dataset_store.h"
#include "server/store/file_store.h"
#include "server/system_service.h"
#include "server/thread_pool.h"
#include "server/time_travel.h"
#include "server/versions.h"

namespace mlpd::server {

using core::Result;

namespace {

/// What a replay at the next start may cost before stop() rather stores the state.
constexpr double kStoreAtStopSeconds = 0.05;
constexpr std::chrono::seconds kSweepEvery{1};

api::Timestamp system_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace

struct Engine::State {
  EngineOptions options;
  EngineObserver silent;
  EventBroker events;
  std::unique_ptr<FileStore> store;
  std::unique_ptr<DatasetStore> datasets;
  ThreadPool pool;
  Registry registry;
  TrainingData data;
  EngineParts parts;
  NetworkKeeper keeper;
  NetworkServiceImplementation networks;
  Replays replays;
  JobServiceImplementation jobs;
  TimeTravel time_travel;
  Versions versions;
  Feedback feedback;
  Backups backups;
  SystemServiceImplementation system;
  InferenceServiceImplementation inference;
  Searches searches;
  std::unique_ptr<JobRunner> runner;
  std::unique_ptr<Scheduler> scheduler;
  std::mutex sweeping;
  std::condition_variable sweep;
  std::thread sweeper;
  bool stopped = false;

  State(EngineOptions given, std::unique_ptr<FileStore> opened, std::unique_ptr<DatasetStore> opened_datasets)
      : options(std::move(given)),
        events(options.observer != nullptr ? *options.observer : silent),
        store(std::move(opened)),
        datasets(std::move(opened_datasets)),
        pool(options.training_threads),
        data(*store),
        parts{*store,
              store->damaged(),
              registry,
              data,
              pool,
              options.limits,
              options.past_limits,
              events,
              datasets.get(),
              options.now,
              random_id,
              options.log,
              {},
              {},
              {}},
        keeper(parts),
        networks(parts, keeper),
        replays(parts, keeper),
        jobs(parts, keeper, replays),
        time_travel(parts, keeper, replays),
        versions(parts, keeper, options.data_dir, options.files),
        feedback(parts, keeper, versions),
        backups(parts, versions, options.data_dir),
        system(parts, options.named_limits),
        inference(registry),
        searches(parts, {networks, jobs, *datasets}, options.data_dir / "searches", options.files) {}

  void recover_network(StoredNetwork stored, std::vector<std::shared_ptr<NetworkEntry>>& found);
  void run_sweeper();
};

/// Networks and jobs get their order of creation back from the times of their records.
void Engine::State::recover_network(StoredNetwork stored, std::vector<std::shared_ptr<NetworkEntry>>& found) {
  Result<NetworkIdentity> identity = read_identity(stored.identity);
  if (identity.ok() && identity->name != stored.name) {
    identity = core::Error{core::ErrorCode::corrupted, "network.json is that of '" + identity->name + "'"};
  }
  if (!identity.ok()) return store->quarantine(stored.name, "network.json: " + identity.error().message);
  auto entry = std::make_shared<NetworkEntry>(*std::move(identity), registry.next_ordinal(),
                                              options.limits.history_records_max, options.past_limits,
                                              parts.job_counts);
  std::uint64_t sequence = stored.first_sequence - 1;
  std::lock_guard lock(entry->mutex);
  std::vector<CheckpointKey> kept;
  for (const StoredCheckpoint& checkpoint : stored.checkpoints) kept.push_back(checkpoint.key);
  entry->facts.checkpoints = std::move(stored.checkpoints);
  for (const std::string& text : stored.journal) {
    Result<JournalRecord> record = read_record(text);
    Result<std::shared_ptr<Job>> applied = std::shared_ptr<Job>();
    const bool folded = record.ok() && std::holds_alternative<Folded>(*record);
    if (&text == &stored.journal.front() ? stored.first_sequence > 1 && !folded : folded)
      record = core::Error{core::ErrorCode::corrupted, "its beginning is missing"};
    if (record.ok()) applied = entry->apply(++sequence, *record, 0);
    (void)entry->count_journal_bytes(text.size() + kSealBytes);
    if (!record.ok() || !applied.ok()) {
      for (const std::shared_ptr<Job>& job : entry->facts.queue)
        entry->set_state(*job, api::JobState::failed);
      return store->quarantine(
          stored.name, "journal.ndjson: " + (record.ok() ? applied.error().message : record.error().message));
    }
  }
  if (!entry->facts.checkpoints.empty() && !entry->facts.queue.empty()) {
    entry->facts.step = std::max(entry->facts.step, entry->facts.checkpoints.back().key.step);
  }
  entry->facts.forgotten.clear();
  for (const auto* known : {&entry->facts.former, &entry->facts.jobs})
    for (const std::shared_ptr<Job>& job : *known)
      if (job->kept_for_replay()) data.keep_again(job->accepted);
  if (entry->identity->data) data.keep_again(*entry->identity->data);
  for (const CheckpointKey& key : kept) {  // left behind where the network went back
    const auto& known = entry->facts.checkpoints;
    const auto same = [&](const StoredCheckpoint& other) { return other.key == key; };
    if (std::none_of(known.begin(), known.end(), same)) (void)store->remove_checkpoint(stored.name, key);
  }
  entry->used_at_ms = parts.now().time_since_epoch().count();
  found.push_back(entry);
}

void Engine::State::run_sweeper() {
  std::unique_lock lock(sweeping);
  while (!stopped) {
    sweep.wait_for(lock, kSweepEvery, [this] { return stopped; });
    if (stopped) return;
    lock.unlock();
    networks.remove_expired();
    lock.lock();
  }
}

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions options) {
  if (!options.now) options.now = system_now;
  if (!options.log) options.log = [](const std::string&) {};
  if (!options.files) options.files = std::make_shared<FileSystem>();
  Result<std::unique_ptr<FileStore>> store = FileStore::open(options.data_dir, options.files, options.log);
  if (!store.ok()) return store.error();
  Result<std::unique_ptr<DatasetStore>> datasets =
      DatasetStore::open(options.data_dir, options.files, options.now, (*store)->damaged());
  if (!datasets.ok()) return datasets.error();
  for (const SampleTable& sample : options.samples)
    if (Result<void> added = (*datasets)->add_sample(sample); !added.ok()) return added.error();
  auto state = std::make_unique<State>(std::move(options), *std::move(store), *std::move(datasets));
  EngineParts& parts = state->parts;

  std::vector<std::shared_ptr<NetworkEntry>> found;
  const Result<void> recovered =
      state->store->recover([&](StoredNetwork stored) { state->recover_network(std::move(stored), found); });
  if (!recovered.ok()) return recovered.error();
  const auto older = [](const auto& a, const auto& b) {
    return std::pair(a->identity->created_at, a->name()) < std::pair(b->identity->created_at, b->name());
  };
  std::sort(found.begin(), found.end(), older);
  std::vector<Registry::FoundJob> jobs;
  for (const std::shared_ptr<NetworkEntry>& entry : found) {
    entry->ordinal = state->registry.next_ordinal();
    state->registry.insert(entry);
    for (const std::shared_ptr<Job>& job : entry->facts.jobs) jobs.push_back({entry, job});
  }
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const auto& a, const auto& b) { return a.job->accepted.at < b.job->accepted.at; });
  for (const Registry::FoundJob& job : jobs) {
    job.job->ordinal = state->registry.next_ordinal();
    state->registry.add_job(job.entry, job.job);
  }
  if (state->store->quarantined().empty()) state->data.remove_unused();
  if (Result<void> done = state->versions.recover(); !done.ok()) return done.error();
  if (Result<void> done = state->searches.recover(); !done.ok()) return done.error();
  parts.forget_versions = [raw = state.get()](const std::string& network) { raw->versions.forget(network); };

  Scheduler* scheduler = nullptr;
  state->runner = std::make_unique<JobRunner>(parts, state->keeper, state->versions,
                                              [raw = state.get()] { return raw->scheduler->others_wait(); });
  state->scheduler = std::make_unique<Scheduler>(
      state->options.training_threads, [raw = state.get()](const std::shared_ptr<NetworkEntry>& entry) {
        return raw->runner->take_turn(entry);
      });
  scheduler = state->scheduler.get();
  parts.wake = [scheduler](const std::shared_ptr<NetworkEntry>& entry) { scheduler->wake(entry); };
  for (const std::shared_ptr<NetworkEntry>& entry : found)
    if (!entry->facts.queue.empty() || entry->facts.journal_bytes > entry->facts.fold_bytes)
      parts.wake(entry);
  state->feedback.start();
  state->searches.start(state->options.training_threads);
  state->sweeper = std::thread([raw = state.get()] { raw->run_sweeper(); });
  return std::unique_ptr<Engine>(new Engine(std::move(state)));
}

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}

Engine::~Engine() { stop(std::chrono::steady_clock::now() + std::chrono::seconds(5)); }

api::Services Engine::services() {
  api::Services services{state_->networks,     state_->jobs,    state_->system,   state_->datasets.get(),
                         &state_->time_travel, &state_->events, &state_->versions};
  services.inference = &state_->inference;
  services.backups = &state_->backups;
  services.searches = &state_->searches;
  services.feedback = &state_->feedback;
  return services;
}

void Engine::stop(std::chrono::steady_clock::time_point deadline) {
  State& state = *state_;
  {
    std::lock_guard lock(state.sweeping);
    if (state.stopped) return;
    state.stopped = true;
  }
  state.sweep.notify_all();
  state.sweeper.join();
  state.backups.stop();
  state.feedback.stop();
  state.parts.stopping = true;
  const std::vector<std::shared_ptr<NetworkEntry>> entries = state.registry.all();
  for (const std::shared_ptr<NetworkEntry>& entry : entries) {
    { std::lock_guard lock(entry->mutex); }  // whoever is about to wait sees that the engine stops
    entry->changed.notify_all();
  }
  state.searches.stop();
  state.replays.stop();
  state.scheduler->stop();
  for (const std::shared_ptr<NetworkEntry>& entry : entries) {
    if (std::chrono::steady_clock::now() > deadline) break;
    std::unique_lock lock(entry->training_mutex);
    if (entry->training.seconds_since_stored > kStoreAtStopSeconds)
      (void)state.keeper.store_state(entry, lock);
  }
}

}  // namespace mlpd::server
