#include "server/network_entry.h"

#include <algorithm>
#include <utility>

namespace mlpd::server {
namespace {

core::Error senseless(std::uint64_t sequence, const std::string& why) {
  return {core::ErrorCode::corrupted, "journal record " + std::to_string(sequence) + ": " + why};
}

std::shared_ptr<Job> find_job(const std::deque<std::shared_ptr<Job>>& queue, const std::string& id) {
  for (const std::shared_ptr<Job>& job : queue)
    if (job->accepted.id == id) return job;
  return nullptr;
}

JobEvent event_of(JobSteering steering) {
  switch (steering) {
    case JobSteering::pause:
      return JobEvent::pause;
    case JobSteering::resume:
      return JobEvent::resume;
    case JobSteering::cancel:
      return JobEvent::cancel;
  }
  return JobEvent::cancel;
}

/// Applies one record to the facts of a network.
struct Applier {
  NetworkEntry& entry;
  NetworkEntry::Facts& facts;
  std::uint64_t sequence;
  std::uint64_t job_ordinal;
  using Done = core::Result<std::shared_ptr<Job>>;

  Done operator()(const SettingsChanged& record) {
    if (record.hyper_parameters) {
      facts.spec.hyper_parameters = *record.hyper_parameters;
      TimelineEvent event;
      event.sequence = sequence;
      event.kind = TimelineEvent::Kind::settings;
      event.step = record.step;
      event.hyper_parameters = std::make_shared<const core::HyperParameters>(*record.hyper_parameters);
      facts.events.push_back(std::move(event));
      facts.state_sha256 = record.state_sha256;
    }
    if (record.labels) facts.labels = *record.labels;
    if (record.ttl_s) facts.ttl_s = *record.ttl_s;
    facts.updated_at = record.at;
    return std::shared_ptr<Job>();
  }

  Done operator()(const JobAccepted& record) {
    auto job = std::make_shared<Job>();
    job->accepted = record;
    job->ordinal = job_ordinal;
    job->view.id = record.id;
    job->view.network = entry.name();
    job->view.created_at = record.at;
    job->view.step = facts.step;
    job->view.steps_total = record.steps;
    entry.note_dataset(record);
    entry.counts.enter(job->view.state);
    facts.queue.push_back(job);
    facts.jobs.push_back(job);
    facts.data = std::shared_ptr<const JobAccepted>(job, &job->accepted);
    if (!record.idempotency_key.empty()) facts.by_key[record.idempotency_key] = job;
    facts.updated_at = record.at;
    return job;
  }

  Done operator()(const JobStarted& record) {
    const std::shared_ptr<Job> job = find_job(facts.queue, record.id);
    if (!job || job != facts.queue.front()) return senseless(sequence, "a job starts out of turn");
    job->started = true;
    if (record.hyper_parameters) facts.spec.hyper_parameters = *record.hyper_parameters;
    if (facts.spec.class_labels.empty()) facts.spec.class_labels = job->accepted.class_labels;
    if (!job->view.started_at) job->view.started_at = record.at;
    TimelineEvent event;
    event.sequence = sequence;
    event.kind = TimelineEvent::Kind::job_started;
    event.step = record.step;
    event.job = job;
    facts.events.push_back(std::move(event));
    return job;
  }

  Done operator()(const JobSteered& record) {
    const std::shared_ptr<Job> job = find_job(facts.queue, record.id);
    if (!job) return std::shared_ptr<Job>();  // it ended while the record was on its way
    if (record.steering == JobSteering::cancel) {
      job->cancel_requested = true;
      return job;
    }
    const core::Result<api::JobState> next = next_state(job->view.state, event_of(record.steering));
    if (!next.ok()) return senseless(sequence, next.error().message);
    entry.set_state(*job, *next);
    return job;
  }

  Done operator()(const JobEnded& record) {
    const std::shared_ptr<Job> job = find_job(facts.queue, record.job.id);
    if (!job) return senseless(sequence, "an unknown job ends");
    std::erase(facts.queue, job);
    entry.set_state(*job, record.job.state);
    job->view = record.job;
    job->step_ns = record.step_ns;
    facts.updated_at = record.job.finished_at.value_or(facts.updated_at);
    forget_oldest();
    if (!job->started) return job;
    facts.step = record.job.step;
    facts.state_sha256 = record.state_sha256;
    if (record.last_record) facts.last_record = record.last_record;
    TimelineEvent event;
    event.sequence = sequence;
    event.kind = TimelineEvent::Kind::job_ended;
    event.step = record.job.step;
    event.job = job;
    event.steps_done = record.job.steps_done;
    event.cut_short = record.cut_short;
    event.failed = record.job.state == api::JobState::failed;
    facts.events.push_back(std::move(event));
    return job;
  }

