#pragma once

#include <string>

#include "core/result.h"

struct sockaddr_storage;

namespace mlpd::server {

/// A non-blocking socket that listens on `host` (address or name) and `port` (0 = any free one), without
/// SO_REUSEPORT: a second listener on the same port fails with `unavailable` and says so. `invalid_argument`
/// where the host is unknown. The caller closes it.
core::Result<int> listen_on(const std::string& host, int port);
/// The port that a listening socket has.
int bound_port(int fd);
/// A peer's numeric address; IPv4 in IPv6 is shown as IPv4.
std::string address_text(const sockaddr_storage& address);

}  // namespace mlpd::server
