#include "server/replays.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "api/time_travel_service.h"
#include "server/store/file_system.h"
#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

/// The real files; new checkpoints can be made to wait.
class WaitingFiles final : public FileSystem {
 public:
  core::Result<void> write(const std::filesystem::path& file, std::uint64_t offset,
                           std::string_view bytes) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !held_ || file.parent_path().filename() != "temporary"; });
    lock.unlock();
    return FileSystem::write(file, offset, bytes);
  }
  void hold(bool on) {
    std::lock_guard lock(mutex_);
    held_ = on;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
};

class ReplaysTest : public EngineTest {
 protected:
  ReplaysTest() { past_limits_.replay_max = std::chrono::milliseconds(0); }

  api::TimeTravelService& travel() { return *engine_->services().time_travel; }
  std::string at(const std::string& name, std::uint64_t step) {
    const core::Result<core::Checkpoint> state = networks().checkpoint(name, step);
    return state.ok() ? core::state_digest(*state).hex() : state.error().message;
  }
  bool has_checkpoint(const std::string& name, std::uint64_t step) {
    const api::CheckpointList list = *travel().checkpoints(name);
    return std::any_of(list.checkpoints.begin(), list.checkpoints.end(),
                       [&](const api::CheckpointView& stored) { return stored.step == step; });
  }
  api::JobState state(const std::string& id) { return jobs().read(id)->state; }
};

