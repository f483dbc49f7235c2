#include "server/http/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "server/http/connection.h"
#include "server/http/conversation.h"
#include "server/http/epoll.h"
#include "server/http/event_hub.h"
#include "server/http/httplib_adapter.h"
#include "server/http/listening_socket.h"
#include "server/http/tls.h"
#include "server/http/worker_pool.h"

namespace mlpd::server {
namespace {

constexpr int kWatchTickMs = 5;     ///< while requests run
constexpr int kWorkBatch = 16;      ///< connections that a worker takes from epoll at once
constexpr int kSweepMs = 100;       ///< how late a deadline may be enforced
constexpr int kAcceptPauseMs = 50;  ///< after accept() failed for want of descriptors or memory
constexpr int kStreamCloseMs = 2'000;
constexpr std::int64_t kSendLaterUs = 100;  ///< how long an answer may wait for others' to be made

void ring(int event) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
}

void hush(int event) {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(event, &count, sizeof count);
}

}  // namespace

class Listener::Impl {
 public:
  Impl(ListenerOptions options, api::Handler& handler, RequestObserver observer, RequestGate gate)
      : options_(std::move(options)),
        handler_(handler),
        observer_(std::move(observer)),
        gate_(std::move(gate)) {}
  ~Impl() {
    stop(std::chrono::milliseconds(0));
    for (const int fd : {poke_, stop_event_, wake_, listen_fd_.load()})
      if (fd >= 0) ::close(fd);
  }

  core::Result<void> start();
  int port() const { return port_.load(); }
  bool stop(std::chrono::milliseconds deadline);
  core::Result<void> reload_certificate();
  ListenerStatistics statistics() const;

 private:
  using Next = Conversation::Next;
  using Turn = Conversation::Turn;

  void* wait_for_work();
  Conversation* take_pending();
  void serve(Conversation* conversation, Turn turn);
  void arm(Conversation* conversation, std::uint32_t events, bool first = false);
  void remove(Conversation* conversation, bool hand_over);
  void became_busy() {
    if (watch_sleeps_.load()) ring(wake_);
  }

  void watch();
  int watch_timeout();
  void accept_all();
  void admit(int fd, const sockaddr_storage& address);
  void pause_accepting();
  void resume_accepting();
  void help_out();
  void sweep();
  template <class Act>
  void for_each(Act act) {
    const std::lock_guard lock(mutex_);
    for (Conversation* conversation : conversations_) act(*conversation);
  }
  bool wait_until_empty(std::chrono::milliseconds deadline);
  std::size_t open_conversations() const { return open_.load(); }

  const ListenerOptions options_;
  api::Handler& handler_;
  const RequestObserver observer_;
  const RequestGate gate_;
  HttplibAdapter adapter_;
  std::unique_ptr<EventHub> hub_;
  std::unique_ptr<ConversationContext> context_;
  std::unique_ptr<WorkerPool> workers_;
  std::thread watcher_;

  Epoll shared_epoll_;   ///< all conversations, one-shot; workers wait here
  Epoll watch_epoll_;    ///< the listening socket and wake_
  int poke_ = -1;        ///< makes a worker look into pending_
  int stop_event_ = -1;  ///< makes all workers look whether to go on
  int wake_ = -1;        ///< makes the watcher look around
  std::atomic<int> listen_fd_{-1};
  std::atomic<int> port_{0};
  std::atomic<bool> watch_sleeps_{false};
  std::atomic<bool> stop_watching_{false};
  std::atomic<bool> stop_accepting_{false};
  std::int64_t accept_again_us_ = 0;  ///< watcher only; 0 = accepting
  std::int64_t next_sweep_us_ = 0;    ///< watcher only

  mutable std::mutex mutex_;  ///< conversations_, pending_, answered_, answered_us_, tls_
  std::condition_variable emptied_;
  std::unordered_set<Conversation*> conversations_;
  std::deque<Conversation*> pending_;          ///< ready connections that no worker has taken yet
  std::deque<Conversation*> answered_;         ///< whose answers are made and not sent yet
  std::int64_t answered_us_ = 0;               ///< since when answered_ has any
  std::atomic<std::size_t> pending_count_{0};  ///< in both
  std::atomic<int> waiting_workers_{0};
  std::shared_ptr<TlsContext> tls_;
  std::atomic<std::size_t> open_{0};
  std::atomic<std::uint64_t> accepted_{0};

