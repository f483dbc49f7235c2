#include "server/http/conversation.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <random>

#include "server/http/cross_origin.h"

namespace mlpd::server {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr int kLingerTimeoutMs = 2'000;            ///< after a refusal, for what the client still sends
constexpr std::size_t kLingerBytesMax = 1u << 20;  ///< of it, at most
constexpr std::size_t kKeptBodyBytes = 64u << 10;  ///< a larger body's buffer is not kept for the next

constexpr std::string_view kFailed = "The server failed; its log knows the request id.";

std::uint64_t scrambled(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// Unlike any before in this process, and unlikely in another.
std::uint64_t fresh_bits() {
  static const std::uint64_t start = (std::uint64_t{std::random_device{}()} << 32) ^ std::random_device{}();
  static std::atomic<std::uint64_t> counter{0};
  return scrambled(start + counter.fetch_add(1, std::memory_order_relaxed));
}

/// 16 hexadecimal digits.
void make_request_id(std::string& id) {
  std::uint64_t bits = fresh_bits();
  id.resize(16);
  for (char& digit : id) {
    digit = "0123456789abcdef"[bits & 15];
    bits >>= 4;
  }
}

}  // namespace

Conversation::Conversation(ConversationContext& context, std::unique_ptr<Connection> connection)
    : context_(context),
      connection_(std::move(connection)),
      fd_(connection_->fd()),
      phase_(connection_->uses_tls() ? Phase::handshake : Phase::head),
      body_(context.held_bodies) {
  set_deadline(now_us() + std::int64_t{context_.options.header_timeout_ms} * 1000);
  exchange_.respond = [this] { return handle(); };
}

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

Conversation::Next Conversation::advance(Turn turn) {
  turn_.load(std::memory_order_acquire);  // see pass_on()
  may_read_ = true;
  while (step(turn)) {
  }
  return next_;
}

bool Conversation::step(Turn turn) {
  switch (phase_) {
    case Phase::handshake:
      return shake_hands();
    case Phase::head:
      return read_head();
    case Phase::body:
      return read_body();
    case Phase::ready:
      return run(turn);
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

bool Conversation::input_ended() {
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
    const bool begins = !input.empty() && idle_.load(std::memory_order_relaxed);
    if (begins) idle_.store(false);
    if (input.size() >= 2) {
      const auto state = scanner_.scan(input);
      if (state == HeadScanner::State::complete) return begin_request(scanner_.size());
      if (state == HeadScanner::State::malformed) return refuse(400, "A header line does not end in CR LF.");
    }
    if (begins) set_deadline(now_us() + std::int64_t{context_.options.header_timeout_ms} * 1000);
    if (connection_->full()) return refuse(431, "The request's header is too large.");
    if (!may_read_) return wait(Next::readable);
    const Io io = connection_->receive();
    may_read_ = !connection_->drained();
    if (io == Io::closed) return input_ended();
    if (io != Io::done) return wait(io == Io::wait_readable ? Next::readable : Next::writable);
  }
}

bool Conversation::begin_request(std::size_t head_bytes) {
  started_us_ = now_us();
  phase_start_us_ = started_us_;
  set_deadline(kNever);
  const auto refusal =
      parse_head(connection_->input().substr(0, head_bytes), context_.options.header_fields_max, head_);
  method_.assign(head_.method);
  http_1_0_ = head_.http_1_0;
  keep_alive_ = head_.keep_alive;
  body_.begin(head_);
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
  if (const auto traceparent = head_.field("traceparent")) trace_ = read_traceparent(*traceparent);
  request_.remote_address.assign(connection_->remote_address());
  auto path = decode_path(head_.path);
  auto query = decode_query(head_.query);
  const bool expects_continue = head_.expects_continue;
  request_.path = path ? std::move(*path) : std::string(head_.path);
  connection_->consume(head_bytes);
  scanner_.reset();
  if (query) request_.query = std::move(*query);
  if (refusal) return refuse(refusal.status, refusal.detail);
  if (!path) return refuse(400, "The path has a broken escape or a control byte.");
  if (!query) return refuse(400, "The query has a broken escape: write a percent sign as %25.");
  try {
    if (!admit()) return false;
  } catch (const std::exception& exception) {
    error_ = exception.what();
    return refuse(500, kFailed);
  }
  const bool reads_body = phase_ == Phase::body || (phase_ == Phase::ready && route_.streams_body);
  if (expects_continue && reads_body && !body_.complete() && connection_->input().empty()) {
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
      return respond_with(std::move(*refusal), keep_alive_ && body_.complete());
  }
  if (!route_.found) {  // the handler says so; an announced body is not read
    phase_ = Phase::ready;
    return true;
  }
  if (!body_.set_limit(std::min(route_.body_bytes_max, context_.options.body_bytes_max)))
    return refuse(413, "The body is larger than this route allows.");
  phase_ = body_.complete() || route_.streams_body ? Phase::ready : Phase::body;
  return true;
}

void Conversation::allow_transfer(std::uint64_t bytes, int timeout_ms) {
  const auto rate = context_.options.transfer_bytes_per_second_min;
  set_deadline(phase_start_us_ + std::int64_t{timeout_ms} * 1000 +
               static_cast<std::int64_t>(bytes * 1'000'000 / rate));
}

bool Conversation::read_body() {
  switch (body_.receive(*connection_, request_.body)) {
    case BodyStep::complete:
      may_read_ = !connection_->drained();
      phase_ = Phase::ready;
      return true;
    case BodyStep::wait_readable:
      allow_transfer(std::max(body_.announced_bytes(), body_.received_bytes()),
                     context_.options.body_timeout_ms);
      return wait(Next::readable);
    case BodyStep::wait_writable:
      return wait(Next::writable);
    case BodyStep::closed:
      return input_ended();
    case BodyStep::malformed:
      return refuse(400, "The chunked body is malformed.");
    case BodyStep::too_large:
      return refuse(413, "The body is larger than this route allows.");
    case BodyStep::no_room:
      return refuse(503, "The server holds as many request bodies as it may; try again later.");
  }
  return wait(Next::close);
}

bool Conversation::is_health() const {
  return request_.path == "/v2/health/live" || request_.path == "/v2/health/ready";
}

bool Conversation::run(Turn turn) {
  set_deadline(kNever);
  if (turn == Turn::health && !is_health()) return wait(Next::run);
  if (!answer()) return false;
  return turn == Turn::answer ? wait(Next::send) : true;
}

/// The handler's answer; called by the adapter. Lets no exception of the handler out.
api::Response Conversation::handle() {
  api::Response response;
  try {
    std::optional<StreamedBody> reader;
    if (route_.found && route_.streams_body)
      request_.body_stream = &reader.emplace(body_, *connection_, context_.options.body_timeout_ms,
                                             context_.options.transfer_bytes_per_second_min);
    response = checked(context_.handler.handle(request_));
    request_.body_stream = nullptr;
  } catch (const std::exception& exception) {
    error_ = exception.what();
  } catch (...) {
    error_ = "an exception of unknown type";
  }
  request_.body_stream = nullptr;
  if (!error_.empty()) response = context_.handler.refuse(500, request_.path, kFailed, request_.request_id);
  exchange_.keep_alive =
      keep_alive_ && body_.complete() && !context_.draining.load(std::memory_order_relaxed);
  add_shared_fields(response);
  return response;
}

/// What every answer carries, whoever gave it.
void Conversation::add_shared_fields(api::Response& response) {
  add_cross_origin_fields(context_.options.cors_origins, request_, response);
  if (trace_) response.set_header("Traceparent", write_traceparent(*trace_, fresh_bits()));
  location_.assign(response.header("Location").value_or(""));
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
  const auto respond = std::exchange(exchange_.respond, [&] {
    exchange_.keep_alive = keep_alive && !context_.draining.load(std::memory_order_relaxed);
    add_shared_fields(response);
    return std::move(response);
  });
  const bool alive = answer();
  exchange_.respond = respond;
  return alive;
}

/// Lets the adapter make the answer and queues it.
bool Conversation::answer() {
  exchange_.method = method_.empty() ? std::string_view("GET") : std::string_view(method_);
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
    finish_request(now_us());
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
      finish_request(now_us());
      return wait(Next::close);
  }
  const auto now = now_us();
  finish_request(now);
  if (!exchange_.keep_alive) {
    if (body_.complete() && connection_->input().empty()) return wait(Next::close);
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

void Conversation::finish_request(std::int64_t end_us) {
  context_.requests_total.fetch_add(1, std::memory_order_relaxed);
  if (!context_.observer) return;
  RequestRecord record;
  record.method = method_;
  record.path = request_.path;
  record.pattern = route_.pattern;
  record.status = exchange_.status;
  record.duration_us = started_us_ == 0 ? 0 : end_us - started_us_;
  record.bytes_in = body_.received_bytes();
  record.bytes_out = answer_bytes_;
  record.request_id = request_.request_id;
  record.remote_address = connection_->remote_address();
  record.key_id = request_.key_id;
  if (trace_) record.trace_id = trace_->trace_id;
  record.scope = route_.scope;
  record.network = route_.network;
  record.location = location_;
  record.error = error_;
  context_.observer(record);
}

void Conversation::reset_request() {
  phase_ = Phase::head;
  sending_.store(false);
  body_.reset();
  if (request_.body.capacity() > kKeptBodyBytes)
    request_.body = std::string();
  else
    request_.body.clear();
  request_.path.clear();
  request_.key_id.clear();
  request_.request_id.clear();
  method_.clear();
  request_.query.clear();
  route_ = api::RouteInfo();
  trace_.reset();
  error_.clear();
  started_us_ = 0;
  idle_.store(true);
}

void Conversation::hand_over() {
  connection_->release_input();
  context_.hub.add(std::move(connection_), std::move(exchange_.stream), !http_1_0_);
}

}  // namespace mlpd::server