  Done operator()(const Restored& record) {
    if (record.sequence >= sequence || record.step > facts.step)
      return senseless(sequence, "the network goes back to a moment that is not in the past");
    std::erase_if(facts.events, [&](const TimelineEvent& event) { return event.sequence > record.sequence; });
    std::erase_if(facts.checkpoints, [&](const StoredCheckpoint& stored) {
      return stored.key.sequence < sequence &&
             (stored.key.sequence > record.sequence || stored.key.step > record.step);
    });
    facts.data = entry.identity->data;
    facts.spec.class_labels = entry.class_labels_at(record.sequence);
    for (const TimelineEvent& event : facts.events)
      if (event.kind == TimelineEvent::Kind::job_started)
        facts.data = std::shared_ptr<const JobAccepted>(event.job, &event.job->accepted);
    TimelineEvent event;
    event.sequence = sequence;
    event.kind = TimelineEvent::Kind::restored;
    event.step = record.step;
    facts.events.push_back(std::move(event));
    facts.spec.hyper_parameters = record.hyper_parameters;
    facts.step = record.step;
    facts.state_sha256 = record.state_sha256;
    facts.last_record = record.last_record;
    facts.restored_sequence = sequence;
    facts.updated_at = record.at;
    return std::shared_ptr<Job>();
  }

  /// Finished jobs are on record up to a count.
  void forget_oldest() {
    if (facts.jobs.size() - facts.queue.size() <= entry.limits.finished_jobs_max) return;
    const auto oldest = std::find_if(facts.jobs.begin(), facts.jobs.end(),
                                     [](const auto& job) { return has_ended(job->view.state); });
    const std::shared_ptr<Job> job = *oldest;
    facts.jobs.erase(oldest);
    facts.former.push_back(job);
    facts.forgotten.push_back(job);
    const auto keyed = facts.by_key.find(job->accepted.idempotency_key);
    if (keyed != facts.by_key.end() && keyed->second == job) facts.by_key.erase(keyed);
  }

  void add_folded(const Folded::Job& kept) {
    auto job = std::make_shared<Job>();
    job->accepted = kept.accepted;
    job->view = kept.view;
    job->started = kept.started;
    job->cancel_requested = kept.cancel_requested;
    job->step_ns = kept.step_ns;
    entry.counts.enter(job->view.state);
    if (!has_ended(job->view.state)) facts.queue.push_back(job);
    (kept.listed ? facts.jobs : facts.former).push_back(job);
    if (kept.listed && !job->accepted.idempotency_key.empty())
      facts.by_key[job->accepted.idempotency_key] = job;
    entry.note_dataset(job->accepted);
  }

  Done operator()(const Folded& record) {
    facts.base = record.base;
    facts.base_class_labels = record.class_labels;
    facts.replayable_from = record.replayable_from;
    facts.restored_sequence = record.restored_sequence;
    facts.step = record.step;
    facts.spec.hyper_parameters = record.hyper_parameters;
    facts.last_record = record.last_record;
    facts.state_sha256 = record.state_sha256;
    facts.labels = record.labels;
    facts.ttl_s = record.ttl_s;
    facts.updated_at = record.updated_at;
    std::erase_if(facts.checkpoints, [&](const StoredCheckpoint& stored) {
      return stored.key.step < record.base.step || stored.key.sequence < record.base.sequence;
    });
    std::unordered_map<std::string, std::shared_ptr<Job>> by_id;
    for (const Folded::Job& kept : record.jobs) add_folded(kept);
    for (const auto* jobs : {&facts.jobs, &facts.former})
      for (const std::shared_ptr<Job>& job : *jobs) by_id[job->accepted.id] = job;
    const auto find = [&](const std::string& id) {
      const auto found = by_id.find(id);
      return found == by_id.end() ? nullptr : found->second;
    };
    for (const Folded::Event& kept : record.events) {
      TimelineEvent event{kept.sequence,  kept.kind,       kept.step,      {},
                          find(kept.job), kept.steps_done, kept.cut_short, kept.failed};
      if (kept.hyper_parameters)
        event.hyper_parameters = std::make_shared<const core::HyperParameters>(*kept.hyper_parameters);
      if (!event.job && !kept.job.empty()) return senseless(sequence, "a folded event names an unknown job");
      facts.events.push_back(std::move(event));
    }
    facts.spec.class_labels = entry.class_labels_at(sequence);
    if (record.data.empty()) return std::shared_ptr<Job>();
    const std::shared_ptr<Job> used = find(record.data);
    if (!used) return senseless(sequence, "the data used last is that of an unknown job");
    facts.data = std::shared_ptr<const JobAccepted>(used, &used->accepted);
    return std::shared_ptr<Job>();
  }

