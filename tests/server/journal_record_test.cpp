#include "server/journal_record.h"

#include <gtest/gtest.h>

namespace mlpd::server {
namespace {

api::Timestamp at(std::int64_t ms) { return api::Timestamp(std::chrono::milliseconds(ms)); }

/// Writing what was read gives the same text.
void expect_round_trip(const JournalRecord& record) {
  const std::string text = write_record(record);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const core::Result<JournalRecord> read = read_record(text);
  ASSERT_TRUE(read.ok()) << text << ": " << read.error().message;
  EXPECT_EQ(read->index(), record.index());
  EXPECT_EQ(write_record(*read), text);
}

TEST(JournalRecordTest, EveryRecordComesBack) {
  core::HyperParameters settings;
  settings.optimizer.learning_rate = 0.1;
  settings.schedule.kind = core::Schedule::warmup;
  settings.schedule.steps = 5;
  settings.schedule.then.resize(1);
  expect_round_trip(SettingsChanged{7, settings, api::Labels{{"a \"b\"", "ü\n"}}, {}, "ab", at(12)});
  expect_round_trip(SettingsChanged{0, {}, {}, std::optional<std::uint64_t>(60), "", at(1)});
  expect_round_trip(SettingsChanged{0, {}, {}, std::optional<std::uint64_t>(), "", at(1)});
  const core::Digest digest = core::digest_bytes("x");
  expect_round_trip(JobAccepted{
      "id", R"({"steps":5})", 5, "iris", digest, R"({"rows":[1]})", {}, "k \\ \" key", digest, at(3)});
  const std::vector<std::string> labels{"ü \"1\"", "[b]", ""};
  const JobAccepted labelled{"id", R"({"steps":5})", 5, "", digest, "", labels, "", {}, at(3)};
  expect_round_trip(labelled);
  EXPECT_EQ(std::get<JobAccepted>(*read_record(write_record(labelled))).class_labels, labels);
  expect_round_trip(JobStarted{"id", 18446744073709551615u, at(4), settings});
  expect_round_trip(JobStarted{"id", 0, at(4), {}});
  for (const JobSteering steering : {JobSteering::pause, JobSteering::resume, JobSteering::cancel}) {
    expect_round_trip(JobSteered{"id", steering, at(5)});
  }
  JobEnded ended;
  ended.job.id = "id";
  ended.job.network = "n";
  ended.job.state = api::JobState::failed;
  ended.job.error = core::Error{core::ErrorCode::internal, "it \"broke\"", {{"#/a", "b"}}};
  ended.job.stop_reason = core::StopReason::failed;
  ended.cut_short = true;
  core::Record record;
  record.step = 9;
  record.loss = 0.1;
  ended.last_record = record;
  ended.state_sha256 = digest.hex();
  expect_round_trip(ended);
  expect_round_trip(TravelShortened{500});
  Folded folded;
  folded.base = {500, 12};
  folded.replayable_from = 501;
  folded.restored_sequence = 3;
  folded.step = 900;
  folded.hyper_parameters = settings;
  folded.last_record = record;
  folded.state_sha256 = digest.hex();
  folded.labels = {{"a", "b"}};
  folded.ttl_s = 60;
  folded.updated_at = at(6);
  expect_round_trip(folded);
  folded.data = "id";
  folded.class_labels = {"no", "yes"};
  folded.jobs.push_back(
      {{"id", R"({"steps":5})", 5, "iris", digest, R"({"rows":[1]})", {"no", "yes"}, "key", digest, at(3)},
       ended.job,
       true,
       false,
       false});
  folded.jobs.push_back({{"slim", "", 5, "", {}, "", {}, "", {}, at(3)}, ended.job, false, true, true});
  folded.events.push_back({11, EventKind::job_started, 500, {}, "id", 0, false, false});
  folded.events.push_back({14, EventKind::settings, 510, settings, "", 0, false, false});
  folded.events.push_back({15, EventKind::job_ended, 520, {}, "id", 20, true, true});
  folded.events.push_back({16, EventKind::restored, 515, {}, "", 0, false, false});
  expect_round_trip(folded);
}

TEST(JournalRecordTest, AnIdentityComesBack) {
  NetworkIdentity identity;
  identity.name = "n";
  identity.incarnation = "i";
  identity.spec.inputs = 2;
  identity.spec.layers.resize(1);
  identity.spec.layers[0].units = 1;
  identity.labels = {{"k", "v"}};
  identity.ttl_s = 9;
  identity.idempotency_key = "key";
  identity.request_digest = core::digest_bytes("x");
  identity.forked_from.emplace("parent", 12);
  identity.start_step = 12;
  const std::string text = write_identity(identity);
  const core::Result<NetworkIdentity> read = read_identity(text);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(write_identity(*read), text);
  EXPECT_EQ(read->spec, identity.spec);
}

TEST(JournalRecordTest, RefusesWhatItDidNotWrite) {
  for (const char* text :
       {"", "{}", "[]", R"({"type":"job_flown"})", R"({"type":"job_accepted","id":"a"})",
        R"({"type":"job_steered","steering":"fly"})", R"({"type":"job_ended","job":{}})"}) {
    EXPECT_FALSE(read_record(text).ok()) << text;
  }
  const core::Result<NetworkIdentity> newer = read_identity(R"({"format_version":2,"name":"a"})");
  ASSERT_FALSE(newer.ok());
  EXPECT_NE(newer.error().message.find("format_version 2"), std::string::npos);
}

}  // namespace
}  // namespace mlpd::server
