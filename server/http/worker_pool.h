#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace mlpd::server {

/// Threads that take work from a source they wait on. `threads` of them run at once; one that has been at its
/// work for more than 10 ms is taken to be blocked and replaced, up to `threads_max` in all.
class WorkerPool {
 public:
  struct Work {
    std::function<void*()> wait;         ///< blocks for one piece of work; nullptr: look whether to go on
    std::function<void(void*)> perform;  ///< must not throw
    std::function<void()> became_busy;   ///< a piece of work begins; cheap
  };
  WorkerPool(int threads, int threads_max, Work work);
  ~WorkerPool();  ///< stop() and join()

  /// Counts blocked workers and replaces them: to be called every few ms while any_busy().
  void check();
  bool any_busy() const { return busy_.load() > 0; }
  /// Every thread is at work and no more may be made.
  bool saturated() const {
    const std::size_t made = threads_made_.load();
    return busy_.load() >= made && (made >= static_cast<std::size_t>(threads_max_) || spawn_failed_.load());
  }
  std::size_t busy() const { return busy_.load(); }
  std::size_t threads() const { return threads_made_.load(); }
  /// Tells the threads to end after their current work.
  void stop();
  /// Waits for their end; `wait` must return.
  void join();

 private:
  struct Worker {
    std::atomic<std::int64_t> since_us{0};  ///< begin of the current work, 0 = none
    std::thread thread;
  };
  void spawn();
  void loop(Worker& worker);
  bool rest_if_surplus();

  const int threads_;
  const int threads_max_;
  const Work work_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> busy_{0};
  std::atomic<std::size_t> threads_made_{0};
  std::atomic<bool> spawn_failed_{false};
  std::atomic<int> active_{0};  ///< threads that are not resting
  std::atomic<int> target_{0};  ///< how many should not be
  std::mutex mutex_;
  std::condition_variable rest_;
  std::list<Worker> workers_;  ///< grows under mutex_
};

}  // namespace mlpd::server
