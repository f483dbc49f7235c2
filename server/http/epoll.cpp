#include "server/http/epoll.h"

#include <unistd.h>

#include <algorithm>

#include "server/http/connection.h"

namespace mlpd::server {
namespace {

bool control(int epoll, int operation, int fd, std::uint32_t events, epoll_data_t data) {
  epoll_event event{};
  event.events = events;
  event.data = data;
  return ::epoll_ctl(epoll, operation, fd, &event) == 0;
}

}  // namespace

Epoll::Epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}

Epoll::~Epoll() {
  if (valid()) ::close(fd_);
}

bool Epoll::add(int fd, std::uint32_t events, epoll_data_t data) {
  return control(fd_, EPOLL_CTL_ADD, fd, events, data);
}

bool Epoll::change(int fd, std::uint32_t events, epoll_data_t data) {
  return control(fd_, EPOLL_CTL_MOD, fd, events, data);
}

void Epoll::remove(int fd) { ::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr); }

int Epoll::wait(std::span<epoll_event> ready, int timeout_ms, std::int64_t busy_poll_us) {
  const auto look = [&](int milliseconds) {
    return std::max(::epoll_wait(fd_, ready.data(), static_cast<int>(ready.size()), milliseconds), 0);
  };
  if (busy_poll_us > 0)
    for (const std::int64_t end = now_us() + busy_poll_us; now_us() < end;)
      if (const int count = look(0); count > 0) return count;
  return look(timeout_ms);
}

}  // namespace mlpd::server
