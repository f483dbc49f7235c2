#include "server/jobs/job.h"

#include <string_view>

#include "api/encode_job.h"

namespace mlpd::server {
namespace {

using api::JobState;

core::Error refused(std::string_view what, JobState state) {
  return {core::ErrorCode::failed_precondition,
          "a job that is " + std::string(name_of(state)) + " can't be " + std::string(what)};
}

}  // namespace

void JobCounts::enter(JobState state) {
  if (state == JobState::running) ++running;
  if (state == JobState::queued || state == JobState::paused) ++waiting;
}

void JobCounts::leave(JobState state) {
  if (state == JobState::running) --running;
  if (state == JobState::queued || state == JobState::paused) --waiting;
}

bool has_ended(JobState state) {
  return state == JobState::succeeded || state == JobState::failed || state == JobState::cancelled;
}

core::Result<JobState> next_state(JobState state, JobEvent event) {
  const bool ended = has_ended(state);
  switch (event) {
    case JobEvent::start:
      if (ended || state == JobState::paused) return refused("started", state);
      return JobState::running;
    case JobEvent::pause:
      if (ended) return refused("paused", state);
      return JobState::paused;
    case JobEvent::resume:  // the worker starts it again when its turn comes
      if (ended) return refused("resumed", state);
      return state == JobState::paused ? JobState::queued : state;
    case JobEvent::succeed:
      if (ended) return refused("ended", state);
      return JobState::succeeded;
    case JobEvent::fail:
      if (ended) return refused("ended", state);
      return JobState::failed;
    case JobEvent::cancel:
      return ended ? state : JobState::cancelled;
  }
  return refused("changed", state);
}

}  // namespace mlpd::server
