#include "server/http/worker_pool.h"

#include <algorithm>

#include "server/http/connection.h"

namespace mlpd::server {
namespace {
constexpr std::int64_t kBlockedUs = 10'000;
}

WorkerPool::WorkerPool(int threads, int threads_max, Work work)
    : threads_(std::max(1, threads)), threads_max_(std::max(threads_, threads_max)), work_(std::move(work)) {
  target_ = threads_;
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < threads_; ++i) spawn();
}

WorkerPool::~WorkerPool() {
  stop();
  join();
}

void WorkerPool::join() {
  for (auto& worker : workers_)
    if (worker.thread.joinable()) worker.thread.join();
}

void WorkerPool::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  rest_.notify_all();
}

void WorkerPool::spawn() {
  Worker& worker = workers_.emplace_back();
  ++active_;
  try {
    worker.thread = std::thread([this, &worker] { loop(worker); });
    ++threads_made_;
    spawn_failed_ = false;
  } catch (const std::system_error&) {  // no more threads to be had: go on with those that are
    --active_;
    spawn_failed_ = true;
    workers_.pop_back();
  }
}

void WorkerPool::check() {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  const std::int64_t now = now_us();
  int blocked = 0;
  for (const auto& worker : workers_) {
    const std::int64_t since = worker.since_us.load(std::memory_order_relaxed);
    if (since != 0 && now - since > kBlockedUs) ++blocked;
  }
  const int target = std::min(threads_max_, threads_ + blocked);
  target_ = target;
  const int missing = target - active_;
  if (missing <= 0) return;
  const int resting = static_cast<int>(workers_.size()) - active_;
  for (int i = 0; i < missing - resting; ++i) spawn();
  rest_.notify_all();
}

/// Keeps threads that replaced blocked ones out of the way once those are back.
bool WorkerPool::rest_if_surplus() {
  if (active_.load(std::memory_order_relaxed) <= target_.load(std::memory_order_relaxed)) return false;
  std::unique_lock lock(mutex_);
  if (stopping_ || active_ <= target_) return false;
  --active_;
  rest_.wait(lock, [this] { return stopping_ || active_ < target_; });
  ++active_;
  return true;
}

void WorkerPool::loop(Worker& worker) {
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (rest_if_surplus()) continue;
    void* const piece = work_.wait();
    if (!piece) continue;
    worker.since_us.store(now_us(), std::memory_order_relaxed);
    ++busy_;
    work_.became_busy();
    work_.perform(piece);
    worker.since_us.store(0, std::memory_order_relaxed);
    --busy_;
  }
}

}  // namespace mlpd::server
