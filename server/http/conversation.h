#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/http/connection.h"
#include "server/http/event_hub.h"
#include "server/http/framing.h"
#include "server/http/httplib_adapter.h"
#include "server/http/listener.h"
#include "server/http/request_body.h"
#include "server/http/trace_context.h"

namespace mlpd::server {

/// What all conversations of a listener share.
struct ConversationContext {
  const ListenerOptions& options;
  api::Handler& handler;
  const RequestObserver& observer;
  const RequestGate& gate;
  HttplibAdapter& adapter;
  EventHub& hub;
  std::atomic<bool> draining{false};  ///< every answer closes its connection
  std::atomic<std::uint64_t> requests_total{0};
  HeldBodies held_bodies{options.bodies_bytes_max};
};

/// One connection's requests and answers, in order: a state machine that is advanced by whichever thread
/// epoll gave the connection to, and never waits for the peer (but for a route that streams its body).
class Conversation {
 public:
  /// What must happen before the next advance().
  enum class Next {
    readable,
    writable,
    run,     ///< a request is complete and needs a worker (only with Turn::health)
    send,    ///< an answer is made and unsent (only with Turn::answer)
    stream,  ///< the connection belongs to the hub now: hand_over(), then destroy the conversation
    close,   ///< destroy the conversation
  };

  /// What an advance() may do.
  enum class Turn {
    whole,   ///< everything
    answer,  ///< everything, but stop with an answer before it is sent
    health,  ///< everything, but run no request but the two health routes'
  };

  Conversation(ConversationContext& context, std::unique_ptr<Connection> connection);

  /// Goes as far as it can and the turn allows.
  Next advance(Turn turn);
  /// Ends this thread's turn, just before epoll may give the conversation to another: what epoll orders, C++
  /// must be told.
  void pass_on() { turn_.store(true, std::memory_order_release); }
  /// Gives the connection and the answer's stream to the hub.
  void hand_over();

  int fd() const { return fd_; }
  /// Steady-clock time after which expire() must be called. Any thread.
  std::int64_t deadline_us() const { return deadline_us_.load(std::memory_order_relaxed); }
  /// Makes a waiting conversation end: its deadline has passed. Any thread, while the conversation exists.
  void expire();
  /// Closes it if it waits for a new request. Any thread, while the conversation exists.
  void close_if_idle();
  /// Ends it now, whatever it does. Any thread, while the conversation exists.
  void cut();
  /// True between two requests. Any thread.
  bool idle() const { return idle_.load(); }

 private:
  enum class Phase { handshake, head, body, ready, writing, lingering };

  // Each step returns true to go on with the next phase, false to return next_.
  bool step(Turn turn);
  bool shake_hands();
  bool read_head();
  bool begin_request(std::size_t head_bytes);
  bool admit();
  bool read_body();
  bool run(Turn turn);
  bool write_answer();
  bool linger();

  bool wait(Next next) {
    next_ = next;
    return false;
  }
  bool refuse(int status, std::string_view detail);
  bool respond_with(api::Response response, bool keep_alive);
  api::Response handle();
  void add_shared_fields(api::Response& response);
  api::Response checked(api::Response response);
  bool answer();
  void finish_request(std::int64_t end_us);
  void reset_request();
  bool input_ended();
  void allow_transfer(std::uint64_t bytes, int timeout_ms);
  void set_deadline(std::int64_t at_us) { deadline_us_.store(at_us, std::memory_order_relaxed); }
  bool is_health() const;

  ConversationContext& context_;
  std::unique_ptr<Connection> connection_;
  const int fd_;
  Phase phase_;
  Next next_ = Next::readable;
  std::atomic<std::int64_t> deadline_us_{0};
  std::atomic<bool> expired_{false};
  std::atomic<bool> idle_{true};
  std::atomic<bool> sending_{false};
  std::atomic<bool> turn_{false};  ///< released by each thread, acquired by the next
  bool may_read_ = true;           ///< the socket may have more than was read

  // Of the current request.
  HeadScanner scanner_;
  RequestHead head_;    ///< views are valid until the head is consumed
  std::string method_;  ///< as sent; the handler sees GET for HEAD
  api::Request request_;
  api::RouteInfo route_;
  Exchange exchange_;
  RequestBody body_;
  bool http_1_0_ = false;
  bool keep_alive_ = true;
  std::int64_t started_us_ = 0;  ///< complete header
  std::int64_t phase_start_us_ = 0;
  std::size_t answer_bytes_ = 0;
  std::size_t lingered_bytes_ = 0;
  std::optional<TraceContext> trace_;
  std::string location_;  ///< of the answer
  std::string error_;
};

}  // namespace mlpd::server
