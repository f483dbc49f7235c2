#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "api/event_service.h"
#include "server/observer.h"

namespace mlpd::server {

struct EventBrokerOptions {
  std::size_t ring_events = 1'024;     ///< of one network, for those who come back
  std::size_t idle_channels_max = 64;  ///< networks that nobody follows, but whose ring is still kept
  std::chrono::milliseconds record_interval{50};  ///< at most one record event in so long: 20 a second
};

/// Turns what the engine tells into events, kept in one bounded ring for each network that somebody follows
/// or followed. Streams read from the ring, so that a slow one costs no memory of its own. Thread-safe.
class EventBroker final : public EngineObserver, public api::EventService {
 public:
  using Clock = std::chrono::steady_clock;

  /// `next` hears everything too; borrowed. `now` is a test's clock.
  explicit EventBroker(EngineObserver& next, EventBrokerOptions options = {},
                       std::function<Clock::time_point()> now = Clock::now);
  ~EventBroker() override;

  std::shared_ptr<api::EventStream> open(const std::string& network,
                                         const std::optional<std::string>& last_id) override;

  void on_record(const std::string& network, const core::Record& record) override;
  void on_slice(const std::string& network, std::uint64_t steps, std::uint64_t rows, double loss) override;
  void on_job(const api::JobView& job) override;
  void on_checkpoint(const std::string& network, std::uint64_t step) override;
  void on_network_created(const std::string& network) override;
  void on_network_changed(const std::string& network) override;
  void on_network_restored(const std::string& network, std::uint64_t step) override;
  void on_network_removed(const std::string& network) override;

 private:
  struct Channel;
  class Stream;

  std::shared_ptr<Channel> find(const std::string& network) const;
  void drop_idle();

  EngineObserver& next_;
  const EventBrokerOptions options_;
  const std::function<Clock::time_point()> now_;
  std::atomic<std::size_t> count_{0};  ///< of channels; none is the common case, and costs no lock
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Channel>> channels_;
};

}  // namespace mlpd::server
