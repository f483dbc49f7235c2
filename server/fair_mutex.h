#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace mlpd::server {

/// A mutex that serves in order of arrival, so that a trainer which takes it again at once lets those in who
/// waited during its slice.
class FairMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = next_++;
    turn_.wait(lock, [&] { return serving_ == ticket; });
  }
  void unlock() {
    {
      std::lock_guard lock(mutex_);
      ++serving_;
    }
    turn_.notify_all();
  }
  bool try_lock() {
    std::lock_guard lock(mutex_);
    if (serving_ != next_) return false;
    ++next_;
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  std::uint64_t next_ = 0;
  std::uint64_t serving_ = 0;
};

}  // namespace mlpd::server
