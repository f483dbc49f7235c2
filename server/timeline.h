#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/service.h"
#include "core/executor.h"
#include "core/learner.h"
#include "core/trainer.h"
#include "server/jobs/job.h"
#include "server/journal_record.h"
#include "server/store/store.h"

/// A network's state at any moment = its nearest stored state before + exact replay of its journal. Loading
/// after a restart, `?step=K`, export and resuming a job cut off all come through here.
namespace mlpd::server {

/// One journal record that decides numbers.
struct TimelineEvent {
  using Kind = EventKind;
  std::uint64_t sequence = 0;
  Kind kind = Kind::settings;
  std::uint64_t step = 0;                                         ///< where it happened
  std::shared_ptr<const core::HyperParameters> hyper_parameters;  ///< settings
  std::shared_ptr<const Job> job;                                 ///< job_started, job_ended
  std::uint64_t steps_done = 0;                                   ///< job_ended
  bool cut_short = false;                                         ///< job_ended: not by its plan
  bool failed = false;                                            ///< job_ended
  std::uint64_t step_ns = 0;  ///< job_started in a Timeline: computing of one step; 0: not known
};

/// What a trainer holds: the learner, and the job in the middle of which it is.
struct TrainingState {
  std::unique_ptr<core::Learner> learner;
  std::shared_ptr<const Job> job;          ///< null between jobs
  std::unique_ptr<core::TrainingRun> run;  ///< null where the job could not start
  std::optional<core::Error> failure;      ///< why the last job that was begun could not be
  api::TrainRequest request;               ///< the job's
};

/// A copy of what replay needs of one network, so that it runs without a lock.
struct Timeline {
  std::shared_ptr<const NetworkIdentity> identity;
  CheckpointKey base;                      ///< events before it are no more; all zero: none is missing
  std::vector<TimelineEvent> events;       ///< in order of sequence
  std::vector<CheckpointKey> checkpoints;  ///< ascending
};

/// Where replay gets numbers from, and where it runs.
struct ReplaySource {
  std::function<core::Result<StoredState>(CheckpointKey)> state;
  std::function<core::Result<std::shared_ptr<const core::Dataset>>(const Job&)> data;
  core::Executor* executor = nullptr;
  /// Asked between slices of some milliseconds, with the step reached; false breaks the replay off, with the
  /// error `cancelled`. Null: nobody is asked.
  std::function<bool(std::uint64_t step)> go_on;
};

/// Called for each record of a replayed step.
using OnRecord = std::function<void(const core::Record&)>;

/// The moment at which `step` had just been reached: what came later at the same step (another job, changed
/// settings) is not in it. `not_found` past `live_step`, failed_precondition before `replayable_from`.
core::Result<CheckpointKey> moment_of_step(const Timeline& timeline, std::uint64_t step,
                                           std::uint64_t live_step, std::uint64_t replayable_from);

/// What a replay to a moment would do.
struct ReplayLength {
  std::uint64_t from_step = 0;
  std::uint64_t steps = 0;
  double seconds = 0;  ///< estimated by what steps of the same jobs took; what isn't known counts nothing
};
ReplayLength replay_length(const Timeline& timeline, CheckpointKey moment);

/// The end of the timeline: everything applied. A job without an end is left where its newest stored state,
/// or the last change of settings, has it; where its data can't be read it goes no further, and `failure`
/// says so.
inline constexpr CheckpointKey kLiveMoment{~std::uint64_t{0}, ~std::uint64_t{0}};

/// The state at `moment`, from the newest readable stored state not after `newest_base` (a damaged one only
/// costs time). `corrupted` where none is left.
core::Result<TrainingState> replay(const Timeline& timeline, CheckpointKey moment, CheckpointKey newest_base,
                                   const ReplaySource& source, const OnRecord& on_record);

/// Of rows whose labels aren't the network's.
core::Error other_labels();

/// Gives a network without labels the job's, applies the job's settings and binds its data, or goes on from
/// `progress`. A failure is the job's.
core::Result<void> begin_job(TrainingState& state, const std::shared_ptr<const Job>& job,
                             const ReplaySource& source, std::optional<core::TrainingProgress> progress);

/// For a job ended in the middle of its plan: adopts the best parameters so far where the plan wants that.
/// Returns their step.
std::optional<std::uint64_t> adopt_best(TrainingState& state);

}  // namespace mlpd::server
