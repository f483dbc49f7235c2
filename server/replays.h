#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "api/service.h"
#include "server/engine_parts.h"
#include "server/network_keeper.h"

namespace mlpd::server {

/// Replays that take longer than a request should wait: one after the other on a thread of their own at idle
/// priority, so that neither requests nor trainers are held up. Each stores the state of its step as a
/// checkpoint. Their records live in memory alone. Thread-safe.
class Replays {
 public:
  /// Replays that have not ended; one more is refused.
  static constexpr std::size_t kWaitingMax = 16;
  /// Records of ended replays that are kept.
  static constexpr std::size_t kEndedMax = 100;

  /// Replays estimated above `replay_max` become jobs.
  Replays(EngineParts& parts, NetworkKeeper& keeper) : parts_(parts), keeper_(keeper) {}
  ~Replays() { stop(); }
  Replays(const Replays&) = delete;
  Replays& operator=(const Replays&) = delete;

  /// The job that stores the state of `step`, new or under way; nullopt where its replay is short.
  core::Result<std::optional<api::JobView>> where_long(const std::shared_ptr<NetworkEntry>& entry,
                                                       std::uint64_t step);
  core::Result<api::JobView> read(const std::string& id);
  /// Of all networks where none is named, with the ordinals that they share with train jobs; below `below`.
  std::vector<std::pair<std::uint64_t, api::JobView>> list(const std::string& network, std::uint64_t below);
  /// Idempotent, never blocks.
  core::Result<api::JobView> cancel(const std::string& id);
  /// Breaks off what runs. Idempotent; nothing begins afterwards.
  void stop();

 private:
  struct Replay {
    api::JobView view;
    std::uint64_t ordinal = 0;
    std::shared_ptr<NetworkEntry> entry;
    std::uint64_t to_step = 0;
    bool cancelled = false;
  };
  using ReplayPointer = std::shared_ptr<Replay>;

  void run();
  void carry_out(const ReplayPointer& replay);
  ReplayPointer find(const std::string& id) const;
  void end(Replay& replay, api::JobState state);

  EngineParts& parts_;
  NetworkKeeper& keeper_;
  std::mutex mutex_;  ///< guards all below
  std::condition_variable arrived_;
  std::deque<ReplayPointer> waiting_;
  std::deque<ReplayPointer> known_;  ///< oldest first
  std::thread thread_;               ///< from the first replay on
  bool stopping_ = false;
};

}  // namespace mlpd::server
