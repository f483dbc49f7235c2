#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "api/http_message.h"
#include "server/http/connection.h"
#include "server/http/framing.h"

namespace mlpd::server {

/// Request bodies in memory, over all connections.
struct HeldBodies {
  std::size_t bytes_max = 0;
  std::atomic<std::size_t> bytes{0};
};

/// How a step of reading a body ended.
enum class BodyStep {
  complete,
  wait_readable,
  wait_writable,
  closed,     ///< the client went away
  malformed,  ///< 400
  too_large,  ///< 413
  no_room,    ///< 503: HeldBodies is full
};

/// The body of the current request of a connection, sized or chunked. Used by one thread at a time.
class RequestBody {
 public:
  explicit RequestBody(HeldBodies& held) : held_(held) {}
  ~RequestBody() { reset(); }
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;

  /// What the head announces.
  void begin(const RequestHead& head);
  /// False where the announced length is over `bytes_max` (a chunked body is counted as it comes).
  bool set_limit(std::size_t bytes_max);
  bool complete() const { return complete_; }
  std::uint64_t announced_bytes() const { return announced_; }  ///< 0 for a chunked body
  std::uint64_t received_bytes() const { return received_; }

  /// Reads all that is there into `text`, whose contents count only once the body is complete.
  BodyStep receive(Connection& connection, std::string& text);
  /// Reads up to `size` > 0 bytes; `count` > 0 wherever it answers complete before the end, 0 at the end.
  BodyStep receive_piece(Connection& connection, char* to, std::size_t size, std::size_t& count);
  /// Forgets the body.
  void reset();

 private:
  BodyStep receive_sized(Connection& connection, std::string& text);
  BodyStep receive_chunked(Connection& connection, std::string& text);
  bool hold(std::size_t bytes);

  HeldBodies& held_;
  std::size_t counted_ = 0;  ///< in held_
  bool complete_ = true;
  bool chunked_ = false;
  std::uint64_t announced_ = 0;
  std::uint64_t received_ = 0;
  ChunkedDecoder decoder_;
};

/// Lets a handler read a body itself, waiting for the client: `timeout_ms` from the start, plus the time that
/// the received bytes take at `bytes_per_second_min`.
class StreamedBody final : public api::BodyReader {
 public:
  StreamedBody(RequestBody& body, Connection& connection, int timeout_ms, std::size_t bytes_per_second_min);
  core::Result<std::size_t> read(char* buffer, std::size_t size) override;

 private:
  bool wait(short events);

  RequestBody& body_;
  Connection& connection_;
  const std::int64_t timeout_ms_;
  const std::int64_t bytes_per_second_min_;
  const std::int64_t start_us_;
};

}  // namespace mlpd::server
