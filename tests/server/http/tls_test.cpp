#include "server/http/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "tests/support/listener_fixture.h"

namespace mlpd::server {
namespace {

using test::eventually;
using test::kHello;

/// A self-signed certificate for `name` with a fresh key, in two files.
void write_certificate(const std::string& certificate_path, const std::string& key_path, const char* name) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  X509_sign(certificate, key, EVP_sha256());
  std::FILE* file = std::fopen(certificate_path.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(key_path.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

/// A TLS client over a RawClient's socket.
class TlsClient {
 public:
  explicit TlsClient(int port, int version_max = TLS1_3_VERSION)
      : socket_(port), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, version_max);
    SSL_CTX_set_security_level(context_, 0);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_.fd());
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  std::string version() const { return SSL_get_version(ssl_); }
  std::string name() const {
    X509* const certificate = SSL_get1_peer_certificate(ssl_);
    if (!certificate) return {};
    char text[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
    X509_free(certificate);
    return text;
  }
  void send(const std::string& text) { SSL_write(ssl_, text.data(), static_cast<int>(text.size())); }
  std::string read_through(const std::string& mark) {
    for (;;) {
      if (const auto at = input_.find(mark); at != std::string::npos) {
        const auto taken = input_.substr(0, at + mark.size());
        input_.erase(0, at + mark.size());
        return taken;
      }
      char buffer[16'384];
      const int n = SSL_read(ssl_, buffer, sizeof buffer);
      if (n <= 0) return {};
      input_.append(buffer, static_cast<std::size_t>(n));
    }
  }

 private:
  test::RawClient socket_;
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  bool connected_ = false;
  std::string input_;
};

class TlsTest : public test::ListenerTest {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("mlpd-tls-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    write_certificate(certificate(), key(), "first");
  }
  void TearDown() override {
    ListenerTest::TearDown();
    std::filesystem::remove_all(folder_);
  }
  std::string certificate() const { return folder_ / "certificate.pem"; }
  std::string key() const { return folder_ / "key.pem"; }
  ListenerOptions options() const {
    ListenerOptions options;
    options.tls_certificate_path = certificate();
    options.tls_key_path = key();
    return options;
  }
  std::filesystem::path folder_;
};

TEST_F(TlsTest, ServesManyRequestsOfOneConnection) {
  serve(options());
  TlsClient one(listener_->port());
  ASSERT_TRUE(one.connected());
  EXPECT_EQ(one.version(), "TLSv1.3");
  for (int i = 0; i < 3; ++i) {
    one.send(kHello);
    EXPECT_THAT(one.read_through("hello\n"), testing::HasSubstr("200 OK"));
  }
}

TEST_F(TlsTest, LosesNothingThatOpensslHoldsBack) {
  serve(options());
  TlsClient one(listener_->port());
  std::string requests;
  const std::string body(15'000, 'x');  // several requests in one record, records across the buffer's end
  for (int i = 0; i < 10; ++i) requests += test::post("/echo", body + std::to_string(i) + "!");
  one.send(requests + kHello + kHello);
  for (int i = 0; i < 10; ++i)
    EXPECT_THAT(one.read_through("!"), testing::EndsWith(body + std::to_string(i) + "!"));
  EXPECT_NE(one.read_through("hello\n"), "");
  EXPECT_NE(one.read_through("hello\n"), "");
}

TEST_F(TlsTest, CarriesLargeAnswersAndEventStreams) {
  serve(options());
  TlsClient one(listener_->port());
  one.send("GET /large?bytes=3000000 HTTP/1.1\r\nHost: h\r\n\r\nGET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(one.read_through("\r\n\r\n"), "");
  EXPECT_NE(one.read_through(std::string(3'000'000, 'x')), "");
  EXPECT_NE(one.read_through("\r\n\r\n"), "");
  handler_.streams().back()->publish("data: 1\n\n");
  EXPECT_EQ(one.read_through("\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
}

TEST_F(TlsTest, RefusesOldVersionsAndPlainText) {
  serve(options());
  EXPECT_FALSE(TlsClient(listener_->port(), TLS1_1_VERSION).connected());
  EXPECT_TRUE(TlsClient(listener_->port(), TLS1_2_VERSION).connected());
  auto plain = client();
  plain.send(kHello);
  EXPECT_THAT(plain.rest(), testing::Not(testing::HasSubstr("HTTP")));
  EXPECT_EQ(handler_.handled(), 0);
}

TEST_F(TlsTest, ClosesAHandshakeThatStalls) {
  auto slow = options();
  slow.header_timeout_ms = 200;
  serve(slow);
  auto silent = client();
  EXPECT_TRUE(silent.closed());
}

TEST_F(TlsTest, ReloadsItsCertificate) {
  serve(options());
  TlsClient before(listener_->port());
  EXPECT_EQ(before.name(), "first");
  write_certificate(certificate(), key(), "second");
  EXPECT_TRUE(listener_->reload_certificate().ok());
  EXPECT_EQ(TlsClient(listener_->port()).name(), "second");
  before.send(kHello);
  EXPECT_NE(before.read_through("hello\n"), "");
  std::filesystem::remove(key());
  const auto failed = listener_->reload_certificate();
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().message, testing::HasSubstr(key()));
  EXPECT_EQ(TlsClient(listener_->port()).name(), "second");
}

}  // namespace
}  // namespace mlpd::server
