#include "server/jobs/job_runner.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "server/commit.h"
#include "server/publication.h"
#include "server/thread_pool.h"

namespace mlpd::server {
namespace {

using core::Result;
using Clock = NetworkEntry::Clock;
using std::chrono::milliseconds;

/// A slice is long enough that its edges cost nothing, short enough that nobody notices waiting for it.
constexpr double kSliceSeconds = 0.008;
/// How long a network keeps a thread that another network waits for.
constexpr milliseconds kTurn{50};
/// Predictions see new parameters at most this often.
constexpr milliseconds kPublishEvery{20};
/// A replay may take a second; half of it is kept for a slower machine.
constexpr double kStoreEverySeconds = 0.5;
/// Checkpoints and snapshots take at most 1/20 of the time.
constexpr int kShare = 20;
constexpr milliseconds kRetryDisk{200};
/// A job that is over sooner tells its start together with its end: one wait for the disk, not two.
constexpr milliseconds kStartUnwritten{10};

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

Clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

void count_time(NetworkEntry::Training& training) {
  const Clock::time_point now = Clock::now();
  training.job_seconds += seconds_between(training.clock, now);
  training.clock = now;
}

}  // namespace

std::shared_ptr<Job> JobRunner::next_job(NetworkEntry& entry) {
  std::lock_guard lock(entry.mutex);
  if (parts_.stopping || entry.facts.removed || entry.facts.queue.empty()) return nullptr;
  const std::shared_ptr<Job>& job = entry.facts.queue.front();
  if (job->ending) return nullptr;
  if (job->cancel_requested) return job;
  return job->view.state == api::JobState::paused ? nullptr : job;
}

/// Whether the job is still the one to run; it is running then.
bool JobRunner::claim(NetworkEntry& entry, const std::shared_ptr<Job>& job) {
  if (next_job(entry) != job) return false;  // it was cancelled, or the network removed, meanwhile
  api::JobView view;
  {
    std::lock_guard lock(entry.mutex);
    if (job->ending || entry.facts.removed) return false;
    if (job->view.state == api::JobState::running || job->cancel_requested) return true;
    const Result<api::JobState> next = next_state(job->view.state, JobEvent::start);
    if (!next.ok()) return false;
    entry.set_state(*job, *next);
    if (!job->view.started_at) job->view.started_at = parts_.now();
    entry.training.running_since = Clock::now();
    entry.training.running_steps.reset();
    entry.training.clock = entry.training.running_since;
    view = job->view;
  }
  parts_.observer.on_job(view);
  return true;
}

Scheduler::Next JobRunner::take_turn(const std::shared_ptr<NetworkEntry>& entry) {
  const Clock::time_point turn_end = Clock::now() + kTurn;
  while (const std::shared_ptr<Job> job = next_job(*entry)) {
    Lock lock(entry->training_mutex);
    if (!claim(*entry, job)) continue;
    NetworkEntry::Training& training = entry->training;
    std::optional<End> how;
    if (Result<void> loaded = keeper_.load(*entry); !loaded.ok()) {
      how = End{core::StopReason::failed, true, loaded.error(), false};
    } else {
      how = begin(entry, job);
    }
    SliceLimit limit;
    if (!how) {
      bool cancelled = false;
      {
        std::lock_guard guard(entry->mutex);
        cancelled = job->cancel_requested;
        if (job->view.state == api::JobState::paused && !cancelled) continue;
      }
      if (!training.running_steps) {
        training.running_steps = training.state.run->progress().steps_done;
        if (training.job_seconds == 0) training.job_steps_before = *training.running_steps;
      }
      count_time(training);
      limit = limit_slice(*entry);
      if (cancelled) {
        how = End{core::StopReason::cancelled, true, {}, false};
      } else if (training.state.request.max_seconds &&
                 training.job_seconds >= *training.state.request.max_seconds) {
        how = End{core::StopReason::completed, true, {}, false};
      } else if (limit.steps == 0) {
        keeper_.write_start(entry);
        publish(*entry, false);
        return {false, limit.resume_at};
      } else {
        how = slice(*entry, *job, limit.steps);
      }
    }
    if (how) {
      if (!end(entry, job, *std::move(how))) return {};
      store_when_due(entry, lock, false);
    } else {
      const std::optional<std::uint64_t>& every = training.state.request.checkpoint_every;
      if (Clock::now() - training.running_since >= kStartUnwritten) keeper_.write_start(entry);
      publish(*entry, false);
      store_when_due(entry, lock, every && training.state.learner->step() % *every == 0);
    }
    keeper_.fold_when_due(entry, lock);
    lock.unlock();
    if (Clock::now() >= turn_end && others_wait_()) return {true, std::nullopt};
  }
  Lock lock(entry->training_mutex);
  keeper_.write_start(entry);  // paused, or the engine stops
  if (!parts_.stopping) keeper_.fold_when_due(entry, lock);
  return {};
}

std::optional<JobRunner::End> JobRunner::begin(const std::shared_ptr<NetworkEntry>& entry,
                                               const std::shared_ptr<Job>& job) {
  NetworkEntry::Training& training = entry->training;
  if (training.state.job == job) {
    if (training.state.run) return std::nullopt;
    return End{
        core::StopReason::failed, true,  // replayed up to its failed beginning
        training.state.failure.value_or(core::Error{core::ErrorCode::internal, "the job could not begin"}),
        false};
  }
  JobStarted start{job->accepted.id, training.state.learner->step(), {}, {}};
  {
    std::lock_guard lock(entry->mutex);
    start.at = job->view.started_at.value_or(parts_.now());
  }
  training.job_seconds = 0;
  training.job_steps_before = 0;
  training.slice_steps = 1;
  const Result<void> begun = begin_job(training.state, job, keeper_.source(*entry), std::nullopt);
  if (training.state.request.hyper_parameters) {
    start.hyper_parameters = training.state.learner->spec().hyper_parameters;
  }
  training.unwritten_start = start;
  std::lock_guard lock(entry->mutex);
  entry->facts.spec.hyper_parameters = training.state.learner->spec().hyper_parameters;
  entry->facts.spec.class_labels = training.state.learner->spec().class_labels;
  if (begun.ok()) return std::nullopt;
  return End{core::StopReason::failed, true, begun.error(), false};
}

JobRunner::SliceLimit JobRunner::limit_slice(NetworkEntry& entry) {
  NetworkEntry::Training& training = entry.training;
  const api::TrainRequest& request = training.state.request;
  SliceLimit limit{training.slice_steps, {}};
  if (request.checkpoint_every && *request.checkpoint_every > 0) {
    limit.steps = std::min(
        limit.steps, *request.checkpoint_every - training.state.learner->step() % *request.checkpoint_every);
  }
  if (request.pace_steps_per_second) {
    const double rate = *request.pace_steps_per_second;
    const double due = rate * seconds_between(training.running_since, Clock::now()) + 1;
    const double done =
        static_cast<double>(training.state.run->progress().steps_done - *training.running_steps);
    if (due < done + 1) {
      limit.steps = 0;
      limit.resume_at = training.running_since + duration_of(done / rate + 1e-4);
      if (request.max_seconds)
        limit.resume_at = std::min(limit.resume_at,
                                   training.clock + duration_of(*request.max_seconds - training.job_seconds));
    } else {
      limit.steps = std::min(limit.steps, static_cast<std::uint64_t>(due - done));
    }
  }
  return limit;
}

std::optional<JobRunner::End> JobRunner::slice(NetworkEntry& entry, Job& job, std::uint64_t steps) {
  NetworkEntry::Training& training = entry.training;
  std::vector<core::Record> records;
  const auto keep = [&](const core::Record& record) { records.push_back(record); };
  const std::uint64_t done_before = training.state.run->progress().steps_done;
  const Clock::time_point begun = Clock::now();
  const double computed_before = thread_seconds();
  std::optional<core::StopReason> reason;
  std::optional<End> how;
  try {
    reason = training.state.run->run(steps, keep);
  } catch (const std::exception& failure) {
    parts_.log("job " + job.accepted.id + ": " + failure.what());
    return End{core::StopReason::failed, true,
               core::Error{core::ErrorCode::internal, "training stopped by an internal error"}, true};
  }
  const double computed = thread_seconds() - computed_before;
  const double seconds = seconds_between(begun, Clock::now());
  const std::uint64_t done = training.state.run->progress().steps_done - done_before;
  training.seconds_since_stored += seconds;
  count_time(training);
  const double factor = seconds > 0 ? kSliceSeconds / seconds : 2;
  training.slice_steps = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(static_cast<double>(steps) * std::clamp(factor, 0.1, 4.0)));
  {
    std::lock_guard lock(entry.history_mutex);
    for (const core::Record& record : records) entry.history.append(record);
  }
  {
    std::lock_guard lock(entry.mutex);
    entry.facts.step = training.state.learner->step();
    job.view.step = entry.facts.step;
    if (done > 0) {
      const auto step_ns = static_cast<std::uint64_t>(1e9 * computed / static_cast<double>(done));
      job.step_ns = job.step_ns == 0 ? step_ns : (3 * job.step_ns + step_ns) / 4;
    }
    job.view.steps_done = training.state.run->progress().steps_done;
    const std::uint64_t steps_counted = job.view.steps_done - training.job_steps_before;
    job.view.steps_per_second =
        training.job_seconds > 0 ? static_cast<double>(steps_counted) / training.job_seconds : 0;
    if (!records.empty()) {
      entry.facts.last_record = records.back();
      job.view.loss = records.back().loss;
    }
  }
  for (const core::Record& record : records) parts_.observer.on_record(entry.name(), record);
  parts_.observer.on_slice(entry.name(), done, done * training.state.run->batch_rows(),
                           records.empty() ? core::kAbsent : records.back().loss);
  if (reason) how = End{*reason, false, {}, false};
  return how;
}

