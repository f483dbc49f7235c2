#include "server/http/request_body.h"

#include <poll.h>

#include <algorithm>

namespace mlpd::server {
namespace {

constexpr std::uint64_t kStepBytes = 64u << 10;  ///< a body's buffer starts with this and doubles

BodyStep failed_read(Io io) {
  if (io == Io::wait_readable) return BodyStep::wait_readable;
  return io == Io::wait_writable ? BodyStep::wait_writable : BodyStep::closed;
}

BodyStep failed_decoding(ChunkedDecoder::State state) {
  return state == ChunkedDecoder::State::too_large ? BodyStep::too_large : BodyStep::malformed;
}

}  // namespace

void RequestBody::begin(const RequestHead& head) {
  chunked_ = head.chunked;
  announced_ = head.content_length.value_or(0);
  complete_ = !head.has_body();
  received_ = 0;
}

bool RequestBody::set_limit(std::size_t bytes_max) {
  decoder_ = ChunkedDecoder(bytes_max);
  return announced_ <= bytes_max;
}

void RequestBody::reset() {
  held_.bytes.fetch_sub(counted_);
  counted_ = 0;
  announced_ = received_ = 0;
  complete_ = true;
  chunked_ = false;
}

bool RequestBody::hold(std::size_t bytes) {
  if (bytes <= counted_) return true;
  const std::size_t more = bytes - counted_;
  counted_ = bytes;
  return held_.bytes.fetch_add(more) + more <= held_.bytes_max;
}

BodyStep RequestBody::receive(Connection& connection, std::string& text) {
  if (complete_) return BodyStep::complete;
  return chunked_ ? receive_chunked(connection, text) : receive_sized(connection, text);
}

BodyStep RequestBody::receive_sized(Connection& connection, std::string& text) {
  while (received_ < announced_) {
    if (received_ == text.size()) {
      const auto size = std::min(announced_, std::max(2 * received_, kStepBytes));
      if (!hold(size)) return BodyStep::no_room;
      text.resize(size);
    }
    std::size_t count = 0;
    const BodyStep step = receive_piece(connection, text.data() + received_, text.size() - received_, count);
    if (step != BodyStep::complete) return step;
  }
  return BodyStep::complete;
}

BodyStep RequestBody::receive_chunked(Connection& connection, std::string& text) {
  char piece[16'384];
  while (!complete_) {
    std::size_t count = 0;
    const BodyStep step = receive_piece(connection, piece, sizeof piece, count);
    if (step != BodyStep::complete) return step;
    if (!hold(received_)) return BodyStep::no_room;
    text.append(piece, count);
  }
  return BodyStep::complete;
}

BodyStep RequestBody::receive_piece(Connection& connection, char* to, std::size_t size, std::size_t& count) {
  count = 0;
  while (!complete_ && count == 0) {
    auto input = connection.input();
    if (chunked_) {
      if (input.empty()) {
        if (const Io io = connection.receive(); io != Io::done) return failed_read(io);
        input = connection.input();
      }
      const auto before = input.size();
      std::string_view payload;
      const auto state = decoder_.next(input, size, payload);
      payload.copy(to, payload.size());
      count = payload.size();
      connection.consume(before - input.size());
      if (state == ChunkedDecoder::State::done)
        complete_ = true;
      else if (state != ChunkedDecoder::State::more)
        return failed_decoding(state);
    } else {
      size = std::min<std::uint64_t>(size, announced_ - received_);
      if (input.empty()) {
        if (const Io io = connection.receive_into(to, size, count); io != Io::done) return failed_read(io);
      } else {
        count = input.copy(to, size);
        connection.consume(count);
      }
      complete_ = received_ + count == announced_;
    }
  }
  received_ += count;
  return BodyStep::complete;
}

StreamedBody::StreamedBody(RequestBody& body, Connection& connection, int timeout_ms,
                           std::size_t bytes_per_second_min)
    : body_(body),
      connection_(connection),
      timeout_ms_(timeout_ms),
      bytes_per_second_min_(static_cast<std::int64_t>(bytes_per_second_min)),
      start_us_(now_us()) {}

bool StreamedBody::wait(short events) {
  const auto allowed_ms =
      timeout_ms_ + static_cast<std::int64_t>(body_.received_bytes()) * 1000 / bytes_per_second_min_;
  const auto left_ms = std::min<std::int64_t>(allowed_ms - (now_us() - start_us_) / 1000, 3'600'000);
  return left_ms > 0 && connection_.wait(events, static_cast<int>(left_ms));
}

core::Result<std::size_t> StreamedBody::read(char* buffer, std::size_t size) {
  using core::ErrorCode;
  if (size == 0) return std::size_t{0};
  for (;;) {
    std::size_t count = 0;
    const BodyStep step = body_.receive_piece(connection_, buffer, size, count);
    switch (step) {
      case BodyStep::complete:
        return count;
      case BodyStep::wait_readable:
      case BodyStep::wait_writable:
        if (!wait(step == BodyStep::wait_readable ? POLLIN : POLLOUT))
          return core::Error{ErrorCode::unavailable, "The client sends too slowly."};
        break;
      case BodyStep::closed:
        return core::Error{ErrorCode::unavailable, "The client went away."};
      case BodyStep::malformed:
        return core::Error{ErrorCode::invalid_argument, "The chunked body is malformed."};
      case BodyStep::too_large:
      case BodyStep::no_room:
        return core::Error{ErrorCode::resource_exhausted, "The body is larger than this route allows."};
    }
  }
}

}  // namespace mlpd::server
