#include "server/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace mlpd::server {

TlsSession::TlsSession(ssl_ctx_st* context, int fd) : ssl_(SSL_new(context)) {
  if (!ssl_) return;
  SSL_set_fd(ssl_, fd);
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

Io TlsSession::outcome(int result) {
  if (result > 0) return Io::done;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Io::wait_readable;
    case SSL_ERROR_WANT_WRITE:
      return Io::wait_writable;
    default:
      return Io::closed;
  }
}

Io TlsSession::handshake() {
  if (!ssl_) return Io::closed;
  ERR_clear_error();
  return outcome(SSL_do_handshake(ssl_));
}

Io TlsSession::read(char* to, std::size_t size, std::size_t& count) {
  ERR_clear_error();
  return outcome(SSL_read_ex(ssl_, to, size, &count));
}

Io TlsSession::write(const char* from, std::size_t size, std::size_t& count) {
  ERR_clear_error();
  return outcome(SSL_write_ex(ssl_, from, size, &count));
}

bool TlsSession::has_pending() const { return SSL_has_pending(ssl_) == 1; }

void TlsSession::close() {
  ERR_clear_error();
  if (ssl_ && SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
}

core::Result<std::shared_ptr<TlsContext>> TlsContext::load(const std::string& certificate_path,
                                                           const std::string& key_path) {
  ERR_clear_error();
  const auto failure = [](const std::string& what) {
    char reason[256];
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
    return core::Error{core::ErrorCode::invalid_argument, what + ": " + reason};
  };
  SSL_CTX* raw = SSL_CTX_new(TLS_server_method());
  if (!raw) return failure("TLS can't be set up");
  std::shared_ptr<TlsContext> context(new TlsContext(raw));
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(
      raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  if (SSL_CTX_use_certificate_chain_file(raw, certificate_path.c_str()) != 1)
    return failure("The certificate " + certificate_path + " can't be used");
  if (SSL_CTX_use_PrivateKey_file(raw, key_path.c_str(), SSL_FILETYPE_PEM) != 1)
    return failure("The key " + key_path + " can't be used");
  if (SSL_CTX_check_private_key(raw) != 1)
    return failure("The key " + key_path + " does not belong to the certificate " + certificate_path);
  return context;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

std::unique_ptr<TlsSession> TlsContext::new_session(int fd) {
  return std::make_unique<TlsSession>(context_, fd);
}

}  // namespace mlpd::server
