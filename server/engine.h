#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/service.h"
#include "core/result.h"
#include "server/observer.h"
#include "server/past_limits.h"
#include "server/store/file_system.h"
#include "server/store/sample_table.h"

namespace mlpd::server {

/// How an engine is set up. Pointers are borrowed and outlive it.
struct EngineOptions {
  std::filesystem::path data_dir;
  std::size_t training_threads = 1;  ///< ≥ 1; also how wide one training step may spread
  api::Limits limits;
  PastLimits past_limits;
  api::NamedLimits named_limits;  ///< what /v1/capabilities shows
  EngineObserver* observer = nullptr;
  std::function<void(const std::string&)> log;  ///< what an operator should read; null: nowhere
  std::function<api::Timestamp()> now;          ///< null: the system's clock
  std::shared_ptr<FileSystem> files;            ///< null: the real one
  std::vector<SampleTable> samples;             ///< further built-in data sets
};

/// Networks, their training, data sets and their store in one folder: everything behind the HTTP contract.
/// Thread-safe.
class Engine {
 public:
  /// Recovers what the folder holds (damaged files are set aside, the rest serves) and goes on with its jobs.
  /// failed_precondition where another process uses the folder.
  static core::Result<std::unique_ptr<Engine>> open(EngineOptions options);
  ~Engine();

  api::Services services();

  /// Takes no more work, ends waiting requests, stores running jobs between two slices (the next open() goes
  /// on with them). What does not fit before `deadline` is left to replay. Idempotent.
  void stop(std::chrono::steady_clock::time_point deadline);

 private:
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mlpd::server