  std::mutex stop_mutex_;
  bool stopped_ = false;  ///< guarded by stop_mutex_
  bool clean_ = true;
};

core::Result<void> Listener::Impl::start() {
  if (!options_.tls_certificate_path.empty())
    if (auto loaded = reload_certificate(); !loaded) return loaded;
  auto listening = listen_on(options_.host, options_.port);
  if (!listening) return listening.error();
  listen_fd_ = *listening;
  port_ = bound_port(listen_fd_);
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  poke_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  stop_event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!shared_epoll_.valid() || !watch_epoll_.valid() || poke_ < 0 || stop_event_ < 0 || wake_ < 0)
    return core::Error{core::ErrorCode::unavailable,
                       std::string("The listener can't be set up: ") + std::strerror(errno)};
  shared_epoll_.add(poke_, EPOLLIN | EPOLLET, {.ptr = &poke_});
  shared_epoll_.add(stop_event_, EPOLLIN, {.ptr = &stop_event_});
  watch_epoll_.add(wake_, EPOLLIN, {.fd = wake_});
  watch_epoll_.add(listen_fd_, EPOLLIN, {.fd = listen_fd_});
  hub_ = std::make_unique<EventHub>(
      EventHubOptions{options_.event_streams_max, options_.stream_queue_bytes_max, options_.ping_interval_ms,
                      options_.stalled_stream_timeout_ms});
  context_.reset(new ConversationContext{options_, handler_, observer_, gate_, adapter_, *hub_});
  WorkerPool::Work work;
  work.wait = [this] { return wait_for_work(); };
  work.perform = [this](void* piece) {
    serve(static_cast<Conversation*>(piece), pending_count_ > 0 ? Turn::answer : Turn::whole);
  };
  work.became_busy = [this] { became_busy(); };
  workers_ = std::make_unique<WorkerPool>(options_.http_threads, options_.http_threads_max, std::move(work));
  watcher_ = std::thread([this] { watch(); });
  return {};
}

core::Result<void> Listener::Impl::reload_certificate() {
  if (options_.tls_certificate_path.empty())
    return core::Error{core::ErrorCode::failed_precondition, "This listener has no certificate."};
  auto loaded = TlsContext::load(options_.tls_certificate_path, options_.tls_key_path);
  if (!loaded) return loaded.error();
  const std::lock_guard lock(mutex_);
  tls_ = *loaded;
  return {};
}

// ---- workers

/// Answers are sent after those that are made meanwhile: a client of many connections is then woken once for
/// all and not, at some microseconds, for each.
Conversation* Listener::Impl::take_pending() {
  if (pending_count_.load(std::memory_order_relaxed) == 0) return nullptr;
  const std::lock_guard lock(mutex_);
  const bool send = !answered_.empty() && (pending_.empty() || now_us() - answered_us_ > kSendLaterUs);
  auto& queue = send ? answered_ : pending_;
  if (queue.empty()) return nullptr;
  Conversation* const conversation = queue.front();
  queue.pop_front();
  if (--pending_count_ > 0 && waiting_workers_ > 0) ring(poke_);
  return conversation;
}

/// Takes a batch at a time, which saves system calls; all but its first piece go where every worker finds
/// them.
void* Listener::Impl::wait_for_work() {
  if (Conversation* const conversation = take_pending()) return conversation;
  epoll_event events[kWorkBatch];
  ++waiting_workers_;
  const int count = shared_epoll_.wait(events, -1, options_.busy_poll_us);
  --waiting_workers_;
  Conversation* first = nullptr;
  int kept = 0;
  {
    std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
    for (int i = 0; i < count; ++i) {
      void* const source = events[i].data.ptr;
      if (source == &poke_) hush(poke_);
      if (source == &poke_ || source == &stop_event_) continue;
      auto* const conversation = static_cast<Conversation*>(source);
      if (!first) {
        first = conversation;
        continue;
      }
      if (kept++ == 0) lock.lock();
      pending_.push_back(conversation);
    }
    pending_count_ += static_cast<std::size_t>(kept);
  }
  if (kept > 0 && waiting_workers_ > 0) ring(poke_);
  return first;
}

