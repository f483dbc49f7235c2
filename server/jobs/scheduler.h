#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "server/network_entry.h"

namespace mlpd::server {

/// Gives networks with work their turns on the trainer threads: one thread for a network at a time, networks
/// in the order in which they became ready, each turn short while others wait. Threads run at idle priority.
class Scheduler {
 public:
  using Clock = NetworkEntry::Clock;
  /// What a turn left behind: more to do `now`, at a time, or nothing until the next wake().
  struct Next {
    bool again = false;
    std::optional<Clock::time_point> at;
  };
  using TakeTurn = std::function<Next(const std::shared_ptr<NetworkEntry>&)>;

  Scheduler(std::size_t threads, TakeTurn take_turn);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// The network may have work; safe to call too often.
  void wake(const std::shared_ptr<NetworkEntry>& entry);
  /// Whether some network waits for a thread: whoever has one should give it up soon.
  bool others_wait() const;
  /// No further turns; returns when the present ones have ended.
  void stop();

 private:
  void run();
  std::shared_ptr<NetworkEntry> next_entry(std::unique_lock<std::mutex>& lock);

  TakeTurn take_turn_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<NetworkEntry>> ready_;
  std::multimap<Clock::time_point, std::shared_ptr<NetworkEntry>> later_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mlpd::server
