#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <span>

namespace mlpd::server {

/// One epoll set, closed with its owner. `data` comes back with the events of its descriptor. All methods are
/// thread-safe.
class Epoll {
 public:
  Epoll();
  ~Epoll();
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  /// False where the process has no descriptor left for it; nothing else may be called then.
  bool valid() const { return fd_ >= 0; }
  /// False, with errno, where the kernel refuses.
  bool add(int fd, std::uint32_t events, epoll_data_t data);
  bool change(int fd, std::uint32_t events, epoll_data_t data);
  void remove(int fd);
  /// Fills `ready` from its start with what happened and answers how many, 0 after timeout_ms (-1: no end) or
  /// a signal. Before it blocks it looks again and again for busy_poll_us: what comes within finds the thread
  /// awake, which spends a processor on that.
  int wait(std::span<epoll_event> ready, int timeout_ms, std::int64_t busy_poll_us = 0);

 private:
  const int fd_;
};

}  // namespace mlpd::server