void Listener::Impl::arm(Conversation* conversation, std::uint32_t events, bool first) {
  const int fd = conversation->fd();
  conversation->pass_on();  // once armed, another thread may own and even destroy it
  const bool armed = first ? shared_epoll_.add(fd, events | EPOLLONESHOT, {.ptr = conversation})
                           : shared_epoll_.change(fd, events | EPOLLONESHOT, {.ptr = conversation});
  if (!armed) remove(conversation, false);
}

void Listener::Impl::serve(Conversation* conversation, Turn turn) {
  Next next = Next::close;
  try {
    next = conversation->advance(turn);
  } catch (...) {  // memory: this connection alone ends
  }
  switch (next) {
    case Next::readable:
      return arm(conversation, EPOLLIN);
    case Next::writable:
      return arm(conversation, EPOLLOUT);
    case Next::run:
    case Next::send: {
      const std::lock_guard lock(mutex_);
      if (next == Next::send && answered_.empty()) answered_us_ = now_us();
      (next == Next::send ? answered_ : pending_).push_back(conversation);
      ++pending_count_;
      return;
    }
    case Next::stream:
      return remove(conversation, true);
    case Next::close:
      return remove(conversation, false);
  }
}

void Listener::Impl::remove(Conversation* conversation, bool hand_over) {
  {
    const std::lock_guard lock(mutex_);
    conversations_.erase(conversation);
  }
  if (hand_over) {
    shared_epoll_.remove(conversation->fd());
    conversation->hand_over();
  }
  delete conversation;
  if (--open_ == 0) {
    const std::lock_guard lock(mutex_);
    emptied_.notify_all();
  }
}

// ---- the watcher: accepts, replaces blocked workers, enforces deadlines

int Listener::Impl::watch_timeout() {
  watch_sleeps_ = true;
  if (workers_->any_busy() || pending_count_ > 0) {
    watch_sleeps_ = false;
    return kWatchTickMs;
  }
  if (accept_again_us_ != 0) return kAcceptPauseMs;
  return open_conversations() > 0 ? kSweepMs : -1;
}

void Listener::Impl::watch() {
  while (!stop_watching_) {
    epoll_event events[2];
    const int count = watch_epoll_.wait(events, watch_timeout());
    watch_sleeps_ = false;
    bool connections_wait = false;
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == wake_)
        hush(wake_);
      else
        connections_wait = true;
    }
    if (stop_accepting_) {
      if (const int fd = listen_fd_.exchange(-1); fd >= 0) ::close(fd);
    } else if (connections_wait) {
      accept_all();
    }
    const std::int64_t now = now_us();
    if (accept_again_us_ != 0 && now >= accept_again_us_) resume_accepting();
    if (workers_->any_busy()) workers_->check();
    if (workers_->saturated())
      help_out();
    else if (pending_count_ > 0)
      ring(poke_);
    if (now >= next_sweep_us_) sweep();
  }
}

void Listener::Impl::accept_all() {
  for (;;) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd =
        ::accept4(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      try {
        admit(fd, address);
      } catch (const std::bad_alloc&) {
        return pause_accepting();
      }
      continue;
    }
    switch (errno) {
      case EINTR:
      case ECONNABORTED:
      case EPROTO:
      case EPERM:
      case ENETDOWN:
      case EHOSTUNREACH:
      case ENETUNREACH:
        continue;  // about that one connection
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return pause_accepting();
      default:  // EAGAIN: none left
        return;
    }
  }
}

/// Out of descriptors or memory: clients wait in the backlog while others finish; trying at once would spin.
void Listener::Impl::pause_accepting() {
  watch_epoll_.remove(listen_fd_);
  accept_again_us_ = now_us() + std::int64_t{kAcceptPauseMs} * 1000;
}

void Listener::Impl::resume_accepting() {
  accept_again_us_ = 0;
  if (listen_fd_ >= 0) watch_epoll_.add(listen_fd_, EPOLLIN, {.fd = listen_fd_});
}

