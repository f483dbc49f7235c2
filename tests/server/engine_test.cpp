#include "server/engine.h"

#include <gtest/gtest.h>

#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

TEST_F(EngineTest, FindsEverythingAfterARestart) {
  open();
  create("xor");
  api::PatchNetwork patch;
  patch.labels = api::Labels{{"team", "a"}};
  ASSERT_TRUE(networks().patch("xor", std::nullopt, [&](const auto&) { return patch; }).ok());
  const api::JobView job = train("xor", train_request(200));
  EXPECT_EQ(job.state, api::JobState::succeeded) << (job.error ? job.error->message : "");
  EXPECT_EQ(job.stop_reason, core::StopReason::completed);
  const api::NetworkView before = *networks().read("xor");
  EXPECT_EQ(before.step, 200U);
  EXPECT_EQ(before.state, "idle");
  const core::HistoryColumns history = *networks().history("xor", {});

  reopen();
  const api::NetworkView after = *networks().read("xor");
  EXPECT_EQ(after.state_sha256, before.state_sha256);
  EXPECT_EQ(after.etag, before.etag);
  EXPECT_EQ(after.labels, before.labels);
  EXPECT_EQ(after.step, 200U);
  ASSERT_TRUE(after.last_record);
  EXPECT_EQ(after.last_record->loss, before.last_record->loss);
  const api::JobView again = *jobs().read(job.id);
  EXPECT_EQ(again.state, api::JobState::succeeded);
  EXPECT_EQ(again.loss, job.loss);
  EXPECT_EQ(networks().history("xor", {})->values[0], history.values[0]);
  EXPECT_EQ(core::state_digest(*networks().checkpoint("xor", std::nullopt)).hex(), before.state_sha256);
}

TEST_F(EngineTest, TrainingInPartsEqualsTrainingAtOnce) {
  open();
  for (const char* name : {"whole", "parts", "exported", "restarted"}) create(name);
  train("whole", train_request(60));
  train("parts", train_request(20));
  train("parts", train_request(40));
  train("exported", train_request(20));
  ASSERT_TRUE(
      networks()
          .import_model("imported", std::nullopt, *networks().export_model("exported", std::nullopt, true))
          .ok());
  train("imported", train_request(40));
  train("restarted", train_request(20));
  reopen();
  api::TrainRequest rest = train_request(40);
  rest.data.reset();  // the data used before
  train("restarted", rest);
  for (const char* name : {"parts", "imported", "restarted"}) EXPECT_EQ(sha(name), sha("whole")) << name;
  reopen();
  for (const char* name : {"whole", "parts", "imported", "restarted"}) {
    EXPECT_EQ(core::state_digest(*networks().checkpoint(name, std::nullopt)).hex(), sha("whole")) << name;
  }
}

TEST_F(EngineTest, AJobCutOffByAStopGoesOnToTheSameState) {
  open();
  create("whole");
  create("cut");
  api::TrainRequest request = train_request(40'000, 300);
  train("whole", request);
  const std::string id = jobs().train("cut", request)->id;
  ASSERT_TRUE(eventually([&] { return jobs().read(id)->steps_done > 1'000; }));
  reopen();
  EXPECT_LT(jobs().read(id)->steps_done, 40'000U);
  const api::JobView job = wait(id);
  EXPECT_EQ(job.state, api::JobState::succeeded);
  EXPECT_EQ(job.steps_done, 40'000U);
  EXPECT_EQ(sha("cut"), sha("whole"));
  EXPECT_EQ(networks().history("cut", {})->values, networks().history("whole", {})->values);
}

TEST_F(EngineTest, IsNotReadyOnceItStops) {
  open();
  EXPECT_TRUE(system().ready());
  engine_->stop(std::chrono::steady_clock::now());
  EXPECT_FALSE(system().ready());
}

TEST_F(EngineTest, AnswersForPastSteps) {
  open();
  create("long");
  api::TrainRequest request = train_request(300);
  request.checkpoint_every = 100;
  train("long", request);
  api::PatchNetwork slower;
  slower.hyper_parameters = spec().hyper_parameters;
  slower.hyper_parameters->optimizer.learning_rate = 0.001;
  ASSERT_TRUE(networks().patch("long", std::nullopt, [&](const auto&) { return slower; }).ok());
  train("long", train_request(100, 60));
  for (const std::uint64_t step : {0u, 1u, 99u, 100u, 250u, 300u}) {
    const std::string name = "short" + std::to_string(step);
    create(name);
    if (step > 0) train(name, train_request(step));
    const core::Result<core::Checkpoint> past = networks().checkpoint("long", step);
    ASSERT_TRUE(past.ok()) << step << ": " << past.error().message;
    EXPECT_EQ(core::state_digest(*past).hex(), sha(name)) << step;
  }
  EXPECT_EQ(networks().checkpoint("long", 401).error().code, core::ErrorCode::not_found);
  EXPECT_EQ(core::state_digest(*networks().checkpoint("long", 400)).hex(), sha("long"));
}

TEST_F(EngineTest, AJobWhoseDataIsLostFailsAndTheNetworkLivesOn) {
  open();
  create("a");
  api::TrainRequest request = train_request(100'000, 5'000);
  request.pace_steps_per_second = 1'000;
  request.checkpoint_every = 10;
  const std::string id = jobs().train("a", request)->id;
  ASSERT_TRUE(eventually([&] { return networks().read("a")->step > 30; }));
  ASSERT_TRUE(jobs().pause(id).ok());
  engine_.reset();
  std::filesystem::remove_all(folder_.path() / "data");
  for (int turn = 0; turn < 2; ++turn) {
    open();
    EXPECT_TRUE(networks().snapshot("a", std::nullopt).ok());
    EXPECT_EQ(jobs().read(id)->state, api::JobState::paused);
    engine_.reset();
  }
  open();
  ASSERT_TRUE(jobs().resume(id).ok());
  const api::JobView lost = wait(id);
  EXPECT_EQ(lost.state, api::JobState::failed);
  ASSERT_TRUE(lost.error.has_value());
  EXPECT_EQ(lost.error->code, core::ErrorCode::not_found) << lost.error->message;
  const std::uint64_t step = networks().read("a")->step;
  EXPECT_GE(step, 30U);  // the newest checkpoint
  EXPECT_EQ(train("a", train_request(20)).state, api::JobState::succeeded);
  const std::string digest = sha("a");
  reopen();
  EXPECT_EQ(networks().read("a")->step, step + 20);
  EXPECT_EQ(core::state_digest(*networks().checkpoint("a", std::nullopt)).hex(), digest);
  EXPECT_EQ(networks().checkpoint("a", 5).error().code, core::ErrorCode::not_found);  // can't be replayed
}

TEST_F(EngineTest, ASecondProcessIsRefused) {
  open();
  EXPECT_EQ(try_open(folder_.path()).error().code, core::ErrorCode::failed_precondition);
}

}  // namespace
}  // namespace mlpd::server
