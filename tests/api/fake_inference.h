#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/inference_service.h"

namespace mlpd::api {

/// Loaded flags and what was recorded, in memory; the clock moves by 1 ns at each look.
class FakeInference final : public InferenceService {
 public:
  explicit FakeInference(std::function<bool(const std::string&)> exists) : exists_(std::move(exists)) {}

  core::Result<bool> is_loaded(const std::string& network) override {
    if (!exists_(network)) return missing(network);
    return unloaded.count(network) == 0;
  }
  core::Result<void> set_loaded(const std::string& network, bool loaded) override {
    if (!exists_(network)) return missing(network);
    if (loaded)
      unloaded.erase(network);
    else
      unloaded.insert(network);
    return {};
  }
  void record(const std::string&, const std::string& version, const InferenceRecord& record) override {
    versions.push_back(version);
    records.push_back(record);
  }
  core::Result<std::vector<InferenceStatistics>> statistics(const std::string& network) override {
    if (!exists_(network)) return missing(network);
    return answer;
  }
  std::uint64_t now_ns() const override { return ++now_; }

  std::set<std::string> unloaded;
  std::vector<std::string> versions;
  std::vector<InferenceRecord> records;
  std::vector<InferenceStatistics> answer;

 private:
  static core::Error missing(const std::string& name) {
    return {core::ErrorCode::not_found, "there is no " + name, {}};
  }
  std::function<bool(const std::string&)> exists_;
  mutable std::uint64_t now_ = 0;
};

}  // namespace mlpd::api