void JobRunner::publish(NetworkEntry& entry, bool now) {
  NetworkEntry::Training& training = entry.training;
  const Clock::time_point begun = Clock::now();
  const Clock::duration pause = std::max<Clock::duration>(kPublishEvery, kShare * training.publish_cost);
  if (!now && begun - training.published < pause) return;
  entry.publish(training.state.learner->snapshot());
  training.published = Clock::now();
  training.publish_cost = training.published - begun;
}

void JobRunner::store_when_due(const std::shared_ptr<NetworkEntry>& entry, Lock& lock, bool now) {
  const NetworkEntry::Training& training = entry->training;
  if (now || NetworkKeeper::journal_wants_checkpoint(*entry) ||
      training.seconds_since_stored >= std::max(kStoreEverySeconds, kShare * training.store_seconds)) {
    (void)keeper_.store_state(entry, lock);
  }
}

api::JobView JobRunner::final_view(NetworkEntry& entry, const Job& job, const End& how) {
  TrainingState& state = entry.training.state;
  api::JobView view;
  {
    std::lock_guard lock(entry.mutex);
    view = job.view;
  }
  const JobEvent event = how.error                                   ? JobEvent::fail
                         : how.reason == core::StopReason::cancelled ? JobEvent::cancel
                                                                     : JobEvent::succeed;
  if (const Result<api::JobState> next = next_state(view.state, event); next.ok()) view.state = *next;
  view.stop_reason = how.reason;
  view.error = how.error;
  view.finished_at = parts_.now();
  if (!state.learner || state.job.get() != &job) return view;
  if (!how.broken) view.step = state.learner->step();
  if (how.broken || !state.run) return view;
  const core::TrainingProgress& progress = state.run->progress();
  view.steps_done = progress.steps_done;
  if (!how.cut_short && state.request.plan.keep_best) view.best_step = progress.best_step;
  if (how.error) return view;
  if (Result<core::Evaluation> evaluation = state.run->evaluate_training(); evaluation.ok()) {
    view.loss = evaluation->loss;
    view.evaluation = *std::move(evaluation);
  }
  const bool usable =
      how.reason == core::StopReason::completed || how.reason == core::StopReason::early_stopped;
  if (usable && state.request.publish_if)
    view.publication = publish_if_better(versions_, entry.name(), view.id, *state.request.publish_if,
                                         *state.learner, state.run->rows());
  return view;
}

