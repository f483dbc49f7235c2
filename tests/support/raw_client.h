#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "tests/support/eventually.h"

namespace mlpd::test {

/// An answer as it came over the wire.
struct RawResponse {
  int status = 0;  ///< 0: no whole answer came
  std::string head;
  std::string body;

  /// A header field's value; empty where absent. `name` as the server writes it.
  std::string field(const std::string& name) const {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

/// A TCP client that sends exactly what it is told. Every wait ends after kPatience.
class RawClient {
 public:
  explicit RawClient(int port, int receive_buffer_bytes = 0) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer_bytes > 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), input_(std::move(other.input_)) {}
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  RawClient& operator=(RawClient&&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  /// False where the peer stopped taking bytes.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  /// Reads until the bytes so far hold `mark`; answers and takes away everything up to its end. Empty: never.
  std::string read_through(std::string_view mark, std::chrono::milliseconds patience = kPatience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      if (const auto at = input_.find(mark); at != std::string::npos) return take(at + mark.size());
      if (!read_some(end)) return {};
    }
  }

  /// One answer whose body has a Content-Length (or none, where `to_head`).
  RawResponse response(bool to_head = false) {
    RawResponse response;
    response.head = read_through("\r\n\r\n");
    if (response.head.size() < 12) return response;
    const auto length = std::strtoul(response.field("Content-Length").c_str(), nullptr, 10);
    if (!to_head) {
      const auto end = std::chrono::steady_clock::now() + kPatience;
      while (input_.size() < length)
        if (!read_some(end)) return response;
      response.body = take(length);
    }
    response.status = std::atoi(response.head.c_str() + 9);
    return response;
  }

  /// True once the peer has closed with nothing more to read.
  bool closed(std::chrono::milliseconds patience = kPatience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    return input_.empty() && !read_some(end) && ended_;
  }
  /// Reads everything up to the end of the connection.
  std::string rest() {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (read_some(end)) {
    }
    return take(input_.size());
  }

 private:
  std::string take(std::size_t size) {
    std::string taken = input_.substr(0, size);
    input_.erase(0, size);
    return taken;
  }
  bool read_some(std::chrono::steady_clock::time_point end) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd entry{fd_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) <= 0) return false;
    char buffer[65'536];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) {
      ended_ = n == 0 || errno == ECONNRESET;
      return false;
    }
    input_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string input_;
};

}  // namespace mlpd::test
