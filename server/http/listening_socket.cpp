#include "server/http/listening_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace mlpd::server {
namespace {
constexpr int kBacklog = 1'024;

/// -1 with errno where it fails.
int listening(const addrinfo& address) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  // Lets us bind past connections of an earlier run that linger; a second listener still fails.
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0) return fd;
  const int number = errno;
  ::close(fd);
  errno = number;
  return -1;
}

}  // namespace

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof text);
    if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
      ::inet_ntop(AF_INET, six.sin6_addr.s6_addr + 12, text, sizeof text);
  } else if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &four.sin_addr, text, sizeof text);
  }
  return text;
}

core::Result<int> listen_on(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string where = host + ":" + std::to_string(port);
  if (const int fault =
          ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &found))
    return core::Error{core::ErrorCode::invalid_argument,
                       "The address " + where + " is unknown: " + ::gai_strerror(fault)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  int number = 0;
  for (const int family : {AF_INET, AF_INET6})  // "localhost" is where most clients look first: 127.0.0.1
    for (const addrinfo* entry = found; entry && number != EADDRINUSE; entry = entry->ai_next) {
      if (entry->ai_family != family) continue;
      if (const int fd = listening(*entry); fd >= 0) return fd;
      number = errno;
    }
  if (number == EADDRINUSE)
    return core::Error{core::ErrorCode::unavailable, "Port " + std::to_string(port) + " of " + host +
                                                         " is taken by another process: stop it or choose "
                                                         "another port."};
  return core::Error{core::ErrorCode::unavailable, "Can't listen on " + where + ": " + std::strerror(number)};
}

int bound_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

}  // namespace mlpd::server
