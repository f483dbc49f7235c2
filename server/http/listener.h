#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"
#include "core/result.h"

namespace mlpd::server {

/// What one finished request looked like. The views live only while the observer runs.
struct RequestRecord {
  std::string_view method;   ///< empty where the request line was unreadable
  std::string_view path;     ///< decoded
  std::string_view pattern;  ///< the route's, empty where none was found
  int status = 0;
  std::int64_t duration_us = 0;  ///< from the complete header to the last byte handed to the kernel
  std::size_t bytes_in = 0;      ///< body
  std::size_t bytes_out = 0;     ///< header and body
  std::string_view request_id;
  std::string_view remote_address;
  std::string_view key_id;
  std::string_view trace_id;            ///< of the client's traceparent, empty where it sent none
  api::Scope scope = api::Scope::none;  ///< the route's
  std::string_view network;             ///< of the path, empty where the route has none
  std::string_view location;            ///< the answer's Location: what a POST made
  std::string_view error;  ///< text of an exception that the handler let out; never shown to the client
};

/// Called after every answer, on the thread that sent it: must be quick, thread-safe and must not throw.
using RequestObserver = std::function<void(const RequestRecord&)>;

/// Decides on a request before its body is read. `head` has everything but the body; on admission the gate
/// may set head.key_id and answers nullopt, otherwise it gives the refusal (which closes the connection where
/// a body was announced). Thread-safe.
using RequestGate = std::function<std::optional<api::Response>(const api::RouteInfo&, api::Request& head)>;

struct ListenerOptions {
  std::string host = "127.0.0.1";  ///< numeric address or name
  int port = 0;                    ///< 0 = any free one, see Listener::port()
  int http_threads = 2;            ///< requests that run at once, as long as none blocks
  /// Threads at most, with those that replace requests blocked for more than 10 ms.
  int http_threads_max = 128;
  /// How long a worker looks for the next request before it sleeps.
  std::int64_t busy_poll_us = 0;
  std::size_t connections_max = 10'000;     ///< past it: 503 and close
  std::size_t event_streams_max = 1'000;    ///< past it: 503
  std::size_t header_bytes_max = 16'384;    ///< request line and header fields: 431 past it
  std::size_t header_fields_max = 100;      ///< 431 past it
  std::size_t body_bytes_max = 512u << 20;  ///< upper bound of every route's own limit: 413 past it
  /// Bytes of request bodies held in memory at once over all connections: 503 past it.
  std::size_t bodies_bytes_max = 1u << 30;
  std::size_t stream_queue_bytes_max = 1u << 20;  ///< unsent bytes of an event stream; past it, it is cut
  int header_timeout_ms = 10'000;                 ///< from the first byte (or accept) to the whole header
  /// For a whole body or answer, plus the time that its bytes take at transfer_bytes_per_second_min.
  int body_timeout_ms = 30'000;
  int write_timeout_ms = 30'000;
  std::size_t transfer_bytes_per_second_min = 65'536;
  int idle_timeout_ms = 75'000;            ///< between two requests of a connection
  int ping_interval_ms = 15'000;           ///< comment on a quiet event stream
  int stalled_stream_timeout_ms = 10'000;  ///< an event stream that takes no byte for so long is cut
  std::string tls_certificate_path = {};   ///< PEM chain; with tls_key_path: HTTPS (TLS 1.2 and later) only
  std::string tls_key_path = {};           ///< PEM
  std::vector<std::string> cors_origins = {};  ///< pages of these origins may call; empty: none
};

struct ListenerStatistics {
  std::size_t connections = 0;  ///< open now, event streams included
  std::size_t event_streams = 0;
  std::size_t busy_workers = 0;
  std::size_t workers = 0;              ///< threads that exist
  std::uint64_t connections_total = 0;  ///< accepted since start
  std::uint64_t requests_total = 0;     ///< answered since start
  std::size_t bodies_bytes = 0;         ///< request bodies in memory
};

/// Serves an api::Handler over HTTP/1.1 (and HTTPS). GET /v2/health/live and /v2/health/ready are answered
/// even while every worker is blocked. All methods are thread-safe.
class Listener {
 public:
  /// `handler` must outlive the listener.
  Listener(ListenerOptions options, api::Handler& handler, RequestObserver observer = {},
           RequestGate gate = {});
  ~Listener();  ///< stop(0 ms)
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Binds and serves. Fails with `unavailable` where the address is taken or not ours, `invalid_argument`
  /// where the host or certificate can't be used.
  core::Result<void> start();
  /// The port that is bound; 0 before start().
  int port() const;
  /// Takes no new connection, ends event streams with their closing event (within 2 s), closes idle
  /// connections and lets running requests finish for up to `deadline`; then cuts what is left. False where a
  /// request was cut. Returns once the handler runs no longer. A second call does nothing.
  bool stop(std::chrono::milliseconds deadline);
  /// Reads certificate and key again; new connections use them. On failure the old ones stay.
  core::Result<void> reload_certificate();

  ListenerStatistics statistics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlpd::server
