#include "server/http/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace mlpd::server {

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Connection::Connection(int fd, std::string remote_address, std::size_t buffer_bytes,
                       std::unique_ptr<TlsSession> tls)
    : fd_(fd),
      remote_address_(std::move(remote_address)),
      tls_(std::move(tls)),
      capacity_(buffer_bytes),
      buffer_(new char[buffer_bytes]) {}

Connection::~Connection() {
  if (tls_) tls_->close();
  ::close(fd_);
}

Io Connection::handshake() { return tls_ ? tls_->handshake() : Io::done; }

void Connection::consume(std::size_t size) {
  begin_ += size;
  if (begin_ == end_) begin_ = end_ = 0;
}

Io Connection::read_once(char* to, std::size_t size, std::size_t& count) {
  count = 0;
  if (tls_) {
    const Io io = tls_->read(to, size, count);
    drained_ = io != Io::done;
    return io;
  }
  for (;;) {
    const ssize_t n = ::recv(fd_, to, size, 0);
    if (n > 0) {
      count = static_cast<std::size_t>(n);
      drained_ = count < size;
      return Io::done;
    }
    if (n < 0 && errno == EINTR) continue;
    drained_ = true;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? Io::wait_readable : Io::closed;
  }
}

Io Connection::receive() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  std::size_t count = 0;
  const Io io = read_once(buffer_.get() + end_, capacity_ - end_, count);
  end_ += count;
  return io;
}

Io Connection::receive_into(char* to, std::size_t size, std::size_t& count) {
  return read_once(to, size, count);
}

bool Connection::drained() const { return drained_; }

void Connection::queue(std::string& head, std::string body) {
  constexpr std::size_t kCopiedBytes = 4'096;  // below, a copy costs less than a second part
  if (body.size() <= kCopiedBytes) {
    head.append(body);
    body.clear();
  }
  if (unsent() == 0) {
    head_.swap(head);
    body_ = std::move(body);
    sent_ = 0;
    return;
  }
  head_.append(body_).append(head);  // a 100 Continue that has not left yet
  body_ = std::move(body);
}

void Connection::queue_more(std::string_view bytes) {
  if (sent_ > head_.size() / 2) {
    head_.erase(0, sent_);
    sent_ = 0;
  }
  head_.append(bytes);
}

Io Connection::flush() {
  const Io io = tls_ ? flush_tls() : flush_plain();
  if (io == Io::done) {
    head_.clear();
    if (body_.capacity() > 65'536)
      body_ = std::string();
    else
      body_.clear();
    sent_ = 0;
  }
  return io;
}

ssize_t Connection::send_once() {
  if (body_.empty()) return ::send(fd_, head_.data() + sent_, head_.size() - sent_, MSG_NOSIGNAL);
  iovec parts[2];
  int count = 0;
  if (sent_ < head_.size()) parts[count++] = {head_.data() + sent_, head_.size() - sent_};
  const std::size_t from = sent_ > head_.size() ? sent_ - head_.size() : 0;
  if (from < body_.size()) parts[count++] = {body_.data() + from, body_.size() - from};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd_, &message, MSG_NOSIGNAL);
}

Io Connection::flush_plain() {
  while (unsent() > 0) {
    const ssize_t n = send_once();
    if (n >= 0)
      sent_ += static_cast<std::size_t>(n);
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
      return Io::wait_writable;
    else if (errno != EINTR)
      return Io::closed;
  }
  return Io::done;
}

Io Connection::flush_tls() {
  constexpr std::size_t kRecordBytes = 16'384;
  if (sent_ == 0 && !body_.empty() && head_.size() + body_.size() <= kRecordBytes) {
    head_ += body_;  // one record
    body_.clear();
  }
  while (unsent() > 0) {
    const bool in_head = sent_ < head_.size();
    const std::string& part = in_head ? head_ : body_;
    const std::size_t from = in_head ? sent_ : sent_ - head_.size();
    std::size_t count = 0;
    const Io io = tls_->write(part.data() + from, part.size() - from, count);
    if (io != Io::done) return io;
    sent_ += count;
  }
  return Io::done;
}

void Connection::finish_sending() {
  if (tls_) tls_->close();
  ::shutdown(fd_, SHUT_WR);
}

bool Connection::wait(short events, int timeout_ms) const {
  if (tls_ && (events & POLLIN) && tls_->has_pending()) return true;
  pollfd entry{fd_, events, 0};
  const std::int64_t end = now_us() + std::int64_t{timeout_ms} * 1000;
  for (;;) {
    const int left = static_cast<int>((end - now_us() + 999) / 1000);
    const int n = ::poll(&entry, 1, left < 0 ? 0 : left);
    if (n >= 0 || errno != EINTR) return n > 0;
  }
}

}  // namespace mlpd::server
