#include "server/network_service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

using core::ErrorCode;

class NetworkServiceTest : public EngineTest {
 protected:
  api::CreateNetwork request(const std::string& name) {
    api::CreateNetwork made;
    made.name = name;
    made.spec = spec();
    return made;
  }
};

TEST_F(NetworkServiceTest, ListsNewestFirstInPages) {
  open();
  for (int i = 0; i < 5; ++i) create("n" + std::to_string(i));
  const auto check = [&] {
    std::vector<std::string> names;
    api::PageQuery query{2, ""};
    do {
      const api::Page<api::NetworkView> page = networks().list(query);
      for (const api::NetworkView& view : page.items) names.push_back(view.name);
      query.cursor = page.next_cursor;
    } while (!query.cursor.empty());
    EXPECT_EQ(names, (std::vector<std::string>{"n4", "n3", "n2", "n1", "n0"}));
  };
  check();
}

TEST_F(NetworkServiceTest, ANameIsTakenOnceAlsoInARace) {
  open();
  std::atomic<int> made{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const core::Result<api::NetworkView> view = networks().create(request("one"));
      if (view.ok()) {
        ++made;
      } else {
        EXPECT_EQ(view.error().code, ErrorCode::already_exists);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
}

TEST_F(NetworkServiceTest, AKeyCreatesOnceAlsoInARaceAndAfterARestart) {
  open();
  api::CreateNetwork keyed = request("");
  keyed.idempotency = {"key", core::digest_bytes("body")};
  std::set<std::string> names;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const core::Result<api::NetworkView> view = networks().create(keyed);
      ASSERT_TRUE(view.ok());
      std::lock_guard lock(mutex);
      names.insert(view->name);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(names.size(), 1U);
  reopen();
  EXPECT_EQ(networks().create(keyed)->name, *names.begin());
  keyed.idempotency.request_digest = core::digest_bytes("another");
  EXPECT_EQ(networks().create(keyed).error().code, ErrorCode::conflict);
}

TEST_F(NetworkServiceTest, TheNumberOfNetworksIsBounded) {
  limits_.networks_max = 2;
  open();
  create("a");
  create("b");
  EXPECT_EQ(networks().create(request("c")).error().code, ErrorCode::resource_exhausted);
  const api::ModelExport model = *networks().export_model("a", std::nullopt, false);
  EXPECT_EQ(networks().import_model("c", std::nullopt, model).error().code, ErrorCode::resource_exhausted);
  EXPECT_TRUE(networks().import_model("b", std::nullopt, model).ok());  // replaced, not added
}

TEST_F(NetworkServiceTest, ChangesNeedTheMatchingETag) {
  open();
  const std::string first = create("a").etag;
  api::PatchNetwork patch;
  patch.labels = api::Labels{{"k", "v"}};
  const auto merge = [&](const api::NetworkView&) { return patch; };
  const core::Result<api::NetworkView> changed = networks().patch("a", first, merge);
  ASSERT_TRUE(changed.ok());
  EXPECT_NE(changed->etag, first);
  EXPECT_EQ(networks().patch("a", first, merge).error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(networks().remove("a", first, false).error().code, ErrorCode::failed_precondition);
  train("a", train_request(1));
  EXPECT_NE(networks().read("a")->etag, changed->etag);
  EXPECT_TRUE(networks().remove("a", "*", false).ok());
  EXPECT_NE(create("a").etag, first);  // another network of the same name
}

TEST_F(NetworkServiceTest, ThrowAwayNetworksExpireWithoutUse) {
  open();
  api::CreateNetwork brief = request("brief");
  brief.ttl_s = 1;
  ASSERT_TRUE(networks().create(brief).ok());
  create("lasting");
  // Listing is no use of a network.
  EXPECT_TRUE(eventually([&] { return networks().list({}).items.size() == 1; }));
  EXPECT_TRUE(networks().read("lasting").ok());
  EXPECT_EQ(networks().read("brief").error().code, ErrorCode::not_found);
}

/// A job is use to its end: its result stays for ttl_s even if nobody asked meanwhile.
TEST_F(NetworkServiceTest, ThrowAwayNetworksExpireAfterTheirJob) {
  open();
  api::CreateNetwork brief = request("brief");
  brief.ttl_s = 1;
  ASSERT_TRUE(networks().create(brief).ok());
  api::TrainRequest paced = train_request(16);
  paced.pace_steps_per_second = 10;
  const api::JobView job = wait(jobs().train("brief", paced)->id);
  ASSERT_EQ(job.state, api::JobState::succeeded);
  EXPECT_TRUE(eventually([&] { return networks().list({}).items.empty(); }));
  const auto now = std::chrono::system_clock::now();
  EXPECT_GE(now - *job.finished_at, std::chrono::milliseconds(990));
}

TEST_F(NetworkServiceTest, ImportedNetworksGoOnAndReplaceInOneStep) {
  open();
  create("a");
  train("a", train_request(30));
  const api::ModelExport model = *networks().export_model("a", std::nullopt, true);
  const core::Result<std::pair<api::NetworkView, bool>> made =
      networks().import_model("b", std::nullopt, model);
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->second);
  EXPECT_EQ(made->first.state_sha256, sha("a"));
  EXPECT_EQ(made->first.step, 30U);
  train("a", train_request(10));
  ASSERT_TRUE(networks().import_model("a", "*", model).ok());
  EXPECT_EQ(sha("a"), sha("b"));
  EXPECT_EQ(jobs().list({}, "").items.size(), 0U);
  EXPECT_EQ(networks().checkpoint("b", 29).error().code, ErrorCode::failed_precondition);
  EXPECT_EQ(networks().import_model("new", "*", model).error().code, ErrorCode::failed_precondition);
  const core::Result<std::pair<api::NetworkView, bool>> kept =
      networks().import_model("a", std::nullopt, model, true);
  EXPECT_EQ(kept.error().code, ErrorCode::failed_precondition);
  reopen();
  EXPECT_EQ(networks().history("b", {})->values.at(0).size(), 30U);
  EXPECT_EQ(core::state_digest(*networks().checkpoint("a", std::nullopt)).hex(), sha("b"));
}

TEST_F(NetworkServiceTest, CheckpointsAreThinnedToTheirBudgetAndSayFromWhere) {
  limits_.time_travel_bytes_max = 12'000;
  open();
  create("a");
  api::TrainRequest request = train_request(400);
  request.checkpoint_every = 20;
  train("a", request);
  const auto stored = [&] {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& item :
         std::filesystem::directory_iterator(folder_.path() / "networks" / "a" / "checkpoints")) {
      ++count;
    }
    return count;
  };
  EXPECT_LT(stored(), 8U);
  EXPECT_GE(stored(), 2U);
  const std::uint64_t from = networks().read("a")->replayable_from;
  EXPECT_GT(from, 100U);
  EXPECT_EQ(networks().checkpoint("a", from - 1).error().code, ErrorCode::failed_precondition);
  EXPECT_TRUE(networks().checkpoint("a", from).ok());
  const std::string digest = core::state_digest(*networks().checkpoint("a", from + 5)).hex();
  reopen();
  EXPECT_EQ(networks().read("a")->replayable_from, from);
  EXPECT_EQ(core::state_digest(*networks().checkpoint("a", from + 5)).hex(), digest);
}

TEST_F(NetworkServiceTest, TrainingDataIsKeptOnceAndRemovedWithItsLastNetwork) {
  open();
  create("a");
  create("b");
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(folder_.path() / "data"), {});
  };
  for (const char* name : {"a", "b"}) train(name, train_request(5, 5'000));
  train("a", train_request(5, 50));  // few rows travel in the journal
  EXPECT_EQ(files(), 1);
  ASSERT_TRUE(networks().remove("a", std::nullopt, false).ok());
  EXPECT_EQ(files(), 1);
  reopen();
  EXPECT_EQ(files(), 1);
  ASSERT_TRUE(networks().remove("b", std::nullopt, false).ok());
  EXPECT_EQ(files(), 0);
}

TEST_F(NetworkServiceTest, PredictionsGoOnWhileTrainingAndCheckpointsComeBetweenSlices) {
  threads_ = 2;
  open();
  create("a");
  const std::string id = jobs().train("a", train_request(1'000'000'000))->id;
  std::uint64_t last = 0;
  EXPECT_TRUE(eventually([&] {
    const std::uint64_t step = (*networks().snapshot("a", std::nullopt))->step();
    EXPECT_GE(step, last);
    last = step;
    return step > 3'000;
  }));
  for (int i = 0; i < 20; ++i) {
    const core::Result<core::Checkpoint> state = networks().checkpoint("a", std::nullopt);
    ASSERT_TRUE(state.ok());
    const core::Result<core::Checkpoint> past = networks().checkpoint("a", state->step / 2);
    ASSERT_TRUE(past.ok()) << past.error().message;
    EXPECT_EQ(past->step, state->step / 2);
  }
  EXPECT_EQ(jobs().read(id)->state, api::JobState::running);
}

}  // namespace
}  // namespace mlpd::server
