#include "server/timeline.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>

#include "api/journal_document.h"

namespace mlpd::server {
namespace {

using core::Result;
using Kind = TimelineEvent::Kind;

/// Whoever can break a replay off is asked about so often.
constexpr std::chrono::milliseconds kSlice{10};
/// What a job's beginning takes: its request and its rows are read.
constexpr double kBeginSeconds = 2e-4;

core::Error corrupted(std::string message) { return {core::ErrorCode::corrupted, std::move(message)}; }

/// Replay is not where the journal says: because a job's data couldn't be read, or for no good reason.
core::Error astray(const TrainingState& state, const std::string& message) {
  return state.failure.value_or(corrupted(message));
}

/// The newest readable state at or before the bounds.
Result<std::pair<TrainingState, std::uint64_t>> load_base(const Timeline& timeline, CheckpointKey moment,
                                                          CheckpointKey newest, const ReplaySource& source) {
  TrainingState state;
  std::string damaged;
  for (auto key = timeline.checkpoints.rbegin(); key != timeline.checkpoints.rend(); ++key) {
    if (key->step > std::min(moment.step, newest.step)) continue;
    if (key->sequence > std::min(moment.sequence, newest.sequence)) continue;
    Result<StoredState> stored = source.state(*key);
    if (!stored.ok()) {
      damaged = stored.error().message;
      continue;
    }
    Result<std::unique_ptr<core::Learner>> learner =
        core::Learner::restore(std::move(stored->checkpoint), *source.executor);
    if (!learner.ok()) {
      damaged = learner.error().message;
      continue;
    }
    state.learner = *std::move(learner);
    if (!stored->job.empty()) {
      for (const TimelineEvent& event : timeline.events)
        if (event.kind == Kind::job_started && event.job->accepted.id == stored->job) state.job = event.job;
      if (!state.job) return corrupted("a stored state belongs to a job that the journal doesn't know");
      // Without its data the state is whole; only going on is not possible.
      Result<void> begun = begin_job(state, state.job, source, std::move(stored->progress));
      if (!begun.ok()) state.failure = begun.error();
    }
    return std::pair(std::move(state), key->sequence);
  }
  if (timeline.identity->start_step || timeline.base != CheckpointKey{}) {
    return corrupted("no state that replay can start from can be read: " + damaged);
  }
  Result<std::unique_ptr<core::Learner>> learner =
      core::Learner::create(timeline.identity->spec, nullptr, *source.executor);
  if (!learner.ok()) return learner.error();
  state.learner = *std::move(learner);
  return std::pair(std::move(state), std::uint64_t{0});
}

/// The job's labels become the network's where it has none; others than it has are refused.
Result<void> name_classes(TrainingState& state, const std::vector<std::string>& labels,
                          const ReplaySource& source) {
  if (state.learner->spec().class_labels == labels) return {};
  if (!state.learner->spec().class_labels.empty()) return other_labels();
  core::Checkpoint named = state.learner->checkpoint();
  named.spec.class_labels = labels;
  Result<std::unique_ptr<core::Learner>> learner = core::Learner::restore(std::move(named), *source.executor);
  if (!learner.ok()) return learner.error();
  state.learner = *std::move(learner);
  return {};
}

/// At most `steps` updates of the job; false where the replay is to be broken off.
bool run(TrainingState& state, std::uint64_t steps, const ReplaySource& source, const OnRecord& on_record) {
  if (!source.go_on) {
    (void)state.run->run(steps, on_record);
    return true;
  }
  std::uint64_t slice = 1;
  while (steps > 0) {
    if (!source.go_on(state.learner->step())) return false;
    const std::uint64_t next = std::min(slice, steps);
    const auto begun = std::chrono::steady_clock::now();
    if (state.run->run(next, on_record)) return true;
    steps -= next;
    const bool quick = std::chrono::steady_clock::now() - begun < kSlice;
    slice = quick ? 2 * slice : std::max<std::uint64_t>(1, slice / 2);
  }
  return true;
}

core::Error broken_off() { return {core::ErrorCode::cancelled, "the replay was broken off"}; }

Result<void> run_to(TrainingState& state, std::uint64_t step, const ReplaySource& source,
                    const OnRecord& on_record) {
  if (!state.run || state.learner->step() >= step) return {};
  if (!run(state, step - state.learner->step(), source, on_record)) return broken_off();
  return {};
}

Result<void> apply(TrainingState& state, const TimelineEvent& event, const ReplaySource& source,
                   const OnRecord& on_record) {
  switch (event.kind) {
    case Kind::settings:
      if (Result<void> done = run_to(state, event.step, source, on_record); !done.ok()) return done;
      // A change that the learner refuses was refused alike when it was made.
      (void)state.learner->set_hyper_parameters(*event.hyper_parameters);
      return {};
    case Kind::job_started: {
      if (state.learner->step() != event.step) {
        return corrupted("replay reached step " + std::to_string(state.learner->step()) +
                         " where a job began at " + std::to_string(event.step));
      }
      const Result<void> begun = begin_job(state, event.job, source, std::nullopt);
      // A job that can't begin failed alike when it was run; missing data shows where its steps are missed.
      if (!begun.ok()) state.failure = begun.error();
      return {};
    }
    case Kind::restored:  // in the middle of a job, maybe: that one is no more
      if (Result<void> done = run_to(state, event.step, source, on_record); !done.ok()) return done;
      state.run.reset();
      state.job.reset();
      if (state.learner->step() != event.step) {
        return astray(state, "replay reached step " + std::to_string(state.learner->step()) +
                                 " where the network went back to " + std::to_string(event.step));
      }
      return {};
    case Kind::job_ended:
      if (state.job != event.job) return {};  // it never started
      if (state.run && event.cut_short) {
        const std::uint64_t done = state.run->progress().steps_done;
        if (event.steps_done > done && !run(state, event.steps_done - done, source, on_record))
          return broken_off();
        if (!event.failed) (void)adopt_best(state);
      } else if (state.run && !run(state, std::numeric_limits<std::uint64_t>::max(), source, on_record)) {
        return broken_off();
      }
      state.run.reset();
      state.job.reset();
      if (state.learner->step() != event.step) {
        return astray(state, "replay ended a job at step " + std::to_string(state.learner->step()) +
                                 ", not at " + std::to_string(event.step));
      }
      return {};
  }
  return {};
}

}  // namespace

core::Error other_labels() {
  return {core::ErrorCode::conflict,
          "another training gave the network other labels meanwhile",
          {{"#/data/targets", "has other labels than the network"}}};
}

Result<CheckpointKey> moment_of_step(const Timeline& timeline, std::uint64_t step, std::uint64_t live_step,
                                     std::uint64_t replayable_from) {
  if (step > live_step) {
    return core::Error{core::ErrorCode::not_found, "step " + std::to_string(step) +
                                                       " has not been reached; the network is at step " +
                                                       std::to_string(live_step)};
  }
  if (step < replayable_from) {
    return core::Error{core::ErrorCode::failed_precondition,
                       "step " + std::to_string(step) + " is no longer kept; time travel begins at step " +
                           std::to_string(replayable_from)};
  }
  CheckpointKey moment{step, kLiveMoment.sequence};
  for (const TimelineEvent& event : timeline.events) {
    const bool after = event.kind == Kind::job_ended ? event.step > step : event.step >= step;
    if (!after) continue;
    moment.sequence = event.sequence - 1;
    break;
  }
  return moment;
}

ReplayLength replay_length(const Timeline& timeline, CheckpointKey moment) {
  CheckpointKey base{timeline.identity->start_step.value_or(0), 0};
  for (const CheckpointKey& key : timeline.checkpoints)
    if (key.step <= moment.step && key.sequence <= moment.sequence) base = key;
  ReplayLength length;
  length.from_step = base.step;
  std::uint64_t step = base.step;
  double step_seconds = 0;
  const auto reach = [&](std::uint64_t next) {
    if (next <= step) return;
    length.steps += next - step;
    length.seconds += static_cast<double>(next - step) * step_seconds;
    step = next;
  };
  for (const TimelineEvent& event : timeline.events) {
    if (event.sequence > moment.sequence) break;
    if (event.sequence > base.sequence) reach(event.step);
    if (event.kind == Kind::job_started) {
      step_seconds = static_cast<double>(event.step_ns) * 1e-9;
      if (event.sequence > base.sequence) length.seconds += kBeginSeconds;
    }
  }
  reach(moment.step);
  return length;
}

Result<TrainingState> replay(const Timeline& timeline, CheckpointKey moment, CheckpointKey newest_base,
                             const ReplaySource& source, const OnRecord& on_record) {
  auto base = load_base(timeline, moment, newest_base, source);
  if (!base.ok()) return base.error();
  auto [state, sequence] = *std::move(base);
  for (const TimelineEvent& event : timeline.events) {
    if (event.sequence <= sequence) continue;
    if (event.sequence > moment.sequence) break;
    if (Result<void> applied = apply(state, event, source, on_record); !applied.ok()) return applied.error();
  }
  if (moment.step != kLiveMoment.step) {
    if (Result<void> done = run_to(state, moment.step, source, on_record); !done.ok()) return done.error();
    if (state.learner->step() != moment.step) {
      return astray(state, "replay reached step " + std::to_string(state.learner->step()) + ", not " +
                               std::to_string(moment.step));
    }
  }
  return std::move(state);
}

Result<void> begin_job(TrainingState& state, const std::shared_ptr<const Job>& job,
                       const ReplaySource& source, std::optional<core::TrainingProgress> progress) {
  state.job = job;
  state.run.reset();
  if (!job->accepted.class_labels.empty()) {
    Result<void> named = name_classes(state, job->accepted.class_labels, source);
    if (!named.ok()) return named;
  }
  state.failure.reset();
  Result<api::TrainRequest> request = api::read_train_request(job->accepted.request);
  if (!request.ok()) return request.error();
  state.request = *std::move(request);
  Result<std::shared_ptr<const core::Dataset>> data = source.data(*job);
  if (!data.ok()) return data.error();
  if (!progress && state.request.hyper_parameters) {
    Result<void> set = state.learner->set_hyper_parameters(*state.request.hyper_parameters);
    if (!set.ok()) return set;
  }
  Result<core::TrainingRun> run = core::TrainingRun::start(
      *state.learner, *data, state.request.plan, progress ? *std::move(progress) : core::TrainingProgress{});
  if (!run.ok()) return run.error();
  state.run = std::make_unique<core::TrainingRun>(*std::move(run));
  return {};
}

std::optional<std::uint64_t> adopt_best(TrainingState& state) {
  std::optional<std::uint64_t> best_step;
  if (state.run && state.request.plan.keep_best) {
    const core::TrainingProgress& progress = state.run->progress();
    if (progress.best_step && core::size_of(progress.best_parameters) > 0) {
      core::Checkpoint best = state.learner->checkpoint();
      best.parameters = progress.best_parameters;
      if (state.learner->adopt_parameters(best).ok()) best_step = progress.best_step;
    }
  }
  return best_step;
}

}  // namespace mlpd::server
