#include "server/http/conversation.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <random>

namespace mlpd::server {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr int kLingerTimeoutMs = 2'000;            ///< after a refusal, for what the client still sends
constexpr std::size_t kLingerBytesMax = 1u << 20;  ///< of it, at most
constexpr std::size_t kBodyStepBytes = 64u << 10;  ///< a body's buffer starts with this and doubles
constexpr std::size_t kKeptBodyBytes = 64u << 10;  ///< a larger body's buffer is not kept for the next

std::uint64_t scrambled(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// 16 hexadecimal digits, unlike any before in this process, and unlikely in another.
void make_request_id(std::string& id) {
  static const std::uint64_t start = (std::uint64_t{std::random_device{}()} << 32) ^ std::random_device{}();
  static std::atomic<std::uint64_t> counter{0};
  std::uint64_t bits = scrambled(start + counter.fetch_add(1, std::memory_order_relaxed));
  id.resize(16);
  for (char& digit : id) {
    digit = "0123456789abcdef"[bits & 15];
    bits >>= 4;
  }
}

}  // namespace

/// Reads the body of a route that streams it, waiting for the client within the same bounds as any body.
class Conversation::StreamedBody final : public api::BodyReader {
 public:
  explicit StreamedBody(Conversation& conversation) : c_(conversation) {}

  core::Result<std::size_t> read(char* buffer, std::size_t size) override {
    if (size == 0) return std::size_t{0};
    while (!c_.body_complete_) {
      auto count = c_.chunked_ ? take_chunked(buffer, size) : take_sized(buffer, size);
      if (!count || *count > 0 || c_.body_complete_) return count;
      if (auto more = fill(); !more) return more.error();
    }
    return std::size_t{0};
  }

 private:
  core::Result<std::size_t> take_sized(char* buffer, std::size_t size) {
    const auto input = c_.connection_->input();
    const auto n = std::min<std::uint64_t>({size, input.size(), c_.content_length_ - c_.body_bytes_});
    input.copy(buffer, n);
    c_.connection_->consume(n);
    c_.body_bytes_ += n;
    c_.body_complete_ = c_.body_bytes_ == c_.content_length_;
    return static_cast<std::size_t>(n);
  }

  core::Result<std::size_t> take_chunked(char* buffer, std::size_t size) {
    auto input = c_.connection_->input();
    const auto before = input.size();
    std::string_view payload;
    const auto state = c_.decoder_.next(input, size, payload);
    payload.copy(buffer, payload.size());
    const auto count = payload.size();
    c_.connection_->consume(before - input.size());
    c_.body_bytes_ += count;
    if (state == ChunkedDecoder::State::malformed)
      return core::Error{core::ErrorCode::invalid_argument, "The chunked body is malformed."};
    if (state == ChunkedDecoder::State::too_large)
      return core::Error{core::ErrorCode::resource_exhausted, "The body is larger than this route allows."};
    c_.body_complete_ = state == ChunkedDecoder::State::done;
    return count;
  }

  core::Result<void> fill() {
    if (!c_.connection_->input().empty()) return {};
    for (;;) {
      const Io io = c_.connection_->receive();
      if (io == Io::done) return {};
      if (io == Io::closed) return core::Error{core::ErrorCode::unavailable, "The client went away."};
      const auto rate = static_cast<std::int64_t>(c_.context_.options.transfer_bytes_per_second_min);
      const auto allowed_ms =
          c_.context_.options.body_timeout_ms + static_cast<std::int64_t>(c_.body_bytes_) * 1000 / rate;
      const auto left_ms = allowed_ms - (now_us() - c_.phase_start_us_) / 1000;
      const short events = io == Io::wait_readable ? POLLIN : POLLOUT;
      if (left_ms <= 0 || !c_.connection_->wait(events, static_cast<int>(std::min<std::int64_t>(
                                                            left_ms, std::numeric_limits<int>::max()))))
        return core::Error{core::ErrorCode::unavailable, "The client sends too slowly."};
    }
  }