  Done operator()(const TravelShortened& record) {
    facts.replayable_from = std::max(facts.replayable_from, record.from_step);
    return std::shared_ptr<Job>();
  }
};

std::string state_of(const NetworkEntry::Facts& facts) {
  if (facts.queue.empty()) return "idle";
  switch (facts.queue.front()->view.state) {
    case api::JobState::paused:
      return "paused";
    case api::JobState::running:
      return "training";
    default:
      return "queued";
  }
}

}  // namespace

NetworkEntry::NetworkEntry(NetworkIdentity of, std::uint64_t entry_ordinal, std::size_t history_capacity,
                           const PastLimits& past_limits, JobCounts& job_counts)
    : identity(std::make_shared<const NetworkIdentity>(std::move(of))),
      ordinal(entry_ordinal),
      limits(past_limits),
      counts(job_counts),
      history(history_capacity) {
  facts.fold_bytes = limits.journal_bytes_max;
  facts.spec = identity->spec;
  facts.step = identity->start_step.value_or(0);
  facts.replayable_from = facts.step;
  facts.state_sha256 = identity->state_sha256;
  facts.labels = identity->labels;
  facts.ttl_s = identity->ttl_s;
  facts.updated_at = identity->created_at;
  facts.data = identity->data;
  if (identity->data) note_dataset(*identity->data);
}

std::shared_ptr<const core::Snapshot> NetworkEntry::live_snapshot() const {
  std::lock_guard lock(snapshot_mutex);
  return snapshot;
}

void NetworkEntry::publish(std::shared_ptr<const core::Snapshot> fresh) {
  {
    std::lock_guard lock(snapshot_mutex);
    snapshot.swap(fresh);
  }
  // The old one, now in `fresh`, may be large: it is freed outside the lock.
}

Timeline NetworkEntry::timeline() const {
  std::lock_guard lock(mutex);
  Timeline copy;
  copy.identity = identity;
  copy.base = facts.base;
  copy.events = facts.events;
  for (TimelineEvent& event : copy.events)
    if (event.job) event.step_ns = event.job->step_ns;
  for (const StoredCheckpoint& stored : facts.checkpoints) copy.checkpoints.push_back(stored.key);
  return copy;
}

core::Result<std::shared_ptr<Job>> NetworkEntry::apply(std::uint64_t sequence, const JournalRecord& record,
                                                       std::uint64_t job_ordinal) {
  core::Result<std::shared_ptr<Job>> done = std::visit(Applier{*this, facts, sequence, job_ordinal}, record);
  facts.sequence = sequence;
  return done;
}

void NetworkEntry::note_dataset(const JobAccepted& accepted) {
  const auto& known = facts.datasets;
  if (accepted.dataset.empty() || std::find(known.begin(), known.end(), accepted.dataset) != known.end())
    return;
  facts.datasets.push_back(accepted.dataset);
}

bool NetworkEntry::count_journal_bytes(std::uint64_t bytes) {
  facts.journal_bytes += bytes;
  facts.unstored_bytes += bytes;
  return facts.journal_bytes > facts.fold_bytes;
}

void NetworkEntry::set_state(Job& job, api::JobState state) {
  counts.leave(job.view.state);
  counts.enter(state);
  job.view.state = state;
}

std::string NetworkEntry::etag() const {
  return identity->incarnation + "-" + std::to_string(facts.sequence) + "-" + std::to_string(facts.step);
}

std::vector<std::string> NetworkEntry::class_labels_at(std::uint64_t sequence) const {
  std::vector<std::string> labels = facts.base_class_labels;
  if (labels.empty()) labels = identity->spec.class_labels;
  for (const TimelineEvent& event : facts.events)
    if (labels.empty() && event.sequence <= sequence && event.kind == TimelineEvent::Kind::job_started)
      labels = event.job->accepted.class_labels;
  return labels;
}

const std::vector<std::string>& NetworkEntry::class_labels() const {
  for (auto job = facts.queue.begin(); facts.spec.class_labels.empty() && job != facts.queue.end(); ++job)
    if (!(*job)->accepted.class_labels.empty()) return (*job)->accepted.class_labels;
  return facts.spec.class_labels;
}

api::NetworkView NetworkEntry::view() const {
  api::NetworkView view;
  view.name = name();
  view.spec = facts.spec;
  view.spec.class_labels = class_labels();
  view.preprocess = preprocess;
  view.step = facts.step;
  view.parameters = core::parameter_count(facts.spec);
  view.state = state_of(facts);
  view.last_record = facts.last_record;
  if (!facts.jobs.empty()) view.last_job = facts.jobs.back()->view;
  const bool in_job = !facts.queue.empty() && (facts.queue.front()->started ||
                                               facts.queue.front()->view.state == api::JobState::running);
  if (!in_job) view.state_sha256 = facts.state_sha256;
  view.etag = etag();
  view.labels = facts.labels;
  view.ttl_s = facts.ttl_s;
  view.created_at = identity->created_at;
  view.updated_at = facts.updated_at;
  view.forked_from = identity->forked_from;
  view.replayable_from = replayable_from();
  view.datasets = facts.datasets;
  return view;
}

}  // namespace mlpd::server
