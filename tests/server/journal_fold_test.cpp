#include "server/journal_fold.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>

#include "api/time_travel_service.h"
#include "server/store/file_system.h"
#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kJournalBytes = 64u << 10;
constexpr std::uint64_t kCalls = 200;

class JournalFoldTest : public EngineTest {
 protected:
  /// One row, another one each time: what online learning sends.
  static api::TrainRequest one_row(std::uint64_t i) {
    core::Dataset row;
    row.rows = 1;
    row.input_count = 2;
    row.output_count = 2;
    row.inputs = {static_cast<double>(i % 7) - 3, static_cast<double>(i % 5) - 2};
    row.targets = {i % 2 == 0 ? 1.0 : 0.0, i % 2 == 0 ? 0.0 : 1.0};
    api::TrainRequest request;
    request.data = std::make_shared<const core::Dataset>(std::move(row));
    request.plan.steps = 1;
    return request;
  }
  void learn(const std::string& name, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i)
      ASSERT_EQ(train(name, one_row(i)).state, api::JobState::succeeded) << i;
  }
  fs::path journal(const std::string& name) const {
    return folder_.path() / "networks" / name / "journal.ndjson";
  }
  std::string at(const std::string& name, std::uint64_t step) {
    const core::Result<core::Checkpoint> state = networks().checkpoint(name, step);
    return state.ok() ? core::state_digest(*state).hex() : state.error().message;
  }
};

TEST_F(JournalFoldTest, OnlineLearningStaysWithinBoundsAndInTheSameState) {
  past_limits_.finished_jobs_max = 10;
  open();  // the journal's limit is far away
  create("free");
  learn("free", 0, kCalls);
  const std::uint64_t unfolded = fs::file_size(journal("free"));
  past_limits_.journal_bytes_max = kJournalBytes;
  reopen();
  create("bound");
  std::uint64_t largest = 0;
  std::string first_job;
  for (std::uint64_t i = 0; i < kCalls; ++i) {
    const api::JobView job = train("bound", one_row(i));
    if (i == 0) first_job = job.id;
    largest = std::max<std::uint64_t>(largest, fs::file_size(journal("bound")));
  }
  EXPECT_GT(unfolded, 4 * kJournalBytes);
  EXPECT_LT(largest, 2 * kJournalBytes);
  EXPECT_EQ(sha("bound"), sha("free"));
  EXPECT_EQ(jobs().list({}, "bound").items.size(), 10U);
  EXPECT_EQ(jobs().read(first_job).error().code, core::ErrorCode::not_found);
  const std::uint64_t from = networks().read("bound")->replayable_from;
  EXPECT_GT(from, kCalls / 2);
  EXPECT_LT(from, kCalls - 1);
  for (const std::uint64_t step : {from, from + 1, (from + kCalls) / 2, kCalls - 1})
    EXPECT_EQ(at("bound", step), at("free", step)) << step;
  EXPECT_EQ(networks().checkpoint("bound", from - 1).error().code, core::ErrorCode::failed_precondition);
  const std::string digest = sha("bound");
  reopen();
  EXPECT_EQ(sha("bound"), digest);
  EXPECT_EQ(networks().read("bound")->replayable_from, from);
  EXPECT_EQ(jobs().list({}, "bound").items.size(), 10U);
  for (const std::uint64_t step : {from, from + 1, kCalls - 1})
    EXPECT_EQ(at("bound", step), at("free", step)) << step;
  EXPECT_EQ(at("bound", kCalls), digest);
  ASSERT_TRUE(engine_->services().time_travel->restore("bound", std::nullopt, from + 1).ok());
  EXPECT_EQ(sha("bound"), at("free", from + 1));
}

