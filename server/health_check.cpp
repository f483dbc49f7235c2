#include "server/health_check.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <memory>
#include <string>

namespace mlpd::server {
namespace {

constexpr std::size_t kAnswerBytesMax = 4'096;

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

Address asked_address(Address address) {
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return address;
}

/// The beginning of the answer, enough for its status line; empty where nobody answers in time.
std::string answer_of(BIO* bio, const Address& address, std::chrono::seconds timeout) {
  const std::string target = to_string(address);
  BIO_set_conn_hostname(bio, target.c_str());
  if (BIO_do_connect(bio) <= 0) return {};
  const timeval limit{timeout.count(), 0};
  const int socket = static_cast<int>(BIO_get_fd(bio, nullptr));
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const std::string request =
      "GET /v2/health/ready HTTP/1.1\r\nHost: " + target + "\r\nConnection: close\r\n\r\n";
  if (BIO_write(bio, request.data(), static_cast<int>(request.size())) <= 0) return {};
  std::string answer(kAnswerBytesMax, '\0');
  const int size = BIO_read(bio, answer.data(), static_cast<int>(answer.size()));
  answer.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return answer;
}

}  // namespace

core::Result<void> check_health(const Config& config, std::chrono::seconds timeout) {
  const Address address = asked_address(config.listen);
  const Context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  const bool tls = !config.tls_certificate.empty();
  const Bio bio(tls ? BIO_new_ssl_connect(context.get()) : BIO_new(BIO_s_connect()), &BIO_free_all);
  const std::string answer = bio ? answer_of(bio.get(), address, timeout) : std::string();
  if (answer.starts_with("HTTP/1.1 200 ")) return {};
  const std::string line = answer.substr(0, answer.find('\r'));
  return core::Error{core::ErrorCode::unavailable, line.empty()
                                                       ? "no answer from " + to_string(address)
                                                       : to_string(address) + " is not ready: " + line};
}

}  // namespace mlpd::server
