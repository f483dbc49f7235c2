#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/tls.h"

namespace mlpd::server {

/// Microseconds of the steady clock.
std::int64_t now_us();

/// One accepted socket (plain or TLS) with its input buffer and its unsent output. Never blocks, except in
/// wait(). Used by one thread at a time.
class Connection {
 public:
  /// Takes over the non-blocking `fd`. `buffer_bytes` bounds what is read ahead of its use.
  Connection(int fd, std::string remote_address, std::size_t buffer_bytes, std::unique_ptr<TlsSession> tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  const std::string& remote_address() const { return remote_address_; }
  bool uses_tls() const { return tls_ != nullptr; }
  Io handshake();

  /// Bytes that arrived and are not consumed yet; valid until the next receive().
  std::string_view input() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t size);
  /// Reads once into the buffer's free room (there must be some, see full()).
  Io receive();
  bool full() const { return begin_ == 0 && end_ == capacity_; }
  /// Reads once, past the buffer, which must be empty.
  Io receive_into(char* to, std::size_t size, std::size_t& count);
  /// True where the last read emptied the socket, so that waiting for it is safe and likely.
  bool drained() const;

  /// Queues an answer; both parts go out in one system call. `head` gets an old buffer back for reuse.
  void queue(std::string& head, std::string body);
  /// Appends to what is queued, which must have no body.
  void queue_more(std::string_view bytes);
  /// Sends queued bytes; done once none is left.
  Io flush();
  std::size_t unsent() const { return head_.size() + body_.size() - sent_; }
  /// Ends our side; what the peer still sends can be read.
  void finish_sending();
  /// Drops the input buffer (event streams have no use for it).
  void release_input() { buffer_.reset(), begin_ = end_ = capacity_ = 0; }
  /// Waits for poll(2) `events`; false after `timeout_ms`.
  bool wait(short events, int timeout_ms) const;

 private:
  Io read_once(char* to, std::size_t size, std::size_t& count);
  ssize_t send_once();
  Io flush_plain();
  Io flush_tls();

  int fd_;
  std::string remote_address_;
  std::unique_ptr<TlsSession> tls_;
  std::size_t capacity_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool drained_ = false;
  std::string head_;
  std::string body_;
  std::size_t sent_ = 0;  ///< of head_, then body_
};

}  // namespace mlpd::server
