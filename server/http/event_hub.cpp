#include "server/http/event_hub.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace mlpd::server {
namespace {

constexpr std::uint64_t kMailboxId = 0;
constexpr int kTickMs = 100;  ///< how late a ping or a cut may be, at most
constexpr char kPing[] = ": ping\n\n";
/// What the kernel holds for a reader of events; by itself it would take megabytes for one that stalls.
constexpr int kKernelBytes = 128 << 10;

}  // namespace

struct EventHub::Mailbox {
  std::mutex mutex;
  std::vector<std::uint64_t> woken;
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

  ~Mailbox() { ::close(event); }
  void post(std::uint64_t id) {
    bool first = false;
    {
      const std::lock_guard lock(mutex);
      first = woken.empty();
      woken.push_back(id);
    }
    if (first) ring();
  }
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
  }
};

EventHub::EventHub(EventHubOptions options) : options_(options), mailbox_(std::make_shared<Mailbox>()) {
  epoll_.add(mailbox_->event, EPOLLIN, {.u64 = kMailboxId});
  thread_ = std::thread([this] { run(); });
}

EventHub::~EventHub() { close_all(std::chrono::milliseconds(0)); }

bool EventHub::reserve() {
  if (streams_.fetch_add(1) < options_.streams_max) return true;
  streams_.fetch_sub(1);
  return false;
}

void EventHub::add(std::unique_ptr<Connection> connection, std::shared_ptr<api::EventStream> stream,
                   bool chunked) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      arrivals_.push_back({std::move(connection), std::move(stream), chunked});
      mailbox_->ring();
      return;
    }
  }
  give_back();
}

void EventHub::close_all(std::chrono::milliseconds deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (close_at_us_ == 0)
      close_at_us_ = now_us() + std::chrono::duration_cast<std::chrono::microseconds>(deadline).count();
  }
  mailbox_->ring();
  if (thread_.joinable()) thread_.join();
}

void EventHub::run() {
  epoll_event events[64];
  while (!closing_done()) {
    const bool idle = open_.empty() && !closing_;
    const int count = epoll_.wait(events, idle ? -1 : closing_ ? 10 : kTickMs);
    take_arrivals();
    serve_woken();
    for (int i = 0; i < count; ++i)
      if (events[i].data.u64 != kMailboxId) serve_socket(events[i].data.u64, events[i].events);
    tick();
  }
  while (!open_.empty()) drop(open_.begin()->first);
}

/// On the way out: true once every stream has said its last or time is up, with no stream arriving any more.
bool EventHub::closing_done() {
  const std::lock_guard lock(mutex_);
  if (close_at_us_ == 0) return false;
  if (!closing_) {
    closing_ = true;
    for (auto& [id, stream] : open_) {
      try {
        stream.source->close();
      } catch (...) {  // it gets no closing event, but goes all the same
        stream.ended = true;
      }
      mailbox_->post(id);
    }
  }
  if (!arrivals_.empty() || (!open_.empty() && now_us() < close_at_us_)) return false;
  closed_ = true;
  return true;
}

void EventHub::take_arrivals() {
  std::vector<Arrival> arrivals;
  {
    const std::lock_guard lock(mutex_);
    arrivals.swap(arrivals_);
  }
  for (auto& arrival : arrivals) {
    const std::uint64_t id = next_id_++;
    Stream& stream = open_[id];
    stream.connection = std::move(arrival.connection);
    stream.source = std::move(arrival.source);
    stream.chunked = arrival.chunked;
    stream.progress_us = stream.sent_us = now_us();
    if (!stream.source->bulk())
      ::setsockopt(stream.connection->fd(), SOL_SOCKET, SO_SNDBUF, &kKernelBytes, sizeof kKernelBytes);
    epoll_.add(stream.connection->fd(), EPOLLIN | EPOLLRDHUP, {.u64 = id});
    mailbox_->post(id);
    try {
      stream.source->on_ready([mailbox = mailbox_, id] { mailbox->post(id); });
      if (closing_) stream.source->close();
    } catch (...) {
      drop(id);
    }
  }
}

