#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/engine.h"
#include "tests/support/eventually.h"

namespace mlpd::server {

using test::eventually;

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "mlpd-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code code;
    std::filesystem::remove_all(path_, code);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A real engine over a real folder, and the calls that tests make most.
class EngineTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::vector<std::string> log_;
  std::mutex log_mutex_;
  api::Limits limits_;
  PastLimits past_limits_;
  std::size_t threads_ = 1;
  EngineObserver* observer_ = nullptr;
  std::shared_ptr<FileSystem> files_;
  std::unique_ptr<Engine> engine_;

  core::Result<std::unique_ptr<Engine>> try_open(const std::filesystem::path& folder) {
    EngineOptions options;
    options.data_dir = folder;
    options.training_threads = threads_;
    options.limits = limits_;
    options.past_limits = past_limits_;
    options.observer = observer_;
    options.files = files_;
    options.log = [this](const std::string& line) {
      std::lock_guard lock(log_mutex_);
      log_.push_back(line);
    };
    return Engine::open(std::move(options));
  }

  void open() {
    core::Result<std::unique_ptr<Engine>> opened = try_open(folder_.path());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    engine_ = *std::move(opened);
  }
  void reopen() {
    engine_.reset();
    open();
  }

  api::NetworkService& networks() { return engine_->services().networks; }
  api::JobService& jobs() { return engine_->services().jobs; }
  api::SystemService& system() { return engine_->services().system; }

  static core::NetworkSpec spec(std::uint64_t seed = 7) {
    core::NetworkSpec spec;
    spec.inputs = 2;
    spec.layers.resize(2);
    spec.layers[0].units = 8;
    spec.layers[1].units = 2;
    spec.layers[1].activation = core::Activation::softmax;
    spec.loss.kind = core::Loss::cross_entropy;
    spec.seed = seed;
    return spec;
  }

  static api::TrainRequest train_request(std::uint64_t steps, std::uint64_t rows = 50) {
    api::TrainRequest request;
    core::GeneratorOptions data;
    data.rows = rows;
    request.data = data;
    request.plan.steps = steps;
    request.plan.batches.batch_size = 16;
    request.plan.batches.shuffle = true;
    return request;
  }

  api::NetworkView create(const std::string& name, std::uint64_t seed = 7) {
    api::CreateNetwork request;
    request.name = name;
    request.spec = spec(seed);
    const core::Result<api::NetworkView> made = networks().create(request);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? *made : api::NetworkView{};
  }

  api::JobView wait(const std::string& id) {
    const core::Result<api::JobView> job = jobs().wait(id, test::kPatience);
    EXPECT_TRUE(job.ok());
    return job.ok() ? *job : api::JobView{};
  }

  api::JobView train(const std::string& name, const api::TrainRequest& request) {
    const core::Result<api::JobView> job = jobs().train(name, request);
    EXPECT_TRUE(job.ok()) << job.error().message;
    return job.ok() ? wait(job->id) : api::JobView{};
  }

  std::string sha(const std::string& name) {
    const core::Result<api::NetworkView> view = networks().read(name);
    EXPECT_TRUE(view.ok());
    return view.ok() ? view->state_sha256 : "";
  }
};

}  // namespace mlpd::server
