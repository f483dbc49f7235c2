#include "server/jobs/scheduler.h"

#include <utility>

#include "server/thread_pool.h"

namespace mlpd::server {

using Turn = NetworkEntry::Turn;

Scheduler::Scheduler(std::size_t threads, TakeTurn take_turn) : take_turn_(std::move(take_turn)) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Scheduler::~Scheduler() { stop(); }

void Scheduler::wake(const std::shared_ptr<NetworkEntry>& entry) {
  {
    std::lock_guard lock(mutex_);
    if (entry->turn == Turn::waiting || entry->turn == Turn::running_again) return;
    if (entry->turn == Turn::running) {
      entry->turn = Turn::running_again;
      return;
    }
    entry->turn = Turn::waiting;
    ready_.push_back(entry);
  }
  arrived_.notify_one();
}

bool Scheduler::others_wait() const {
  std::lock_guard lock(mutex_);
  return !ready_.empty() || stopping_;
}

void Scheduler::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::shared_ptr<NetworkEntry> Scheduler::next_entry(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    if (stopping_) return nullptr;
    while (!later_.empty() && later_.begin()->first <= Clock::now()) {
      std::shared_ptr<NetworkEntry> entry = std::move(later_.extract(later_.begin()).mapped());
      if (entry->turn == Turn::none) {
        entry->turn = Turn::waiting;
        ready_.push_back(std::move(entry));
      }
    }
    if (!ready_.empty()) {
      std::shared_ptr<NetworkEntry> entry = std::move(ready_.front());
      ready_.pop_front();
      entry->turn = Turn::running;
      return entry;
    }
    if (later_.empty()) {
      arrived_.wait(lock);
    } else {
      arrived_.wait_until(lock, later_.begin()->first);
    }
  }
}

void Scheduler::run() {
  lower_priority();
  std::unique_lock lock(mutex_);
  while (const std::shared_ptr<NetworkEntry> entry = next_entry(lock)) {
    lock.unlock();
    const Next next = take_turn_(entry);
    lock.lock();
    const bool again = next.again || entry->turn == Turn::running_again;
    entry->turn = again ? Turn::waiting : Turn::none;
    if (again) {
      ready_.push_back(entry);
    } else if (next.at) {
      later_.emplace(*next.at, entry);
      arrived_.notify_one();  // another thread may wait for a later time
    }
  }
}

}  // namespace mlpd::server
