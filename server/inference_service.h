#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "api/inference_service.h"

namespace mlpd::server {

class Registry;

/// What one network has beside it for the Open Inference Protocol; gone with it. Thread-safe.
class InferenceCounters {
 public:
  bool is_loaded() const { return loaded_; }
  void set_loaded(bool loaded) { loaded_ = loaded; }
  void record(const std::string& version, const api::InferenceRecord& record, std::uint64_t now_ms);
  std::vector<api::InferenceStatistics> statistics() const;

 private:
  std::atomic<bool> loaded_{true};
  mutable std::mutex mutex_;
  std::vector<api::InferenceStatistics> versions_;  ///< in order of first use
};

class InferenceServiceImplementation final : public api::InferenceService {
 public:
  explicit InferenceServiceImplementation(Registry& registry) : registry_(registry) {}

  core::Result<bool> is_loaded(const std::string& network) override;
  core::Result<void> set_loaded(const std::string& network, bool loaded) override;
  void record(const std::string& network, const std::string& version,
              const api::InferenceRecord& record) override;
  core::Result<std::vector<api::InferenceStatistics>> statistics(const std::string& network) override;
  std::uint64_t now_ns() const override;

 private:
  Registry& registry_;
};

}  // namespace mlpd::server
