#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace mlpd::api {

/// Header or query fields in order of arrival. Header names are compared without regard to case.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// A request body that is read in pieces (uploads, model import) under the route's byte limit.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// Up to `size` further bytes, 0 at the end. Fails with resource_exhausted past the limit, unavailable when
  /// the client is gone or too slow.
  virtual core::Result<std::size_t> read(char* buffer, std::size_t size) = 0;
};

/// A parsed HTTP request, free of sockets and libraries.
struct Request {
  std::string method;  ///< upper case
  std::string path;    ///< decoded, without the query; starts with '/'
  Fields query;        ///< decoded
  Fields headers;
  std::string body;                   ///< empty for a route that streams its body
  BodyReader* body_stream = nullptr;  ///< non-null exactly for a route that streams its body
  std::string request_id;             ///< the listener sends it back as X-Request-Id
  std::string remote_address;
  std::string key_id;  ///< who asks: the id of the bearer key, empty where none is needed

  /// First value of a header (name in any case) or query field; nullopt where absent.
  std::optional<std::string_view> header(std::string_view name) const;
  std::optional<std::string_view> query_value(std::string_view name) const;
};

/// Text of an event stream, produced bit by bit. The hub thread of the server calls it; all calls return at
/// once.
class EventStream {
 public:
  virtual ~EventStream() = default;
  /// Called once, before the first take(): `wake` may be called from any thread when take() has something
  /// new.
  virtual void on_ready(std::function<void()> wake) = 0;
  /// Bytes to send now (complete SSE events), empty where nothing waits.
  virtual std::string take() = 0;
  /// True once nothing will follow and take() gave its last.
  virtual bool finished() const = 0;
  /// The server stops: finish with a closing event.
  virtual void close() = 0;
  /// True for bytes of any kind in place of events: take() is asked for more only once all before is sent,
  /// nothing is put in between, and where it throws, the connection is cut, so that no part passes for the
  /// whole.
  virtual bool bulk() const { return false; }
};

/// An answer. With `stream` set, the header is sent and the body comes from it until it finishes.
struct Response {
  int status = 200;
  Fields headers;
  std::string body;
  std::shared_ptr<EventStream> stream;

  /// Replaces or adds.
  void set_header(std::string_view name, std::string value);
  std::optional<std::string_view> header(std::string_view name) const;
};

/// What a bearer key may do; each scope includes the ones before it.
enum class Scope { none, read, predict, train, admin };

/// What the listener must know of a route before it reads the body.
struct RouteInfo {
  bool found = false;              ///< path and method exist
  bool streams_body = false;       ///< hand over a BodyReader instead of reading the body
  std::size_t body_bytes_max = 0;  ///< the route's limit
  Scope scope = Scope::none;       ///< what a key needs; none = public
  std::string_view pattern;        ///< "/v1/networks/{network}", for logs and metrics; empty where not found
  std::string network;             ///< value of {network} in the path, empty where the route has none
};

/// The whole HTTP contract as the server sees it. Thread-safe.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual RouteInfo route(std::string_view method, std::string_view path) const = 0;
  /// Always answers; throws only where a library or allocation does.
  virtual Response handle(const Request& request) = 0;
  /// The answer to a request that the server itself refuses (too large, malformed, too slow, not permitted),
  /// in the form that the path's protocol wants.
  virtual Response refuse(int status, std::string_view path, std::string_view detail,
                          std::string_view request_id) const = 0;
};

}  // namespace mlpd::api
