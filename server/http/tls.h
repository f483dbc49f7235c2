#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "core/result.h"

struct ssl_st;
struct ssl_ctx_st;

namespace mlpd::server {

/// How a step of non-blocking input or output ended.
enum class Io { done, wait_readable, wait_writable, closed };

/// The TLS side of one socket (OpenSSL, server role). Used by one thread at a time.
class TlsSession {
 public:
  TlsSession(ssl_ctx_st* context, int fd);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Io handshake();
  Io read(char* to, std::size_t size, std::size_t& count);
  Io write(const char* from, std::size_t size, std::size_t& count);
  /// Decrypted bytes that no poll of the socket would announce.
  bool has_pending() const;
  void close();  ///< says goodbye, if the socket takes it

 private:
  Io outcome(int result);
  ssl_st* ssl_;
};

/// Certificate and key for new sessions; TLS 1.2 and later. Thread-safe.
class TlsContext {
 public:
  /// Fails with invalid_argument and OpenSSL's reason.
  static core::Result<std::shared_ptr<TlsContext>> load(const std::string& certificate_path,
                                                        const std::string& key_path);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  std::unique_ptr<TlsSession> new_session(int fd);

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

}  // namespace mlpd::server