void Listener::Impl::admit(int fd, const sockaddr_storage& address) {
  ++accepted_;
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (open_conversations() + hub_->streams() >= options_.connections_max) {
    static constexpr char kFull[] =
        "HTTP/1.1 503 Service Unavailable\r\nServer: mlpd\r\nRetry-After: 1\r\nConnection: close\r\n"
        "Content-Length: 0\r\n\r\n";
    [[maybe_unused]] const auto sent =
        options_.tls_certificate_path.empty() ? ::send(fd, kFull, sizeof kFull - 1, MSG_NOSIGNAL) : 0;
    ::close(fd);
    return;
  }
  std::shared_ptr<TlsContext> tls;
  if (!options_.tls_certificate_path.empty()) {
    const std::lock_guard lock(mutex_);
    tls = tls_;
  }
  auto connection = std::make_unique<Connection>(fd, address_text(address), options_.header_bytes_max,
                                                 tls ? tls->new_session(fd) : nullptr);
  auto conversation = std::make_unique<Conversation>(*context_, std::move(connection));
  {
    const std::lock_guard lock(mutex_);
    conversations_.insert(conversation.get());
  }
  ++open_;
  arm(conversation.release(), EPOLLIN, true);
}

/// Every worker is blocked: sends what is answered, reads requests in their place, answers the health routes
/// and keeps the rest.
void Listener::Impl::help_out() {
  std::deque<Conversation*> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(answered_);
    left.insert(left.end(), pending_.begin(), pending_.end());
    pending_.clear();
    pending_count_ = 0;
  }
  for (Conversation* const conversation : left) serve(conversation, Turn::health);
  epoll_event events[64];
  const int count = shared_epoll_.wait(events, 0);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.ptr == &poke_ || events[i].data.ptr == &stop_event_) continue;
    serve(static_cast<Conversation*>(events[i].data.ptr), Turn::health);
  }
}

void Listener::Impl::sweep() {
  const std::int64_t now = now_us();
  next_sweep_us_ = now + std::int64_t{kSweepMs} * 1000;
  for_each([now](Conversation& conversation) {
    if (conversation.deadline_us() < now) conversation.expire();
  });
}

// ---- the end

bool Listener::Impl::wait_until_empty(std::chrono::milliseconds deadline) {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, deadline, [this] { return open_ == 0; });
}

bool Listener::Impl::stop(std::chrono::milliseconds deadline) {
  const std::lock_guard stopping(stop_mutex_);
  if (stopped_ || !watcher_.joinable()) return clean_;
  stopped_ = true;
  stop_accepting_ = true;
  context_->draining = true;
  ring(wake_);
  std::thread streams([this] { hub_->close_all(std::chrono::milliseconds(kStreamCloseMs)); });
  const auto end = std::chrono::steady_clock::now() + deadline;
  bool empty = false;
  do {  // a connection may have turned idle since the last look
    for_each([](Conversation& conversation) { conversation.close_if_idle(); });
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    empty = wait_until_empty(std::clamp(left, std::chrono::milliseconds(1), std::chrono::milliseconds(20)));
  } while (!empty && std::chrono::steady_clock::now() < end);
  if (!empty) {
    for_each([this](Conversation& conversation) {
      clean_ = clean_ && conversation.idle();
      conversation.cut();
    });
    while (
        !wait_until_empty(std::chrono::milliseconds(100)))  // accepted meanwhile, or blocked in the handler
      for_each([](Conversation& conversation) { conversation.cut(); });
  }
  streams.join();
  workers_->stop();
  ring(stop_event_);
  workers_->join();
  stop_watching_ = true;
  ring(wake_);
  watcher_.join();
  return clean_;
}

ListenerStatistics Listener::Impl::statistics() const {
  ListenerStatistics statistics;
  if (!context_) return statistics;
  statistics.event_streams = hub_->streams();
  statistics.connections = open_.load() + statistics.event_streams;
  statistics.busy_workers = workers_->busy();
  statistics.workers = workers_->threads();
  statistics.connections_total = accepted_;
  statistics.requests_total = context_->requests_total;
  statistics.bodies_bytes = context_->held_bodies.bytes;
  return statistics;
}

Listener::Listener(ListenerOptions options, api::Handler& handler, RequestObserver observer, RequestGate gate)
    : impl_(std::make_unique<Impl>(std::move(options), handler, std::move(observer), std::move(gate))) {}
Listener::~Listener() = default;
core::Result<void> Listener::start() { return impl_->start(); }
int Listener::port() const { return impl_->port(); }
bool Listener::stop(std::chrono::milliseconds deadline) { return impl_->stop(deadline); }
core::Result<void> Listener::reload_certificate() { return impl_->reload_certificate(); }
ListenerStatistics Listener::statistics() const { return impl_->statistics(); }

}  // namespace mlpd::server