TEST_F(ReplaysTest, StoresTheStateFromWhichTheStepIsAtHand) {
  open();
  create("a");
  train("a", train_request(500));
  api::PatchNetwork patch;
  patch.hyper_parameters = networks().read("a")->spec.hyper_parameters;
  patch.hyper_parameters->optimizer.learning_rate = 0.001;
  ASSERT_TRUE(networks().patch("a", std::nullopt, [&](const auto&) { return patch; }).ok());
  train("a", train_request(500, 80));
  const std::string live = sha("a");
  for (const std::uint64_t step : {321U, 500U, 777U}) {  // in a job, between two, in the next
    const std::string digest = at("a", step);
    const std::string later = at("a", step + 40);
    const core::Result<std::optional<api::JobView>> job = travel().long_replay("a", step);
    ASSERT_TRUE(job.ok() && *job) << step;
    EXPECT_GT((*job)->steps_total, 0U);
    EXPECT_FALSE(has_checkpoint("a", step));
    ASSERT_TRUE(eventually([&] { return state((*job)->id) == api::JobState::succeeded; }));
    EXPECT_TRUE(has_checkpoint("a", step));
    EXPECT_FALSE(*travel().long_replay("a", step)) << step;
    EXPECT_EQ(at("a", step), digest);
    EXPECT_EQ(at("a", step + 40), later);
  }
  EXPECT_FALSE(*travel().long_replay("a", 1'000));  // the live one
  EXPECT_EQ(travel().long_replay("a", 1'001).error().code, core::ErrorCode::not_found);
  EXPECT_EQ(travel().long_replay("none", 1).error().code, core::ErrorCode::not_found);
  EXPECT_EQ(jobs().read("none").error().code, core::ErrorCode::not_found);
  reopen();
  EXPECT_EQ(sha("a"), live);
  EXPECT_EQ(at("a", 1'000), live);
  EXPECT_TRUE(has_checkpoint("a", 321));
  ASSERT_TRUE(travel().restore("a", std::nullopt, 321).ok());
  train("a", train_request(179));
  EXPECT_FALSE(has_checkpoint("a", 777));
}

TEST_F(ReplaysTest, WaitInABoundedQueueWhileEverythingElseGoesOn) {
  const auto files = std::make_shared<WaitingFiles>();
  files_ = files;
  open();
  create("a");
  train("a", train_request(400));
  const auto ask = [&](std::uint64_t step) { return travel().long_replay("a", step); };
  files->hold(true);
  std::vector<std::string> ids;
  for (std::uint64_t step = 100; step < 100 + Replays::kWaitingMax; ++step) ids.push_back((*ask(step))->id);
  EXPECT_EQ(ask(300).error().code, core::ErrorCode::resource_exhausted);
  EXPECT_EQ((*ask(105))->id, ids[5]);  // the same job for everybody
  EXPECT_EQ(train("a", train_request(5)).state, api::JobState::succeeded);
  EXPECT_TRUE(networks().snapshot("a", std::nullopt).ok());
  EXPECT_EQ(jobs().cancel(ids.back())->state, api::JobState::cancelled);
  EXPECT_EQ(jobs().cancel(ids.back())->state, api::JobState::cancelled);
  EXPECT_TRUE((*ask(300)).has_value());
  files->hold(false);
  ids.pop_back();
  for (const std::string& id : ids)
    EXPECT_TRUE(eventually([&] { return state(id) == api::JobState::succeeded; }));
  EXPECT_FALSE(has_checkpoint("a", 100 + Replays::kWaitingMax - 1));
}

TEST_F(ReplaysTest, AreListedAmongTheJobsInOrder) {
  open();
  create("a");
  create("b");
  const std::string first = train("a", train_request(300)).id;
  train("b", train_request(10));
  const std::string replay = (*travel().long_replay("a", 200))->id;
  const std::string last = train("a", train_request(10)).id;
  ASSERT_TRUE(eventually([&] { return state(replay) == api::JobState::succeeded; }));
  for (const std::size_t limit : {1U, 2U, 10U}) {
    api::PageQuery query;
    query.limit = limit;
    std::vector<std::string> ids;
    do {
      const api::Page<api::JobView> page = jobs().list(query, "a");
      EXPECT_LE(page.items.size(), limit);
      for (const api::JobView& job : page.items) {
        ids.push_back(job.id);
        EXPECT_EQ(job.replay, job.id == replay);
      }
      query.cursor = page.next_cursor;
    } while (!query.cursor.empty() && ids.size() < 10);
    EXPECT_EQ(ids, (std::vector<std::string>{last, replay, first})) << limit;
  }
  EXPECT_EQ(jobs().list({}, "").items.size(), 4U);
  EXPECT_EQ(jobs().pause(replay).error().code, core::ErrorCode::failed_precondition);
  EXPECT_EQ(jobs().cancel(replay)->state, api::JobState::succeeded);  // it has ended
}

TEST_F(ReplaysTest, WhatTheNetworkLeftBehindIsNotStored) {
  const auto files = std::make_shared<WaitingFiles>();
  files_ = files;
  open();
  create("a");
  create("b");
  train("a", train_request(400));
  train("b", train_request(400));
  files->hold(true);
  const std::string first = (*travel().long_replay("b", 200))->id;
  const std::string second = (*travel().long_replay("a", 300))->id;
  std::thread going_back([&] { EXPECT_TRUE(travel().restore("a", std::nullopt, 50).ok()); });
  ASSERT_TRUE(eventually([&] { return networks().read("a")->step == 50; }));
  files->hold(false);
  going_back.join();
  EXPECT_TRUE(eventually([&] { return state(first) == api::JobState::succeeded; }));
  ASSERT_TRUE(eventually([&] { return state(second) == api::JobState::failed; }));
  EXPECT_TRUE(jobs().read(second)->error.has_value());
  EXPECT_FALSE(has_checkpoint("a", 300));
}

TEST_F(ReplaysTest, TheBudgetKeepsTheStateThatWasAskedFor) {
  limits_.time_travel_bytes_max = 12'000;
  open();
  create("a");
  api::TrainRequest request = train_request(400);
  request.checkpoint_every = 100;
  train("a", request);
  const std::uint64_t step = networks().read("a")->replayable_from + 50;
  const std::string digest = at("a", step);
  const core::Result<std::optional<api::JobView>> job = travel().long_replay("a", step);
  ASSERT_TRUE(job.ok() && *job);
  ASSERT_TRUE(eventually([&] { return state((*job)->id) == api::JobState::succeeded; }));
  EXPECT_TRUE(has_checkpoint("a", step));
  EXPECT_LE(networks().read("a")->replayable_from, step);
  EXPECT_EQ(at("a", step), digest);
}

}  // namespace
}  // namespace mlpd::server