/// False where the engine stops before the end could be written: the next start repeats the job's last steps.
bool JobRunner::end(const std::shared_ptr<NetworkEntry>& entry, const std::shared_ptr<Job>& job,
                    const End& how) {
  NetworkEntry::Training& training = entry->training;
  JobEnded record;
  record.cut_short = how.cut_short;
  const bool began = training.state.learner && training.state.job == job;
  std::optional<std::uint64_t> best_step;
  if (began && training.state.run && how.cut_short && !how.error) {
    best_step = adopt_best(training.state);
  }
  record.job = final_view(*entry, *job, how);
  if (best_step) record.job.best_step = best_step;
  std::vector<JournalRecord> records;
  if (how.broken) {  // what is in memory can't be trusted: load it again
    training.state = TrainingState{};
    entry->loaded = false;
  } else if (began) {
    training.state.run.reset();
    training.state.job.reset();
    record.state_sha256 = core::state_digest(training.state.learner->checkpoint()).hex();
    std::lock_guard lock(entry->mutex);
    record.last_record = entry->facts.last_record;
    record.step_ns = job->step_ns;
  }
  if (training.unwritten_start) records.push_back(*training.unwritten_start);
  records.push_back(record);
  if (began && !how.broken) publish(*entry, true);
  entry->used_at_ms = parts_.now().time_since_epoch().count();  // ttl_s begins when the job is over
  for (;;) {
    const Result<std::uint64_t> written = commit(parts_, entry, records);
    if (written.ok()) {
      training.applied_sequence = *written;
      break;
    }
    parts_.log("end of job " + job->accepted.id + ": " + written.error().message);
    if (parts_.stopping) {  // nothing of the end may be stored
      training.state = TrainingState{};
      entry->loaded = false;
      return false;
    }
    std::this_thread::sleep_for(kRetryDisk);
  }
  training.unwritten_start.reset();
  parts_.observer.on_job(record.job);
  return true;
}

}  // namespace mlpd::server
