#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "api/service.h"
#include "core/result.h"
#include "server/journal_record.h"

namespace mlpd::server {

/// A train job: what was asked for never changes; `view` and what follows it are guarded by the network
/// entry's `mutex`.
struct Job {
  JobAccepted accepted;
  std::uint64_t ordinal = 0;  ///< order of all jobs; cursor of lists
  api::JobView view;
  std::uint64_t step_ns = 0;      ///< computing of one step, measured; 0: not yet
  bool started = false;           ///< job_started is in the journal, or on its way there
  bool ending = false;            ///< cancelled before it began, the record being on its way: not to be begun
  bool cancel_requested = false;  ///< durable; the worker ends the job at the next slice

  /// False once its network's journal was folded behind it: request and data are no more.
  bool kept_for_replay() const { return !accepted.request.empty(); }
};

/// How many jobs of all networks wait (queued or paused) and run.
struct JobCounts {
  std::atomic<std::size_t> waiting{0};
  std::atomic<std::size_t> running{0};
  void enter(api::JobState state);
  void leave(api::JobState state);
};

/// What can happen to a job.
enum class JobEvent { start, pause, resume, succeed, fail, cancel };

/// The one place that says which change of state is allowed: failed_precondition for the others. Repeating
/// what is already so (pausing a paused job, resuming a running one) changes nothing and is fine.
core::Result<api::JobState> next_state(api::JobState state, JobEvent event);

bool has_ended(api::JobState state);

}  // namespace mlpd::server
