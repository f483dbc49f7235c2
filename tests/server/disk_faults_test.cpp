#include <gtest/gtest.h>

#include <atomic>

#include "server/store/file_system.h"
#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

/// The real files, with a disk that can be full or broken.
class FaultyFiles final : public FileSystem {
 public:
  std::atomic<bool> full{false};    ///< writes fail half-way
  std::atomic<bool> broken{false};  ///< syncs fail

  core::Result<void> write(const std::filesystem::path& file, std::uint64_t offset,
                           std::string_view bytes) override {
    if (!full) return FileSystem::write(file, offset, bytes);
    (void)FileSystem::write(file, offset, bytes.substr(0, bytes.size() / 2));
    return core::Error{core::ErrorCode::resource_exhausted, "no space left on device"};
  }
  core::Result<void> sync(const std::filesystem::path& file) override {
    if (broken) return core::Error{core::ErrorCode::unavailable, "input/output error"};
    return FileSystem::sync(file);
  }
  core::Result<void> sync_folder(const std::filesystem::path& folder) override {
    if (broken) return core::Error{core::ErrorCode::unavailable, "input/output error"};
    return FileSystem::sync_folder(folder);
  }
};

class DiskFaultsTest : public EngineTest, public ::testing::WithParamInterface<bool> {
 protected:
  std::shared_ptr<FaultyFiles> faults_ = std::make_shared<FaultyFiles>();
  DiskFaultsTest() { files_ = faults_; }
  void fail(bool on) { (GetParam() ? faults_->full : faults_->broken) = on; }
};

/// Every kind of change is refused, changes nothing now or after a restart, and reads go on.
TEST_P(DiskFaultsTest, ARefusedChangeChangesNothing) {
  open();
  create("a");
  train("a", train_request(30));
  const api::NetworkView before = *networks().read("a");
  const api::ModelExport model = *networks().export_model("a", std::nullopt, true);
  fail(true);
  const core::ErrorCode expected =
      GetParam() ? core::ErrorCode::resource_exhausted : core::ErrorCode::unavailable;
  api::CreateNetwork another;
  another.name = "b";
  another.spec = spec();
  EXPECT_EQ(networks().create(another).error().code, expected);
  EXPECT_EQ(networks().import_model("c", std::nullopt, model).error().code, expected);
  EXPECT_EQ(networks().import_model("a", std::nullopt, model).error().code, expected);
  EXPECT_EQ(jobs().train("a", train_request(5)).error().code, expected);
  EXPECT_EQ(jobs().train("a", train_request(5, 5'000)).error().code, expected);
  api::PatchNetwork patch;
  patch.labels = api::Labels{{"x", "y"}};
  EXPECT_EQ(networks().patch("a", std::nullopt, [&](const auto&) { return patch; }).error().code, expected);
  patch.hyper_parameters = spec().hyper_parameters;
  patch.hyper_parameters->optimizer.learning_rate = 0.5;
  EXPECT_EQ(networks().patch("a", std::nullopt, [&](const auto&) { return patch; }).error().code, expected);

  const auto check = [&] {
    EXPECT_EQ(networks().read("a")->etag, before.etag);
    EXPECT_EQ(core::state_digest(*networks().checkpoint("a", std::nullopt)).hex(), before.state_sha256);
    EXPECT_EQ(networks().read("a")->labels, before.labels);
    EXPECT_EQ(networks().list({}).items.size(), 1U);
    EXPECT_EQ(jobs().list({}, "").items.size(), 1U);
    EXPECT_TRUE(networks().snapshot("a", std::nullopt).ok());
  };
  check();
  fail(false);
  check();
  reopen();
  check();
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "data"));
  EXPECT_EQ(train("a", train_request(10)).state, api::JobState::succeeded);  // and the disk serves again
  EXPECT_TRUE(networks().create(another).ok());
}

TEST_P(DiskFaultsTest, AJobEndsOnceTheDiskIsBack) {
  open();
  create("a");
  create("b");
  train("b", train_request(5'000));
  const std::string id = jobs().train("a", train_request(5'000))->id;
  ASSERT_TRUE(eventually([&] { return jobs().read(id)->steps_done > 0; }));
  fail(true);
  ASSERT_TRUE(eventually([&] { return jobs().read(id)->steps_done == 5'000; }));
  EXPECT_EQ(jobs().wait(id, std::chrono::milliseconds(50))->state, api::JobState::running);
  fail(false);
  EXPECT_EQ(wait(id).state, api::JobState::succeeded);
  EXPECT_EQ(sha("a"), sha("b"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, DiskFaultsTest, ::testing::Values(true, false),
                         [](const auto& instance) { return instance.param ? "full" : "broken"; });

}  // namespace
}  // namespace mlpd::server