TEST_F(JournalFoldTest, SettingsAndLabelsAreFoldedToo) {
  past_limits_.journal_bytes_max = kJournalBytes;
  open();
  create("a");
  learn("a", 0, 3);
  for (int i = 0; i < 250; ++i) {
    api::PatchNetwork patch;
    patch.labels = api::Labels{{"turn", std::to_string(i) + std::string(200, 'x')}};
    patch.ttl_s = 1'000 + i;
    patch.hyper_parameters = networks().read("a")->spec.hyper_parameters;
    patch.hyper_parameters->optimizer.learning_rate = 0.001 * (i + 1);
    ASSERT_TRUE(networks().patch("a", std::nullopt, [&](const auto&) { return patch; }).ok());
  }
  EXPECT_TRUE(eventually([&] { return fs::file_size(journal("a")) < 3 * kJournalBytes; }));
  const std::string digest = sha("a");
  const api::NetworkView before = *networks().read("a");
  EXPECT_LE(before.replayable_from, before.step);
  EXPECT_EQ(at("a", 3), digest);
  reopen();
  const api::NetworkView after = *networks().read("a");
  EXPECT_EQ(after.labels, before.labels);
  EXPECT_EQ(after.ttl_s, before.ttl_s);
  EXPECT_EQ(after.spec, before.spec);
  EXPECT_EQ(after.state_sha256, digest);
  EXPECT_EQ(at("a", 3), digest);
  learn("a", 3, 5);
  EXPECT_EQ(networks().read("a")->step, 5U);
}

TEST_F(JournalFoldTest, ClassLabelsOutliveTheirJob) {
  const std::vector<std::string> labels{"cat", "dog"};
  past_limits_.journal_bytes_max = kJournalBytes;
  past_limits_.finished_jobs_max = 10;
  open();
  create("a");
  api::TrainRequest first = one_row(0);
  core::Dataset rows = *std::get<std::shared_ptr<const core::Dataset>>(*first.data);
  first.class_labels = rows.class_labels = labels;
  first.data = std::make_shared<const core::Dataset>(std::move(rows));
  ASSERT_EQ(train("a", first).state, api::JobState::succeeded);
  learn("a", 1, kCalls);
  const std::uint64_t from = networks().read("a")->replayable_from;
  ASSERT_GT(from, 1U);
  const std::string digest = sha("a");
  reopen();
  EXPECT_EQ(networks().read("a")->spec.class_labels, labels);
  EXPECT_EQ(at("a", kCalls), digest);
  EXPECT_EQ(networks().checkpoint("a", from + 1)->spec.class_labels, labels);
  ASSERT_TRUE(engine_->services().time_travel->restore("a", std::nullopt, from + 1).ok());
  EXPECT_EQ(networks().read("a")->spec.class_labels, labels);
  reopen();
  EXPECT_EQ(networks().read("a")->spec.class_labels, labels);
}

/// How far it is, a start learns from the checkpoint.
TEST_F(JournalFoldTest, AnOpenJobIsFoldedWithoutItsProgress) {
  NetworkIdentity identity;
  identity.spec = spec();
  JobCounts counts;
  NetworkEntry entry(identity, 1, 16, past_limits_, counts);
  JobAccepted accepted;
  accepted.id = "id";
  accepted.request = "{}";
  accepted.steps = 100;
  ASSERT_TRUE(entry.apply(1, accepted, 1).ok());
  ASSERT_TRUE(entry.apply(2, JobStarted{"id", 0, {}, {}}, 0).ok());
  Job& job = *entry.facts.jobs.front();
  entry.set_state(job, api::JobState::running);
  job.view.step = job.view.steps_done = entry.facts.step = 60;
  job.view.loss = 0.5;
  const Folded folded = fold(entry);
  ASSERT_EQ(folded.jobs.size(), 1U);
  EXPECT_EQ(folded.step, 0U);
  EXPECT_EQ(folded.jobs[0].view.state, api::JobState::queued);
  EXPECT_EQ(folded.jobs[0].view.step, 0U);
  EXPECT_EQ(folded.jobs[0].view.steps_done, 0U);
  EXPECT_EQ(folded.jobs[0].view.steps_total, 100U);
  EXPECT_FALSE(folded.jobs[0].view.loss.has_value());
}

