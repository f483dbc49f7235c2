#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/executor.h"

namespace mlpd::server {

/// The one pool for core's parallel loops, at idle priority. A caller who finds it taken runs its loop alone,
/// so that no two loops fight for the cores. Workers spin briefly for the next loop, then sleep.
class ThreadPool final : public core::Executor {
 public:
  /// `width` ≥ 1 counts the caller.
  explicit ThreadPool(std::size_t width);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t width() const override { return threads_.size() + 1; }
  std::size_t awake() const override { return awake_.load(std::memory_order_relaxed); }
  void for_each(std::size_t count, const std::function<void(std::size_t)>& body) override;

 private:
  struct Loop {
    const std::function<void(std::size_t)>* body;
    std::size_t count;
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> inside{0};  ///< workers that may still touch this loop
  };

  void work();
  static void take_part(Loop& loop);

  std::mutex taken_;  ///< held by the caller whose loop runs
  std::mutex mutex_;  ///< guards loop_ for the workers
  std::condition_variable arrived_;
  Loop* loop_ = nullptr;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> awake_{1};  ///< the caller, and the workers that don't sleep
  std::vector<std::thread> threads_;
};

/// Gives the calling thread the system's idle priority: it runs when nobody else wants the processor.
void lower_priority();

/// Processor time of the calling thread so far, in seconds: unlike a clock's, not longer where others take
/// the processor.
double thread_seconds();

}  // namespace mlpd::server
