#include "api/encode_job.h"

#include <gtest/gtest.h>

#include <set>

namespace mlpd::api {
namespace {

TEST(EncodeJob, ShowsWhatIsThereAndLeavesOutTheRest) {
  JobView job;
  job.id = "j";
  job.network = "n";
  std::string text;
  JsonWriter out(text);
  write_job_view(out, job);
  EXPECT_EQ(text, R"({"id":"j","network":"n","state":"queued","steps_done":0,"steps_total":0,"step":0,)"
                  R"("steps_per_second":0,"created_at":"1970-01-01T00:00:00.000Z"})");
  job.state = JobState::failed;
  job.stop_reason = core::StopReason::failed;
  job.error = core::Error{core::ErrorCode::internal, "why", {{"#/a", "b"}}};
  job.evaluation = core::Evaluation{2, 0.5, 0.5, 0, {{"accuracy", 1}}, {{1, 0}, {0, 1}}};
  job.loss = 0.5;
  text.clear();
  JsonWriter again(text);
  write_job_view(again, job);
  EXPECT_NE(
      text.find(R"("loss":0.5,"metrics":{"accuracy":1},"confusion":[[1,0],[0,1]],"stop_reason":"failed")"),
      std::string::npos)
      << text;
  EXPECT_NE(
      text.find(R"("error":{"code":"internal","message":"why","errors":[{"pointer":"#/a","detail":"b"}]})"),
      std::string::npos)
      << text;
}

TEST(EncodeJob, RecordsWriteCountsWhole) {
  core::Record record;
  record.step = 1'000'000;
  record.loss = 0.5;
  std::string text;
  JsonWriter out(text);
  write_record(out, record);
  EXPECT_EQ(text, R"({"step":1000000,"epoch":0,"loss":0.5})");
}

TEST(EncodeJob, EveryNameIsThereOnce) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(core::ErrorCode::internal); ++i)
    EXPECT_TRUE(names.insert(name_of(static_cast<core::ErrorCode>(i))).second);
  for (int i = 0; i <= static_cast<int>(JobState::paused); ++i)
    EXPECT_TRUE(names.insert(name_of(static_cast<JobState>(i))).second);
}

}  // namespace
}  // namespace mlpd::api