TEST_F(JournalFoldTest, AJobCutOffGoesOnAfterFolding) {
  past_limits_.journal_bytes_max = kJournalBytes;
  open();
  create("whole");
  learn("whole", 0, 5);
  train("whole", train_request(6'000));
  create("a");
  learn("a", 0, 5);
  api::TrainRequest paced = train_request(6'000);
  paced.pace_steps_per_second = 2'000;
  const std::string running = jobs().train("a", paced)->id;
  const std::string waiting = jobs().train("a", train_request(10, 400))->id;
  ASSERT_TRUE(eventually([&] { return networks().read("a")->step > 300; }));
  const auto size = [&] { return fs::file_size(journal("a")); };
  std::uintmax_t largest = 0;
  int turn = 0;
  ASSERT_TRUE(eventually([&] {
    api::PatchNetwork patch;
    patch.labels = api::Labels{{"turn", std::to_string(turn++) + std::string(240, 'x')}};
    EXPECT_TRUE(networks().patch("a", std::nullopt, [&](const auto&) { return patch; }).ok());
    const bool folded = size() < largest;
    largest = std::max(largest, size());
    return folded;
  }));
  ASSERT_TRUE(jobs().pause(running).ok());
  reopen();
  EXPECT_EQ(jobs().read(running)->state, api::JobState::paused);
  EXPECT_EQ(jobs().read(waiting)->state, api::JobState::queued);
  ASSERT_TRUE(jobs().cancel(waiting).ok());
  ASSERT_TRUE(jobs().resume(running).ok());
  EXPECT_EQ(wait(running).state, api::JobState::succeeded);
  EXPECT_EQ(sha("a"), sha("whole"));
  EXPECT_EQ(networks().checkpoint("a", 1'234)->step, 1'234U);
}

TEST_F(JournalFoldTest, FoldedJobsGiveUpTheirDataAndKeepTheirKeys) {
  past_limits_.journal_bytes_max = kJournalBytes;
  open();
  create("a");
  const auto files = [&] {
    return std::distance(fs::directory_iterator(folder_.path() / "data"), fs::directory_iterator{});
  };
  api::TrainRequest large = train_request(1, 5'000);
  large.idempotency = {"key", core::digest_bytes("body")};
  const std::string id = train("a", large).id;
  EXPECT_EQ(files(), 1);
  learn("a", 0, 100);
  EXPECT_TRUE(eventually([&] { return files() == 0; }));
  EXPECT_EQ(jobs().train("a", large)->id, id);
  reopen();
  EXPECT_EQ(jobs().train("a", large)->id, id);
  large.idempotency.request_digest = core::digest_bytes("other");
  EXPECT_EQ(jobs().train("a", large).error().code, core::ErrorCode::conflict);
  EXPECT_EQ(jobs().read(id)->state, api::JobState::succeeded);
  ASSERT_TRUE(networks().remove("a", std::nullopt, false).ok());
  EXPECT_EQ(jobs().read(id).error().code, core::ErrorCode::not_found);
}

TEST_F(JournalFoldTest, NoMoreFinishedJobsThanTheLimit) {
  past_limits_.finished_jobs_max = 3;
  open();
  create("a");
  std::vector<std::string> ids;
  for (std::uint64_t i = 0; i < 4; ++i) {
    api::TrainRequest request = one_row(i);
    request.idempotency = {"key-" + std::to_string(i), core::digest_bytes("body")};
    ids.push_back(train("a", request).id);
    if (i == 2) {
      EXPECT_TRUE(jobs().read(ids[0]).ok());
    }
  }
  for (int turn = 0; turn < 2; ++turn) {
    EXPECT_EQ(jobs().read(ids[0]).error().code, core::ErrorCode::not_found);
    EXPECT_TRUE(jobs().read(ids[1]).ok());
    EXPECT_EQ(jobs().list({}, "a").items.size(), 3U);
    EXPECT_EQ(jobs().list({}, "").items.size(), 3U);
    EXPECT_NE(at("a", 0), at("a", 1));  // replay still knows the job
    reopen();
  }
  api::TrainRequest again = one_row(0);
  again.idempotency = {"key-0", core::digest_bytes("body")};
  EXPECT_NE(train("a", again).id, ids[0]);  // its key is forgotten with the job
}

/// The real files, photographed before each change that folding makes, as a crash would leave them.
class PhotographingFiles final : public FileSystem {
 public:
  fs::path folder;
  fs::path album;
  std::atomic<bool> on{false};
  std::vector<fs::path> photographs;

  core::Result<void> write(const fs::path& file, std::uint64_t offset, std::string_view bytes) override {
    std::lock_guard lock(mutex_);
    photograph();
    if (on && file.parent_path().filename() == "temporary") {  // half-written
      (void)FileSystem::write(file, offset, bytes.substr(0, bytes.size() / 2));
      photograph();
    }
    return FileSystem::write(file, offset, bytes);
  }
  core::Result<void> rename(const fs::path& from, const fs::path& to) override {
    std::lock_guard lock(mutex_);
    photograph();
    return FileSystem::rename(from, to);
  }
  core::Result<void> exchange(const fs::path& a, const fs::path& b) override {
    std::lock_guard lock(mutex_);
    photograph();
    core::Result<void> done = FileSystem::exchange(a, b);
    photograph();
    return done;
  }
  core::Result<void> remove_all(const fs::path& path) override {
    std::lock_guard lock(mutex_);
    photograph();
    return FileSystem::remove_all(path);
  }

 private:
  void photograph() {
    if (!on) return;
    const fs::path copy = album / std::to_string(photographs.size());
    fs::copy(folder, copy, fs::copy_options::recursive);
    photographs.push_back(copy);
  }
  std::mutex mutex_;
};

TEST_F(JournalFoldTest, ACrashAtAnyMomentOfFoldingLosesNothing) {
  TemporaryFolder album;
  const auto files = std::make_shared<PhotographingFiles>();
  files->folder = folder_.path();
  files->album = album.path();
  files_ = files;
  open();
  create("free");
  learn("free", 0, 60);
  std::map<std::uint64_t, std::string> digests;
  for (std::uint64_t step = 0; step <= 60; ++step) digests[step] = at("free", step);
  ASSERT_TRUE(networks().remove("free", std::nullopt, false).ok());
  past_limits_.journal_bytes_max = kJournalBytes;
  reopen();
  create("a");
  learn("a", 0, 30);
  files->on = true;
  std::uint64_t acknowledged = 30;
  std::vector<std::uint64_t> at_least;  // of each photograph
  const auto folded = [&] { return networks().read("a")->replayable_from > 0; };
  for (; acknowledged < 60 && !folded(); ++acknowledged) {
    learn("a", acknowledged, acknowledged + 1);
    at_least.resize(files->photographs.size(), acknowledged);
  }
  ASSERT_TRUE(folded());
  files->on = false;
  engine_.reset();
  ASSERT_GT(at_least.size(), 20U);
  for (std::size_t i = 0; i < at_least.size(); ++i) {
    core::Result<std::unique_ptr<Engine>> opened = try_open(files->photographs[i]);
    ASSERT_TRUE(opened.ok()) << i;
    engine_ = *std::move(opened);
    const core::Result<api::NetworkView> network = networks().read("a");
    ASSERT_TRUE(network.ok()) << i;
    ASSERT_TRUE(eventually([&] { return networks().read("a")->state == "idle"; }));
    const std::uint64_t step = networks().read("a")->step;
    EXPECT_GE(step, at_least[i]);
    EXPECT_EQ(sha("a"), digests[step]) << i;
    EXPECT_EQ(at("a", step), digests[step]) << i;
    EXPECT_EQ(at("a", networks().read("a")->replayable_from), digests[networks().read("a")->replayable_from]);
    EXPECT_TRUE(system().system().quarantined.empty());
    engine_.reset();
  }
}

/// A full disk or a folder that can't be synced: the old journal stays, everything goes on.
class UnwillingFiles final : public FileSystem {
 public:
  std::atomic<bool> full{false};
  std::atomic<bool> unsynced{false};
  core::Result<void> write(const fs::path& file, std::uint64_t offset, std::string_view bytes) override {
    if (full && file.parent_path().filename() == "temporary")
      return core::Error{core::ErrorCode::resource_exhausted, "no space left on device"};
    return FileSystem::write(file, offset, bytes);
  }
  core::Result<void> sync_folder(const fs::path& folder) override {
    if (unsynced && folder.filename() == "a")
      return core::Error{core::ErrorCode::unavailable, "input/output error"};
    return FileSystem::sync_folder(folder);
  }
};

TEST_F(JournalFoldTest, AFoldThatFailsIsTriedAgain) {
  const auto files = std::make_shared<UnwillingFiles>();
  files_ = files;
  past_limits_.journal_bytes_max = kJournalBytes;
  open();
  create("free");
  learn("free", 0, 100);
  for (std::atomic<bool>* fault : {&files->full, &files->unsynced}) {
    create("a");
    *fault = true;
    learn("a", 0, 60);
    EXPECT_GT(fs::file_size(journal("a")), kJournalBytes);
    EXPECT_EQ(networks().read("a")->replayable_from, 0U);
    *fault = false;
    learn("a", 60, 100);
    EXPECT_TRUE(eventually([&] {
      std::string first;
      return std::getline(std::ifstream(journal("a")), first) && first.find("folded") != std::string::npos;
    }));
    EXPECT_EQ(sha("a"), sha("free"));
    reopen();
    EXPECT_EQ(sha("a"), sha("free"));
    ASSERT_TRUE(networks().remove("a", std::nullopt, false).ok());
  }
}

}  // namespace
}  // namespace mlpd::server