void EventHub::serve_woken() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(mailbox_->event, &count, sizeof count);
  std::vector<std::uint64_t> woken;
  {
    const std::lock_guard lock(mailbox_->mutex);
    woken.swap(mailbox_->woken);
  }
  std::sort(woken.begin(), woken.end());
  woken.erase(std::unique(woken.begin(), woken.end()), woken.end());
  for (const std::uint64_t id : woken) {
    const auto found = open_.find(id);
    if (found == open_.end()) continue;
    bool alive = false;
    try {
      alive = pump(found->second) && send(id, found->second);
    } catch (...) {  // memory, or a source that breaks its promise: this stream alone ends
    }
    if (!alive) drop(id);
  }
}

void EventHub::enqueue(Stream& stream, const std::string& text) {
  if (!stream.chunked) return stream.connection->queue_more(text);
  char size[20];
  const int length = std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  std::string chunk(size, static_cast<std::size_t>(length));
  chunk.append(text).append("\r\n");
  stream.connection->queue_more(chunk);
}

/// Moves what the source has into the stream's queue; false where the stream must be cut.
bool EventHub::pump(Stream& stream) {
  if (stream.ended) return true;
  const bool was_empty = stream.connection->unsent() == 0;
  if (!was_empty && stream.source->bulk()) return true;  // send() asks again
  const std::string text = stream.source->take();
  if (!text.empty()) {
    enqueue(stream, text);
    stream.sent_us = now_us();
    if (was_empty) stream.progress_us = stream.sent_us;
  }
  if (stream.source->finished()) {
    if (stream.chunked) stream.connection->queue_more("0\r\n\r\n");
    stream.ended = true;
  }
  return stream.connection->unsent() <= options_.queue_bytes_max;
}

/// Sends what the socket takes; false where the stream is over.
bool EventHub::send(std::uint64_t id, Stream& stream) {
  const std::size_t before = stream.connection->unsent();
  const Io io = stream.connection->flush();
  if (io == Io::closed) return false;
  if (stream.connection->unsent() < before) stream.progress_us = now_us();
  if (io == Io::done && stream.ended) {
    stream.connection->finish_sending();
    return false;
  }
  if (io == Io::done && before > 0 && stream.source->bulk()) mailbox_->post(id);
  const bool wants_write = io == Io::wait_writable;
  if (wants_write != stream.wants_write) {
    stream.wants_write = wants_write;
    epoll_.change(stream.connection->fd(), EPOLLIN | EPOLLRDHUP | (wants_write ? EPOLLOUT : 0u), {.u64 = id});
  }
  return true;
}

void EventHub::serve_socket(std::uint64_t id, std::uint32_t events) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  Stream& stream = found->second;
  if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) return drop(id);
  if (events & EPOLLIN) {  // a client has nothing to say here
    char discarded[4096];
    std::size_t count = 0;
    if (stream.connection->receive_into(discarded, sizeof discarded, count) == Io::closed) return drop(id);
  }
  if ((events & EPOLLOUT) && !send(id, stream)) drop(id);
}

void EventHub::drop(std::uint64_t id) {
  open_.erase(id);  // closing the socket takes it out of epoll
  streams_.fetch_sub(1);
}

/// Pings quiet streams and cuts stalled ones.
void EventHub::tick() {
  const std::int64_t now = now_us();
  if (now < next_tick_us_) return;
  next_tick_us_ = now + std::int64_t{kTickMs} * 1000;
  std::vector<std::uint64_t> over;
  for (auto& [id, stream] : open_) {
    if (stream.connection->unsent() > 0) {
      if (now - stream.progress_us > std::int64_t{options_.stalled_timeout_ms} * 1000) over.push_back(id);
    } else if (!stream.ended && !stream.source->bulk() &&
               now - stream.sent_us >= std::int64_t{options_.ping_interval_ms} * 1000) {
      enqueue(stream, kPing);
      stream.sent_us = stream.progress_us = now;
      if (!send(id, stream)) over.push_back(id);
    }
  }
  for (const std::uint64_t id : over) drop(id);
}

}  // namespace mlpd::server