  Conversation& c_;
};

Conversation::Conversation(ConversationContext& context, std::unique_ptr<Connection> connection)
    : context_(context),
      connection_(std::move(connection)),
      fd_(connection_->fd()),
      phase_(connection_->uses_tls() ? Phase::handshake : Phase::head) {
  set_deadline(now_us() + std::int64_t{context_.options.header_timeout_ms} * 1000);
  exchange_.respond = [this](api::Fields query) { return handle(std::move(query)); };
}

Conversation::~Conversation() { context_.bodies_bytes.fetch_sub(counted_bytes_); }

void Conversation::expire() {
  set_deadline(kNever);
  expired_.store(true);
  ::shutdown(fd_,
             sending_.load() ? SHUT_RDWR : SHUT_RD);  // epoll reports it: the owner sees the end of input
}

void Conversation::close_if_idle() {
  if (idle_.load()) ::shutdown(fd_, SHUT_RD);
}

void Conversation::cut() { ::shutdown(fd_, SHUT_RDWR); }

Conversation::Next Conversation::advance(bool health_only) {
  may_read_ = true;
  while (step(health_only)) {
  }
  return next_;
}

bool Conversation::step(bool health_only) {
  switch (phase_) {
    case Phase::handshake:
      return shake_hands();
    case Phase::head:
      return read_head();
    case Phase::body:
      return read_body();
    case Phase::ready:
      return run(health_only);
    case Phase::writing:
      return write_answer();
    case Phase::lingering:
      return linger();
  }
  return wait(Next::close);
}

bool Conversation::shake_hands() {
  switch (connection_->handshake()) {
    case Io::done:
      phase_ = Phase::head;
      return true;
    case Io::wait_readable:
      return wait(Next::readable);
    case Io::wait_writable:
      return wait(Next::writable);
    case Io::closed:
      break;
  }
  return wait(Next::close);
}

/// What a read that brought nothing means; returns false with next_ set, or refuses.
bool Conversation::after_input(Io io) {
  if (io == Io::wait_readable) return wait(Next::readable);
  if (io == Io::wait_writable) return wait(Next::writable);
  if (expired_.load() && !idle_.load()) return refuse(408, "The request did not arrive in time.");
  return wait(Next::close);
}

bool Conversation::read_head() {
  for (;;) {
    auto input = connection_->input();
    while (input.size() >= 2 && input.substr(0, 2) == "\r\n") {  // RFC 9112, 2.2: robust after a body
      connection_->consume(2);
      input = connection_->input();
    }
    if (!input.empty() && idle_.load(std::memory_order_relaxed)) {
      idle_.store(false);
      set_deadline(now_us() + std::int64_t{context_.options.header_timeout_ms} * 1000);
    }
    if (input.size() >= 2) {
      const auto state = scanner_.scan(input);
      if (state == HeadScanner::State::complete) return begin_request(scanner_.size());
      if (state == HeadScanner::State::malformed) return refuse(400, "A header line does not end in CR LF.");
    }
    if (connection_->full()) return refuse(431, "The request's header is too large.");
    if (!may_read_) return wait(Next::readable);
    const Io io = connection_->receive();
    may_read_ = !connection_->drained();
    if (io != Io::done) return after_input(io);
  }
}

bool Conversation::begin_request(std::size_t head_bytes) {
  started_us_ = now_us();
  phase_start_us_ = started_us_;
  set_deadline(kNever);
  const auto refusal =
      parse_head(connection_->input().substr(0, head_bytes), context_.options.header_fields_max, head_);
  method_.assign(head_.method);
  raw_query_.assign(head_.query);
  http_1_0_ = head_.http_1_0;
  keep_alive_ = head_.keep_alive;
  chunked_ = head_.chunked;
  content_length_ = head_.content_length.value_or(0);
  body_complete_ = !head_.has_body();
  request_.method = method_ == "HEAD" ? "GET" : method_;
  request_.headers.resize(head_.fields.size());
  for (std::size_t i = 0; i < head_.fields.size(); ++i) {
    request_.headers[i].first.assign(head_.fields[i].name);
    request_.headers[i].second.assign(head_.fields[i].value);
  }
  const auto id = head_.field("x-request-id");
  if (id && is_request_id(*id))
    request_.request_id.assign(*id);
  else
    make_request_id(request_.request_id);
  request_.remote_address.assign(connection_->remote_address());
  auto path = decode_path(head_.path);
  const bool expects_continue = head_.expects_continue;
  connection_->consume(head_bytes);
  scanner_.reset();
  if (path) request_.path = std::move(*path);
  if (refusal) return refuse(refusal.status, refusal.detail);
  if (!path) return refuse(400, "The path has a broken escape or a control byte.");
  if (!admit()) return false;
  const bool reads_body = phase_ == Phase::body || (phase_ == Phase::ready && route_.streams_body);
  if (expects_continue && reads_body && !body_complete_ && connection_->input().empty()) {
    connection_->queue_more("HTTP/1.1 100 Continue\r\n\r\n");
    if (connection_->flush() == Io::closed) return wait(Next::close);
  }
  return true;
}

/// Routes, asks the gate and checks what is known of the body; the next phase says what came of it.
bool Conversation::admit() {
  route_ = context_.handler.route(request_.method, request_.path);
  if (context_.gate) {
    if (auto refusal = context_.gate(route_, request_))
      return respond_with(std::move(*refusal), keep_alive_ && body_complete_);
  }
  body_limit_ = std::min(route_.body_bytes_max, context_.options.body_bytes_max);
  if (!route_.found) {  // the handler says so; an announced body is not read
    phase_ = Phase::ready;
    return true;
  }
  if (content_length_ > body_limit_) return refuse(413, "The body is larger than this route allows.");
  decoder_ = ChunkedDecoder(body_limit_);
  phase_ = body_complete_ || route_.streams_body ? Phase::ready : Phase::body;
  if (phase_ == Phase::body) allow_transfer(content_length_, context_.options.body_timeout_ms);
  return true;
}

void Conversation::allow_transfer(std::uint64_t bytes, int timeout_ms) {
  const auto rate = context_.options.transfer_bytes_per_second_min;
  set_deadline(phase_start_us_ + std::int64_t{timeout_ms} * 1000 +
               static_cast<std::int64_t>(bytes * 1'000'000 / rate));
}

bool Conversation::read_body() { return chunked_ ? read_chunked_body() : read_sized_body(); }

/// Counts `size` body bytes against the listener's total.
bool Conversation::keep_body(std::size_t size) {
  if (size <= counted_bytes_) return true;
  const auto total = context_.bodies_bytes.fetch_add(size - counted_bytes_) + size - counted_bytes_;
  counted_bytes_ = size;
  return total <= context_.options.bodies_bytes_max;
}

bool Conversation::read_sized_body() {
  auto& body = request_.body;
  for (;;) {
    if (body_bytes_ == body.size()) {
      const auto size = std::min<std::uint64_t>(content_length_, std::max(2 * body_bytes_, kBodyStepBytes));
      if (!keep_body(size))
        return refuse(503, "The server holds as many request bodies as it may; try again.");
      body.resize(size);
    }
    const auto input = connection_->input();
    std::size_t count = std::min<std::size_t>(input.size(), body.size() - body_bytes_);
    if (count > 0) {
      input.copy(body.data() + body_bytes_, count);
      connection_->consume(count);
    } else if (const Io io =
                   connection_->receive_into(body.data() + body_bytes_, body.size() - body_bytes_, count);
               io != Io::done) {
      return after_input(io);
    }
    body_bytes_ += count;
    if (body_bytes_ == content_length_) break;
  }
  may_read_ = !connection_->drained();
  body_complete_ = true;
  phase_ = Phase::ready;
  return true;
}

bool Conversation::read_chunked_body() {
  for (;;) {
    auto input = connection_->input();
    const auto before = input.size();
    auto state = ChunkedDecoder::State::more;
    while (!input.empty() && state == ChunkedDecoder::State::more) {
      std::string_view payload;
      state = decoder_.next(input, before, payload);
      request_.body.append(payload);
    }
    connection_->consume(before - input.size());
    body_bytes_ = request_.body.size();
    if (state == ChunkedDecoder::State::malformed) return refuse(400, "The chunked body is malformed.");
    if (state == ChunkedDecoder::State::too_large)
      return refuse(413, "The body is larger than this route allows.");
    if (!keep_body(body_bytes_))
      return refuse(503, "The server holds as many request bodies as it may; try again.");
    if (state == ChunkedDecoder::State::done) break;
    const Io io = connection_->receive();
    if (io != Io::done) {
      allow_transfer(body_bytes_, context_.options.body_timeout_ms);
      return after_input(io);
    }
  }
  may_read_ = !connection_->drained();
  body_complete_ = true;
  phase_ = Phase::ready;
  return true;
}

bool Conversation::is_health() const {
  return request_.path == "/v2/health/live" || request_.path == "/v2/health/ready";
}

bool Conversation::run(bool health_only) {
  set_deadline(kNever);
  if (health_only && !is_health()) return wait(Next::run);
  return answer();
}

/// The handler's answer; called by the adapter with the decoded query. Lets no exception out.
api::Response Conversation::handle(api::Fields query) {
  request_.query = std::move(query);
  api::Response response;
  try {
    StreamedBody reader(*this);
    request_.body_stream = route_.found && route_.streams_body ? &reader : nullptr;
    response = checked(context_.handler.handle(request_));
    request_.body_stream = nullptr;
  } catch (const std::exception& exception) {
    error_ = exception.what();
  } catch (...) {
    error_ = "an exception of unknown type";
  }
  request_.body_stream = nullptr;
  if (!error_.empty())
    response = context_.handler.refuse(500, request_.path, "The server failed; its log knows the request id.",
                                       request_.request_id);
  exchange_.keep_alive = keep_alive_ && body_complete_ && !context_.draining.load(std::memory_order_relaxed);
  return response;
}

api::Response Conversation::checked(api::Response response) {
  if (response.status < 200 || response.status > 599) throw std::out_of_range("the handler's status");
  if (!response.stream) return response;
  if (method_ == "HEAD")
    response.stream.reset();
  else if (!context_.hub.reserve())
    return context_.handler.refuse(503, request_.path, "All event streams are taken; try again later.",
                                   request_.request_id);
  return response;
}

bool Conversation::refuse(int status, std::string_view detail) {
  idle_.store(false);
  if (request_.request_id.empty()) make_request_id(request_.request_id);
  return respond_with(context_.handler.refuse(status, request_.path, detail, request_.request_id), false);
}

/// Answers without the handler.
bool Conversation::respond_with(api::Response response, bool keep_alive) {
  const auto respond = std::exchange(exchange_.respond, [&](api::Fields) {
    exchange_.keep_alive = keep_alive && !context_.draining.load(std::memory_order_relaxed);
    return std::move(response);
  });
  const bool alive = answer();
  exchange_.respond = respond;
  return alive;
}

/// Lets the adapter make the answer and queues it.
bool Conversation::answer() {
  exchange_.method = method_.empty() ? std::string_view("GET") : std::string_view(method_);
  exchange_.query = raw_query_;
  exchange_.http_1_0 = http_1_0_;
  exchange_.request_id = request_.request_id;
  exchange_.head.clear();
  exchange_.status = 0;
  set_deadline(kNever);
  if (!context_.adapter.run(exchange_)) {
    if (exchange_.stream) context_.hub.give_back();
    return wait(Next::close);
  }
  answer_bytes_ = exchange_.head.size() + exchange_.body.size();
  connection_->queue(exchange_.head, std::move(exchange_.body));
  exchange_.body.clear();
  if (exchange_.stream) {
    finish_request();
    return wait(Next::stream);
  }
  phase_ = Phase::writing;
  sending_.store(true);
  return true;
}

bool Conversation::write_answer() {
  switch (connection_->flush()) {
    case Io::done:
      break;
    case Io::wait_readable:
    case Io::wait_writable:
      if (deadline_us() == kNever) {
        phase_start_us_ = now_us();
        allow_transfer(connection_->unsent(), context_.options.write_timeout_ms);
      }
      return wait(Next::writable);
    case Io::closed:
      keep_alive_ = exchange_.keep_alive = false;
      finish_request();
      return wait(Next::close);
  }
  finish_request();
  const auto now = now_us();
  if (!exchange_.keep_alive) {
    if (body_complete_ && connection_->input().empty()) return wait(Next::close);
    // Closing with unread input would make the kernel reset the connection, answer and all.
    connection_->finish_sending();
    phase_ = Phase::lingering;
    set_deadline(now + std::int64_t{kLingerTimeoutMs} * 1000);
    return true;
  }
  reset_request();
  set_deadline(now + std::int64_t{context_.options.idle_timeout_ms} * 1000);
  return true;
}

bool Conversation::linger() {
  char discarded[16'384];
  while (lingered_bytes_ <= kLingerBytesMax) {
    std::size_t count = 0;
    const Io io = connection_->receive_into(discarded, sizeof discarded, count);
    if (io == Io::closed) break;
    if (io != Io::done) return wait(io == Io::wait_readable ? Next::readable : Next::writable);
    lingered_bytes_ += count;
  }
  return wait(Next::close);
}

void Conversation::finish_request() {
  context_.requests_total.fetch_add(1, std::memory_order_relaxed);
  if (!context_.observer) return;
  RequestRecord record;
  record.method = method_;
  record.path = request_.path;
  record.pattern = route_.pattern;
  record.status = exchange_.status;
  record.duration_us = started_us_ == 0 ? 0 : now_us() - started_us_;
  record.bytes_in = body_bytes_;
  record.bytes_out = answer_bytes_;
  record.request_id = request_.request_id;
  record.remote_address = connection_->remote_address();
  record.key_id = request_.key_id;
  record.error = error_;
  context_.observer(record);
}

void Conversation::reset_request() {
  phase_ = Phase::head;
  sending_.store(false);
  context_.bodies_bytes.fetch_sub(counted_bytes_);
  counted_bytes_ = 0;
  body_bytes_ = 0;
  if (request_.body.capacity() > kKeptBodyBytes)
    request_.body = std::string();
  else
    request_.body.clear();
  request_.path.clear();
  request_.key_id.clear();
  request_.request_id.clear();
  method_.clear();
  raw_query_.clear();
  route_ = api::RouteInfo();
  body_complete_ = true;
  error_.clear();
  started_us_ = 0;
  idle_.store(true);
}

void Conversation::hand_over() {
  connection_->release_input();
  context_.hub.add(std::move(connection_), std::move(exchange_.stream), !http_1_0_);
}

}  // namespace mlpd::server
