#include "server/http/httplib_adapter.h"

#include <httplib.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace mlpd::server {
namespace {

/// RFC 9110 date, made once a second and thread.
const std::string& http_date() {
  thread_local std::time_t made_at = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    char buffer[64];
    text.assign(buffer, std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts));
    made_at = now;
  }
  return text;
}

/// Feeds the request line to httplib and keeps what it writes: the answer's head.
class HeadStream final : public httplib::Stream {
 public:
  HeadStream(std::string_view request, std::string& head) : request_(request), head_(head) {}
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override {
    const auto n = std::min(size, request_.size());
    std::memcpy(to, request_.data(), n);
    request_.remove_prefix(n);
    return static_cast<ssize_t>(n);
  }
  ssize_t write(const char* from, std::size_t size) override {
    head_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  // httplib refuses descriptors past FD_SETSIZE, which matters only to select(): it never sees ours.
  socket_t socket() const override { return 0; }

 private:
  std::string_view request_;
  std::string& head_;
};

/// Answers are data: a browser that is made to show one runs and loads nothing (an SVG may style itself).
constexpr std::string_view kDataPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

bool is_field_value(const std::string& value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
}

thread_local Exchange* current = nullptr;

}  // namespace

class HttplibAdapter::Engine : public httplib::Server {
 public:
  Engine() {
    set_pre_routing_handler([](const httplib::Request&, httplib::Response& response) {
      answer(response);
      return HandlerResponse::Handled;
    });
    set_post_routing_handler(
        [](const httplib::Request&, httplib::Response& response) { finish_head(response); });
  }

  bool run(Exchange& exchange) {
    // httplib knows fewer methods than HTTP has, and no answer of ours depends on more than this.
    HeadStream stream(exchange.method == "HEAD" ? "HEAD / HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\n\r\n",
                      exchange.head);
    current = &exchange;
    try {
      process(*this, stream);
      if (exchange.status != 0) add_fields(exchange);
    } catch (...) {
      exchange.status = 0;
    }
    current = nullptr;
    return exchange.status != 0;
  }

 private:
  /// The signature changed between 0.11 (Debian 12) and 0.18 (Debian 13).
  template <class Self>
  static void process(Self& self, httplib::Stream& stream) {
    bool closed = false;
    if constexpr (requires { self.process_request(stream, true, closed, nullptr); })
      self.process_request(stream, true, closed, nullptr);
    else
      self.process_request(stream, std::string(), 0, std::string(), 0, true, closed, nullptr);
  }

  static void answer(httplib::Response& response) {
    Exchange& exchange = *current;
    api::Response answer = exchange.respond();
    exchange.status = response.status = answer.status;
    exchange.stream = std::move(answer.stream);
    if (exchange.stream) exchange.keep_alive = false;
    response.body = exchange.stream ? std::string() : std::move(answer.body);
    fields.swap(answer.headers);
  }

  /// Just before httplib writes the head: takes the body, so that it is never copied, and leaves of the
  /// fields that httplib adds on its own only those that are true.
  static void finish_head(httplib::Response& response) {
    Exchange& exchange = *current;
    exchange.body = std::move(response.body);
    response.body.clear();
    const bool measured = !exchange.stream && response.status != 204 && response.status != 304;
    std::erase_if(response.headers, [&](const auto& field) {
      if (field.first == "Content-Length") return !measured;
      return exchange.keep_alive || field.first != "Connection";
    });
    if (exchange.method == "HEAD") exchange.body.clear();
  }

  /// Adds our own fields at the end of the head, past httplib's slow map and formatting.
  static void add_fields(Exchange& exchange) {
    std::string& head = exchange.head;
    head.resize(head.size() - 2);  // the empty line
    bool has_policy = false;       // a page's own
    for (const auto& [name, value] : fields) {
      if (is_field_value(name) && is_field_value(value)) add_field(head, name, value);
      has_policy = has_policy || name == "Content-Security-Policy";
    }
    if (!has_policy) add_field(head, "Content-Security-Policy", kDataPolicy);
    if (exchange.stream && !exchange.http_1_0) add_field(head, "Transfer-Encoding", "chunked");
    if (exchange.keep_alive && exchange.http_1_0) add_field(head, "Connection", "keep-alive");
    add_field(head, "Date", http_date());
    add_field(head, "X-Request-Id", exchange.request_id);
    head.append("X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nServer: mlpd\r\n\r\n");
    fields.clear();
  }

  static void add_field(std::string& head, std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  }

  static thread_local api::Fields fields;  ///< the handler's, of the exchange that runs
};

thread_local api::Fields HttplibAdapter::Engine::fields;

HttplibAdapter::HttplibAdapter() : engine_(std::make_unique<Engine>()) {}
HttplibAdapter::~HttplibAdapter() = default;

bool HttplibAdapter::run(Exchange& exchange) { return engine_->run(exchange); }

}  // namespace mlpd::server
