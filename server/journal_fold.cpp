#include "server/journal_fold.h"

#include <algorithm>
#include <set>
#include <utility>

namespace mlpd::server {
namespace {

using Facts = NetworkEntry::Facts;
using Kind = TimelineEvent::Kind;

/// Roughly what a part of a folded record takes besides its texts.
constexpr std::uint64_t kJobBytes = 900;
constexpr std::uint64_t kEventBytes = 150;
constexpr std::uint64_t kSettingsBytes = 700;

bool before(const StoredCheckpoint& stored, CheckpointKey base) {
  return stored.key.step < base.step || stored.key.sequence < base.sequence;
}

/// The events that replay from `base` on needs: later ones, and the start of the job that it is in, or that
/// was trained last before it.
std::vector<TimelineEvent> events_from(const Facts& facts, CheckpointKey base) {
  std::vector<TimelineEvent> kept;
  for (const TimelineEvent& event : facts.events) {
    if (event.sequence <= base.sequence) {
      if (event.kind != Kind::job_started) continue;
      kept.clear();
    }
    kept.push_back(event);
  }
  return kept;
}

/// Jobs that go on, that replay needs, or whose data the next one may use.
std::set<const Job*> needed_jobs(const Facts& facts, const std::vector<TimelineEvent>& events) {
  std::set<const Job*> needed;
  for (const TimelineEvent& event : events)
    if (event.job) needed.insert(event.job.get());
  for (const std::shared_ptr<Job>& job : facts.queue) needed.insert(job.get());
  for (const auto* jobs : {&facts.former, &facts.jobs})
    for (const std::shared_ptr<Job>& job : *jobs)
      if (&job->accepted == facts.data.get()) needed.insert(job.get());
  return needed;
}

/// What a record folded at `base` takes for replay.
std::uint64_t estimate(const Facts& facts, CheckpointKey base) {
  const std::vector<TimelineEvent> events = events_from(facts, base);
  const std::set<const Job*> needed = needed_jobs(facts, events);
  std::uint64_t bytes = 0;
  for (const Job* job : needed) bytes += kJobBytes + job->accepted.request.size() + job->accepted.rows.size();
  for (const TimelineEvent& event : events)
    bytes += event.kind == Kind::settings ? kSettingsBytes : kEventBytes;
  return bytes;
}

CheckpointKey choose_base(const NetworkEntry& entry) {
  const Facts& facts = entry.facts;
  const auto too_much = [&](CheckpointKey base) {
    return estimate(facts, base) > entry.limits.journal_bytes_max / 2;
  };
  if (facts.checkpoints.size() < 2 || !too_much(facts.base)) return facts.base;
  const auto last = facts.checkpoints.end() - 2;
  return std::partition_point(facts.checkpoints.begin(), last,
                              [&](const StoredCheckpoint& stored) { return too_much(stored.key); })
      ->key;
}

/// The step that a start finds, of what is durable now.
std::uint64_t durable_step(const Facts& facts) {
  if (facts.queue.empty() || !facts.queue.front()->started) return facts.step;
  std::uint64_t step = facts.events.empty() ? 0 : facts.events.back().step;
  if (!facts.checkpoints.empty()) step = std::max(step, facts.checkpoints.back().key.step);
  return step;
}

/// The job without what only a replay of it needs.
JobAccepted without_texts(const JobAccepted& accepted) {
  JobAccepted slim = accepted;
  slim.request.clear();
  slim.rows.clear();
  slim.dataset.clear();
  return slim;
}

/// `step` is the network's durable one: how far a job is, the next start learns from the newest checkpoint.
Folded::Job fold_job(const Job& job, bool needed, bool listed, std::uint64_t step) {
  Folded::Job folded{needed ? job.accepted : without_texts(job.accepted),
                     job.view,
                     job.started,
                     job.cancel_requested,
                     listed,
                     job.step_ns};
  if (has_ended(job.view.state)) return folded;
  if (folded.view.state == api::JobState::running) folded.view.state = api::JobState::queued;
  folded.view.step = std::min(job.view.step, step);
  folded.view.steps_done = 0;
  folded.view.steps_per_second = 0;
  folded.view.loss.reset();
  return folded;
}

Folded::Event fold_event(const TimelineEvent& event) {
  Folded::Event folded;
  folded.sequence = event.sequence;
  folded.kind = event.kind;
  folded.step = event.step;
  if (event.hyper_parameters) folded.hyper_parameters = *event.hyper_parameters;
  if (event.job) folded.job = event.job->accepted.id;
  folded.steps_done = event.steps_done;
  folded.cut_short = event.cut_short;
  folded.failed = event.failed;
  return folded;
}

}  // namespace

std::uint64_t first_step(const Facts& facts, CheckpointKey base) {
  if (base == facts.base) return facts.replayable_from;
  const bool later = std::any_of(facts.events.begin(), facts.events.end(), [&](const TimelineEvent& event) {
    return event.sequence <= base.sequence &&
           (event.kind == Kind::job_ended ? event.step > base.step : event.step >= base.step);
  });
  return std::max(facts.replayable_from, later ? base.step + 1 : base.step);
}

Folded fold(const NetworkEntry& entry) {
  const Facts& facts = entry.facts;
  Folded folded;
  folded.base = choose_base(entry);
  folded.replayable_from = first_step(facts, folded.base);
  folded.restored_sequence = facts.restored_sequence;
  folded.step = durable_step(facts);
  folded.hyper_parameters = facts.spec.hyper_parameters;
  folded.last_record = facts.last_record;
  folded.state_sha256 = facts.state_sha256;
  folded.class_labels = entry.class_labels_at(folded.base.sequence);
  folded.labels = facts.labels;
  folded.ttl_s = facts.ttl_s;
  folded.updated_at = facts.updated_at;
  if (facts.data != entry.identity->data) folded.data = facts.data->id;
  const std::vector<TimelineEvent> events = events_from(facts, folded.base);
  const std::set<const Job*> needed = needed_jobs(facts, events);
  for (const std::shared_ptr<Job>& job : facts.former)
    if (needed.contains(job.get())) folded.jobs.push_back(fold_job(*job, true, false, folded.step));
  for (const std::shared_ptr<Job>& job : facts.jobs)
    folded.jobs.push_back(fold_job(*job, needed.contains(job.get()), true, folded.step));
  for (const TimelineEvent& event : events) folded.events.push_back(fold_event(event));
  return folded;
}

FoldedAway forget_before(NetworkEntry& entry, CheckpointKey base) {
  Facts& facts = entry.facts;
  FoldedAway away;
  facts.replayable_from = first_step(facts, base);
  facts.base_class_labels = entry.class_labels_at(base.sequence);
  facts.events = events_from(facts, base);
  facts.base = base;
  for (const StoredCheckpoint& stored : facts.checkpoints)
    if (before(stored, base)) away.checkpoints.push_back(stored.key);
  std::erase_if(facts.checkpoints, [&](const StoredCheckpoint& stored) { return before(stored, base); });
  const std::set<const Job*> needed = needed_jobs(facts, facts.events);
  std::erase_if(facts.former, [&](const std::shared_ptr<Job>& job) {
    if (needed.contains(job.get())) return false;
    away.released.push_back(job->accepted);
    return true;
  });
  for (std::shared_ptr<Job>& job : facts.jobs) {
    if (needed.contains(job.get()) || !job->kept_for_replay()) continue;
    away.released.push_back(job->accepted);
    auto slim = std::make_shared<Job>(*job);  // others may be reading the one that is
    slim->accepted = without_texts(job->accepted);
    const auto keyed = facts.by_key.find(job->accepted.idempotency_key);
    if (keyed != facts.by_key.end() && keyed->second == job) keyed->second = slim;
    job = slim;
    away.replaced.push_back(std::move(slim));
  }
  facts.datasets.clear();
  if (entry.identity->data) entry.note_dataset(*entry.identity->data);
  for (const auto* jobs : {&facts.former, &facts.jobs})
    for (const std::shared_ptr<Job>& job : *jobs) entry.note_dataset(job->accepted);
  return away;
}

}  // namespace mlpd::server
