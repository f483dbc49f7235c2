#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "api/metrics_service.h"
#include "api/service.h"
#include "server/http/listener.h"
#include "server/observer.h"

namespace mlpd::server {

/// Networks whose loss is shown at once; those that begin to train past it are not, until one is removed.
inline constexpr std::size_t kLossNetworksMax = 100;

/// Everything that GET /metrics tells; docs/operations.md lists the names. What happens is counted in atomics
/// that are found without a lock, what is there is read at each scrape. The labels' values are bounded: rows
/// of the routes' table, statuses, kLossNetworksMax networks. Thread-safe from watch() on.
class Metrics final : public EngineObserver, public api::MetricsService {
 public:
  Metrics();
  ~Metrics() override;

  /// What is shown besides what is counted. Call it once, before requests are recorded; all must be callable
  /// as long as there is an exposition().
  struct Sources {
    api::Services services;  ///< with this as its metrics
    std::function<ListenerStatistics()> listener;
    std::filesystem::path data_dir;  ///< whose disk is watched
  };
  void watch(Sources sources);

  /// The listener tells it of every answer.
  void record_request(const RequestRecord& request);

  void on_slice(const std::string& network, std::uint64_t steps, std::uint64_t rows, double loss) override;
  void on_job(const api::JobView& job) override;
  void on_network_removed(const std::string& network) override;

  void record_inference(std::size_t rows, double compute_seconds) override;
  std::size_t event_streams() const override;
  std::string exposition() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlpd::server
