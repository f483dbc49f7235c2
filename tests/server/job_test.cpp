#include "server/jobs/job.h"

#include <gtest/gtest.h>

#include <optional>

namespace mlpd::server {
namespace {

using api::JobState;

TEST(JobTest, AllowsExactlyTheseChangesOfState) {
  constexpr JobState kStates[] = {JobState::queued,    JobState::running, JobState::paused,
                                  JobState::succeeded, JobState::failed,  JobState::cancelled};
  constexpr std::nullopt_t kNo = std::nullopt;
  const struct {
    JobEvent event;
    std::optional<JobState> next[6];  // from queued, running, paused, succeeded, failed, cancelled
  } rows[] = {
      {JobEvent::start, {JobState::running, JobState::running, kNo, kNo, kNo, kNo}},
      {JobEvent::pause, {JobState::paused, JobState::paused, JobState::paused, kNo, kNo, kNo}},
      {JobEvent::resume, {JobState::queued, JobState::running, JobState::queued, kNo, kNo, kNo}},
      {JobEvent::succeed, {JobState::succeeded, JobState::succeeded, JobState::succeeded, kNo, kNo, kNo}},
      {JobEvent::fail, {JobState::failed, JobState::failed, JobState::failed, kNo, kNo, kNo}},
      {JobEvent::cancel,
       {JobState::cancelled, JobState::cancelled, JobState::cancelled, JobState::succeeded, JobState::failed,
        JobState::cancelled}},
  };
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < 6; ++i) {
      const core::Result<JobState> next = next_state(kStates[i], row.event);
      EXPECT_EQ(next.ok(), row.next[i].has_value()) << static_cast<int>(row.event) << " from " << i;
      if (!next.ok()) {
        EXPECT_EQ(next.error().code, core::ErrorCode::failed_precondition);
      } else if (row.next[i]) {
        EXPECT_EQ(*next, *row.next[i]) << static_cast<int>(row.event) << " from " << i;
      }
    }
  }
}

}  // namespace
}  // namespace mlpd::server
