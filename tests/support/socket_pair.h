#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "server/http/connection.h"

namespace mlpd::test {

/// A server's Connection and the bare other end.
class SocketPair {
 public:
  explicit SocketPair(std::size_t buffer_bytes = 64) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return;
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    connection = std::make_unique<server::Connection>(ends[0], "peer", buffer_bytes, nullptr);
    peer_ = ends[1];
  }
  ~SocketPair() { hang_up(); }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  void send(std::string_view bytes) {
    [[maybe_unused]] const auto sent = ::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  /// Waits for room where there is none.
  void send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      pollfd entry{peer_, POLLOUT, 0};
      ::poll(&entry, 1, 10'000);
      const ssize_t n = ::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  /// What has arrived at the peer by now.
  std::string received() {
    std::string all;
    char buffer[65'536];
    for (ssize_t n; (n = ::recv(peer_, buffer, sizeof buffer, 0)) > 0;)
      all.append(buffer, static_cast<std::size_t>(n));
    return all;
  }
  void hang_up() {
    if (peer_ >= 0) ::close(peer_);
    peer_ = -1;
  }

  std::unique_ptr<server::Connection> connection;

 private:
  int peer_ = -1;
};

}  // namespace mlpd::test
