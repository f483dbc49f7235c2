#include "server/jobs/job_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <numeric>

#include "api/time_travel_service.h"
#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

using api::JobState;
using core::ErrorCode;

class JobServiceTest : public EngineTest {
 protected:
  /// A job that runs until somebody ends it.
  std::string start_endless(const std::string& network) {
    api::TrainRequest request = train_request(1'000'000'000);
    request.plan.record_every = 1'000;
    const core::Result<api::JobView> job = jobs().train(network, request);
    EXPECT_TRUE(job.ok()) << job.error().message;
    EXPECT_TRUE(eventually([&] { return jobs().read(job->id)->steps_done > 0; }));
    return job->id;
  }
};

TEST_F(JobServiceTest, CancelIsIdempotentAndNeverBlocks) {
  open();
  create("a");
  const std::string running = start_endless("a");
  const std::string queued = jobs().train("a", train_request(10))->id;
  EXPECT_EQ(jobs().cancel(queued)->state, JobState::cancelled);  // ends before the one in front of it
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(jobs().cancel(running).ok());
  const api::JobView ended = wait(running);
  EXPECT_EQ(ended.state, JobState::cancelled);
  EXPECT_EQ(ended.stop_reason, core::StopReason::cancelled);
  EXPECT_TRUE(ended.evaluation);
  EXPECT_EQ(jobs().cancel(running)->finished_at, ended.finished_at);
  EXPECT_EQ(jobs().pause(running).error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(jobs().cancel("nobody").error().code, ErrorCode::not_found);
  const std::string digest = sha("a");
  reopen();
  EXPECT_EQ(jobs().read(queued)->state, JobState::cancelled);
  EXPECT_EQ(core::state_digest(*networks().checkpoint("a", std::nullopt)).hex(), digest);
}

TEST_F(JobServiceTest, PausedJobsStayPausedOverARestartAndEndTheSame) {
  open();
  create("a");
  create("whole");
  const std::string id = jobs().train("a", train_request(30'000))->id;
  ASSERT_TRUE(eventually([&] { return jobs().read(id)->steps_done > 100; }));
  EXPECT_EQ(jobs().pause(id)->state, JobState::paused);
  EXPECT_EQ(jobs().pause(id)->state, JobState::paused);
  EXPECT_EQ(networks().read("a")->state, "paused");
  reopen();
  EXPECT_EQ(jobs().read(id)->state, JobState::paused);
  const std::string behind = jobs().train("a", train_request(5))->id;
  EXPECT_EQ(jobs().wait(behind, std::chrono::milliseconds(20))->state, JobState::queued);
  ASSERT_TRUE(jobs().resume(id).ok());
  EXPECT_EQ(wait(id).state, JobState::succeeded);
  EXPECT_EQ(wait(behind).state, JobState::succeeded);
  train("whole", train_request(30'000));
  train("whole", train_request(5));
  EXPECT_EQ(sha("a"), sha("whole"));
}

TEST_F(JobServiceTest, JobsOfOneNetworkRunInOrderAndSeveralNetworksAtOnce) {
  open();  // one training thread
  create("busy");
  create("quick");
  const std::string endless = start_endless("busy");
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(jobs().train("quick", train_request(10))->id);
  std::uint64_t step = 0;
  for (const std::string& id : ids) EXPECT_EQ(wait(id).step, step += 10);
  EXPECT_EQ(jobs().read(endless)->state, JobState::running);
}

TEST_F(JobServiceTest, ANetworkWithJobsIsRemovedOnlyByForce) {
  open();
  create("a");
  const std::string id = start_endless("a");
  EXPECT_EQ(networks().remove("a", std::nullopt, false).error().code, ErrorCode::conflict);
  EXPECT_EQ(networks()
                .import_model("a", std::nullopt, *networks().export_model("a", std::nullopt, false))
                .error()
                .code,
            ErrorCode::conflict);
  EXPECT_TRUE(networks().remove("a", std::nullopt, true).ok());
  EXPECT_EQ(networks().read("a").error().code, ErrorCode::not_found);
  EXPECT_EQ(jobs().read(id).error().code, ErrorCode::not_found);
  create("a");
  EXPECT_EQ(train("a", train_request(10)).step, 10U);
  reopen();
  EXPECT_EQ(networks().read("a")->step, 10U);
  EXPECT_EQ(system().system().jobs_queued + system().system().jobs_running, 0U);
}

/// Two labelled rows of two inputs.
api::TrainRequest labelled(std::vector<std::string> labels, std::uint64_t steps) {
  core::Dataset rows;
  rows.rows = rows.input_count = rows.output_count = 2;
  rows.inputs = {0, 1, 1, 0};
  rows.targets = {0, 1, 1, 0};
  rows.class_labels = labels;
  api::TrainRequest request;
  request.class_labels = std::move(labels);
  request.data = std::make_shared<const core::Dataset>(std::move(rows));
  request.plan.steps = steps;
  return request;
}

TEST_F(JobServiceTest, AJobsLabelsBecomeTheNetworksAndStay) {
  const std::vector<std::string> labels{"cat", "dog"};
  open();
  create("a");
  EXPECT_EQ(train("a", labelled(labels, 5)).state, JobState::succeeded);
  EXPECT_EQ(networks().read("a")->spec.class_labels, labels);
  EXPECT_EQ((*networks().snapshot("a", std::nullopt))->spec().class_labels, labels);
  EXPECT_EQ(train("a", train_request(5)).state, JobState::succeeded);  // class indices go on being taken
  const std::string digest = sha("a");
  EXPECT_EQ(jobs().train("a", labelled({"cat", "fox"}, 5)).error().code, ErrorCode::conflict);

  core::NetworkSpec named = spec();  // as if its creation had named them
  named.class_labels = labels;
  api::CreateNetwork given;
  given.name = "given";
  given.spec = named;
  ASSERT_TRUE(networks().create(given).ok());
  train("given", labelled(labels, 5));
  train("given", train_request(5));
  EXPECT_EQ(sha("given"), digest);

  reopen();
  EXPECT_EQ(networks().read("a")->spec.class_labels, labels);
  EXPECT_EQ(core::state_digest(*networks().checkpoint("a", std::nullopt)).hex(), digest);
  EXPECT_EQ(networks().checkpoint("a", 3)->spec.class_labels, labels);
  EXPECT_TRUE(networks().checkpoint("a", 0)->spec.class_labels.empty());
  ASSERT_TRUE(engine_->services().time_travel->restore("a", std::nullopt, 0).ok());
  EXPECT_TRUE(networks().read("a")->spec.class_labels.empty());
  reopen();
  EXPECT_TRUE(networks().read("a")->spec.class_labels.empty());
  EXPECT_EQ(train("a", labelled({"cat", "fox"}, 5)).state, JobState::succeeded);
  EXPECT_EQ(networks().read("a")->spec.class_labels, (std::vector<std::string>{"cat", "fox"}));
}

TEST_F(JobServiceTest, AWaitingJobsLabelsBindThoseBehindIt) {
  const std::vector<std::string> labels{"cat", "dog"};
  open();
  create("a");
  const std::string endless = start_endless("a");
  const std::string first = jobs().train("a", labelled(labels, 5))->id;
  EXPECT_EQ(networks().read("a")->spec.class_labels, labels);
  EXPECT_EQ(jobs().train("a", labelled({"cat", "fox"}, 5)).error().code, ErrorCode::conflict);
  const std::string second = jobs().train("a", labelled(labels, 5))->id;
  EXPECT_EQ(jobs().cancel(first)->state, JobState::cancelled);
  reopen();
  EXPECT_TRUE(jobs().cancel(endless).ok());
  EXPECT_EQ(wait(second).state, JobState::succeeded);  // the first one's labels came with it too
  EXPECT_EQ(networks().read("a")->spec.class_labels, labels);
}

TEST_F(JobServiceTest, TheQueueIsBounded) {
  limits_.jobs_waiting_max = 3;
  open();
  create("a");
  start_endless("a");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(jobs().train("a", train_request(1)).ok());
  EXPECT_EQ(jobs().train("a", train_request(1)).error().code, ErrorCode::resource_exhausted);
}

TEST_F(JobServiceTest, WaitingRequestsAreBounded) {
  limits_.requests_waiting_max = 0;
  open();
  create("a");
  EXPECT_EQ(jobs().wait(start_endless("a"), std::chrono::seconds(600))->state, JobState::running);
}

TEST_F(JobServiceTest, AKeyTrainsOnceAlsoAfterARestart) {
  open();
  create("a");
  api::TrainRequest request = train_request(10);
  request.idempotency = {"once \"and\" for all", core::digest_bytes("body")};
  const api::JobView first = train("a", request);
  EXPECT_EQ(jobs().train("a", request)->id, first.id);
  reopen();
  EXPECT_EQ(jobs().train("a", request)->id, first.id);
  EXPECT_EQ(networks().read("a")->step, 10U);
  request.idempotency.request_digest = core::digest_bytes("another");
  EXPECT_EQ(jobs().train("a", request).error().code, ErrorCode::conflict);
}

TEST_F(JobServiceTest, FailedJobsKeepTheirErrorAndHarmNothing) {
  open();
  create("a");
  api::TrainRequest request = train_request(10);
  request.plan.batches.class_weights = {1, 2, 3};  // for two classes
  const core::Result<api::JobView> refused = jobs().train("a", request);
  if (refused.ok()) {
    const api::JobView failed = wait(refused->id);
    EXPECT_EQ(failed.state, JobState::failed);
    ASSERT_TRUE(failed.error);
    reopen();
    EXPECT_EQ(jobs().read(failed.id)->error->message, failed.error->message);
  }
  const std::string before = sha("a");
  EXPECT_EQ(networks().read("a")->step, 0U);
  EXPECT_EQ(core::state_digest(*networks().checkpoint("a", std::nullopt)).hex(), before);
  EXPECT_EQ(train("a", train_request(10)).state, JobState::succeeded);
}

TEST_F(JobServiceTest, RefusesWhatDoesNotFit) {
  limits_.job_steps_max = 100;
  open();
  create("a");
  api::TrainRequest none = train_request(10);
  none.data.reset();
  EXPECT_EQ(jobs().train("a", none).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(jobs().train("a", train_request(101)).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(jobs().train("a", train_request(0)).error().code, ErrorCode::invalid_argument);
  api::TrainRequest epochs = train_request(0, 64);
  epochs.epochs = 26;  // of four batches
  EXPECT_EQ(jobs().train("a", epochs).error().code, ErrorCode::invalid_argument);
  epochs.epochs = 25;
  EXPECT_EQ(train("a", epochs).steps_done, 100U);
  auto wide = std::make_shared<core::Dataset>();
  wide->rows = 1;
  wide->input_count = 3;
  wide->output_count = 1;
  wide->inputs = {1, 2, 3};
  wide->targets = {1};
  api::TrainRequest misfit = train_request(1);
  misfit.data = std::shared_ptr<const core::Dataset>(wide);
  EXPECT_EQ(jobs().train("a", misfit).error().fields.size(), 2U);
  EXPECT_EQ(jobs().train("nobody", train_request(1)).error().code, ErrorCode::not_found);
}

TEST_F(JobServiceTest, SettingsChangedInMidJobAreReplayedAtTheirStep) {
  open();
  create("a");
  const std::string id = jobs().train("a", train_request(60'000))->id;
  for (const double rate : {0.01, 0.003, 0.03}) {
    const std::uint64_t seen = jobs().read(id)->steps_done;
    ASSERT_TRUE(eventually([&] { return jobs().read(id)->steps_done > seen; }));
    ASSERT_TRUE(networks()
                    .patch("a", std::nullopt,
                           [&](const api::NetworkView& current) -> core::Result<api::PatchNetwork> {
                             api::PatchNetwork patch;
                             patch.hyper_parameters = current.spec.hyper_parameters;
                             patch.hyper_parameters->optimizer.learning_rate = rate;
                             return patch;
                           })
                    .ok());
  }
  EXPECT_EQ(wait(id).state, JobState::succeeded);
  const std::string digest = sha("a");
  std::filesystem::path checkpoints = folder_.path() / "networks" / "a" / "checkpoints";
  engine_.reset();
  std::filesystem::remove_all(checkpoints);  // so that all of it is replayed
  open();
  EXPECT_EQ(core::state_digest(*networks().checkpoint("a", std::nullopt)).hex(), digest);
  EXPECT_EQ(networks().read("a")->spec.hyper_parameters.optimizer.learning_rate, 0.03);
}

TEST_F(JobServiceTest, BestParametersAreKeptAndReplayed) {
  open();
  create("a");
  api::TrainRequest request = train_request(400, 60);
  request.plan.validation_fraction = 0.3;
  request.plan.keep_best = true;
  request.plan.early_stopping = core::EarlyStopping{30, "validation_loss", 0};
  request.hyper_parameters = spec().hyper_parameters;
  request.hyper_parameters->optimizer.learning_rate = 0.1;
  const api::JobView job = train("a", request);
  EXPECT_EQ(job.state, JobState::succeeded);
  ASSERT_TRUE(job.best_step);
  request.plan.early_stopping.reset();
  request.plan.steps = 1'000'000'000;
  const std::string cut = jobs().train("a", request)->id;
  ASSERT_TRUE(eventually([&] { return jobs().read(cut)->steps_done > 100; }));
  ASSERT_TRUE(jobs().cancel(cut).ok());
  EXPECT_TRUE(wait(cut).best_step);
  const std::string digest = sha("a");
  engine_.reset();
  std::filesystem::remove_all(folder_.path() / "networks" / "a" / "checkpoints");
  std::filesystem::remove(folder_.path() / "networks" / "a" / "history.json");
  open();
  EXPECT_EQ(core::state_digest(*networks().checkpoint("a", std::nullopt)).hex(), digest);
  EXPECT_EQ(core::state_digest(*networks().checkpoint("a", job.step)).hex(),
            core::state_digest(*networks().checkpoint("a", job.step)).hex());
}

// A crash between the writes of a history and of its checkpoint.
TEST_F(JobServiceTest, AHistoryAheadOfItsStateShowsNoStepTwice) {
  open();
  create("a");
  api::TrainRequest request = train_request(600);
  request.pace_steps_per_second = 400;
  request.checkpoint_every = 50;
  const std::string id = jobs().train("a", request)->id;
  ASSERT_TRUE(eventually([&] { return jobs().read(id)->steps_done > 100; }));
  engine_.reset();
  const std::filesystem::path kept = folder_.path() / "networks" / "a";
  ASSERT_TRUE(std::filesystem::exists(kept / "history.json"));
  ASSERT_GT(std::filesystem::remove_all(kept / "checkpoints"), 1U);
  open();
  EXPECT_EQ(wait(id).state, JobState::succeeded);
  const core::HistoryColumns history = *networks().history("a", {});
  std::vector<double> every(600);
  std::iota(every.begin(), every.end(), 0.0);
  ASSERT_EQ(history.names.front(), "step");
  EXPECT_EQ(history.values.front(), every);
}

TEST_F(JobServiceTest, AHistoryIsStoredByAdditions) {
  limits_.history_records_max = 64;
  const std::filesystem::path file = folder_.path() / "networks" / "a" / "history.json";
  const auto lines = [&] {
    std::ifstream in(file);
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  };
  const auto history = [&] { return networks().history("a", {})->values; };
  open();
  create("a");
  api::TrainRequest request = train_request(300);
  request.checkpoint_every = 5;
  train("a", request);
  EXPECT_GT(lines(), 3);
  const auto whole = history();
  reopen();
  EXPECT_EQ(history(), whole);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 5);  // a crash in mid-line
  reopen();
  EXPECT_EQ(history(), whole);
  EXPECT_TRUE(system().system().quarantined.empty());
  ASSERT_TRUE(engine_->services().time_travel->restore("a", std::nullopt, 203).ok());
  train("a", request);
  train("a", request);
  EXPECT_GT(lines(), 3);
  const auto later = history();
  reopen();
  EXPECT_EQ(history(), later);
  EXPECT_EQ(later[0].back(), 802);
}

TEST_F(JobServiceTest, TimeAndPaceAreBounded) {
  open();
  create("a");
  api::TrainRequest request = train_request(1'000'000'000);
  request.max_seconds = 0.05;
  const api::JobView timed = train("a", request);
  EXPECT_EQ(timed.state, JobState::succeeded);
  EXPECT_LT(timed.steps_done, 1'000'000'000U);
  request = train_request(20);
  request.pace_steps_per_second = 100;
  const api::JobView paced = train("a", request);
  EXPECT_EQ(paced.steps_done, 20U);
  EXPECT_GE(*paced.finished_at - *paced.started_at, std::chrono::milliseconds(180));
}

TEST_F(JobServiceTest, StopMeetsItsDeadlineAndLetsWaitersGo) {
  open();
  create("a");
  const std::string id = start_endless("a");
  std::atomic<bool> answered{false};
  std::thread waiter([&] {
    EXPECT_EQ(jobs().wait(id, std::chrono::seconds(600))->state, JobState::running);
    answered = true;
  });
  const auto begun = std::chrono::steady_clock::now();
  engine_->stop(begun + std::chrono::seconds(5));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  waiter.join();
  EXPECT_TRUE(answered);
  EXPECT_FALSE(system().ready());
  EXPECT_EQ(jobs().train("a", train_request(1)).error().code, ErrorCode::unavailable);
  const std::uint64_t done = jobs().read(id)->steps_done;
  reopen();
  ASSERT_TRUE(eventually([&] { return jobs().read(id)->steps_done > done; }));
}

}  // namespace
}  // namespace mlpd::server
