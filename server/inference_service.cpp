#include "server/inference_service.h"

#include <algorithm>
#include <chrono>

#include "server/network_entry.h"
#include "server/network_service.h"
#include "server/registry.h"

namespace mlpd::server {

using core::Result;

namespace {

/// Versions of one network that are counted; past it the one first used is forgotten.
constexpr std::size_t kVersionsMax = 1'000;

void add(api::InferenceDuration& duration, std::uint64_t ns) {
  ++duration.count;
  duration.ns += ns;
}

}  // namespace

void InferenceCounters::record(const std::string& version, const api::InferenceRecord& record,
                               std::uint64_t now_ms) {
  std::lock_guard lock(mutex_);
  auto found = std::find_if(versions_.begin(), versions_.end(),
                            [&](const auto& statistics) { return statistics.version == version; });
  if (found == versions_.end()) {
    if (versions_.size() == kVersionsMax) versions_.erase(versions_.begin());
    versions_.emplace_back().version = version;
    found = std::prev(versions_.end());
  }
  if (!record.succeeded) return add(found->fail, record.input_ns);
  found->last_inference_ms = now_ms;
  found->inference_count += record.rows;
  ++found->execution_count;
  add(found->success, record.input_ns + record.infer_ns + record.output_ns);
  add(found->compute_input, record.input_ns);
  add(found->compute_infer, record.infer_ns);
  add(found->compute_output, record.output_ns);
}

std::vector<api::InferenceStatistics> InferenceCounters::statistics() const {
  std::lock_guard lock(mutex_);
  return versions_;
}

Result<bool> InferenceServiceImplementation::is_loaded(const std::string& network) {
  const auto entry = registry_.find(network);
  if (!entry) return no_network(network);
  return entry->inference.is_loaded();
}

Result<void> InferenceServiceImplementation::set_loaded(const std::string& network, bool loaded) {
  const auto entry = registry_.find(network);
  if (!entry) return no_network(network);
  entry->inference.set_loaded(loaded);
  return {};
}

void InferenceServiceImplementation::record(const std::string& network, const std::string& version,
                                            const api::InferenceRecord& record) {
  const auto entry = registry_.find(network);
  if (!entry) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  entry->inference.record(version, record, static_cast<std::uint64_t>(now_ms));
}

Result<std::vector<api::InferenceStatistics>> InferenceServiceImplementation::statistics(
    const std::string& network) {
  const auto entry = registry_.find(network);
  if (!entry) return no_network(network);
  return entry->inference.statistics();
}

std::uint64_t InferenceServiceImplementation::now_ns() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

}  // namespace mlpd::server
