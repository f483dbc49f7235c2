#include "server/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <ctime>

namespace mlpd::server {
namespace {

/// Rounds of looking for the next loop before a worker sleeps: some 20 µs, longer than the gaps inside a
/// step.
constexpr int kSpins = 2'000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

void lower_priority() {
  sched_param parameter{};
  // Where the system refuses, training merely competes with the rest.
  (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &parameter);
}

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

ThreadPool::ThreadPool(std::size_t width) {
  for (std::size_t i = 1; i < width; ++i) threads_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::take_part(Loop& loop) {
  for (;;) {
    const std::size_t i = loop.next.fetch_add(1, std::memory_order_relaxed);
    if (i >= loop.count) return;
    (*loop.body)(i);
  }
}

void ThreadPool::for_each(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::unique_lock taken(taken_, std::defer_lock);
  if (count < 2 || threads_.empty() || !taken.try_lock()) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  Loop loop{&body, count, {}, {}};
  {
    std::lock_guard lock(mutex_);
    loop_ = &loop;
    generation_.fetch_add(1, std::memory_order_release);
  }
  arrived_.notify_all();
  take_part(loop);
  {
    std::lock_guard lock(mutex_);  // from here on no worker can enter
    loop_ = nullptr;
  }
  while (loop.inside.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

void ThreadPool::work() {
  lower_priority();
  ++awake_;
  std::uint64_t seen = 0;
  const auto called = [&] { return stopping_ || generation_ != seen; };
  for (;;) {
    for (int i = 0; i < kSpins && generation_.load(std::memory_order_acquire) == seen; ++i) relax();
    Loop* loop = nullptr;
    {
      std::unique_lock lock(mutex_);
      if (!called()) {
        --awake_;
        arrived_.wait(lock, called);
        ++awake_;
      }
      if (stopping_) return;
      seen = generation_;
      loop = loop_;
      if (loop != nullptr) loop->inside.fetch_add(1, std::memory_order_relaxed);
    }
    if (loop == nullptr) continue;
    take_part(*loop);
    loop->inside.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace mlpd::server
