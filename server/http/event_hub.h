#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "api/http_message.h"
#include "server/http/connection.h"
#include "server/http/epoll.h"

namespace mlpd::server {

struct EventHubOptions {
  std::size_t streams_max = 1'000;
  std::size_t queue_bytes_max = 1u << 20;  ///< unsent bytes of one stream; past it, the stream is cut
  int ping_interval_ms = 15'000;
  int stalled_timeout_ms = 10'000;  ///< a stream that takes no byte for so long is cut
};

/// Owns every connection that carries an event stream, on one thread. Thread-safe.
class EventHub {
 public:
  explicit EventHub(EventHubOptions options);
  ~EventHub();  ///< close_all(0 ms)
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  /// Takes a place for one more stream; false where all are taken. Each success is followed by one add() or
  /// give_back().
  bool reserve();
  void give_back() { streams_.fetch_sub(1); }
  /// Serves `stream` over `connection`, whose head is queued or sent, in chunks if `chunked`.
  void add(std::unique_ptr<Connection> connection, std::shared_ptr<api::EventStream> stream, bool chunked);
  /// Lets every stream say its closing event, sends what is queued for up to `deadline`, closes all and ends
  /// the thread. A later add() closes at once.
  void close_all(std::chrono::milliseconds deadline);
  std::size_t streams() const { return streams_.load(std::memory_order_relaxed); }

 private:
  struct Stream {
    std::unique_ptr<Connection> connection;
    std::shared_ptr<api::EventStream> source;
    bool chunked = true;
    bool ended = false;            ///< the last chunk is queued
    bool wants_write = false;      ///< epoll watches for room
    std::int64_t progress_us = 0;  ///< when a byte last left, or nothing waited
    std::int64_t sent_us = 0;      ///< when something was last queued
  };
  /// Where wake() calls leave their stream's number; outlives the hub in the hands of slow publishers.
  struct Mailbox;
  struct Arrival {
    std::unique_ptr<Connection> connection;
    std::shared_ptr<api::EventStream> source;
    bool chunked = true;
  };

  void run();
  void take_arrivals();
  void serve_woken();
  void serve_socket(std::uint64_t id, std::uint32_t events);
  bool pump(Stream& stream);
  bool send(std::uint64_t id, Stream& stream);
  void enqueue(Stream& stream, const std::string& text);
  void drop(std::uint64_t id);
  void tick();
  bool closing_done();

  const EventHubOptions options_;
  Epoll epoll_;
  std::shared_ptr<Mailbox> mailbox_;
  std::atomic<std::size_t> streams_{0};
  std::mutex mutex_;
  std::vector<Arrival> arrivals_;
  bool closed_ = false;           ///< guarded by mutex_
  std::int64_t close_at_us_ = 0;  ///< guarded by mutex_; 0 = not closing
  bool closing_ = false;          ///< hub thread only, as all below
  std::int64_t next_tick_us_ = 0;
  std::uint64_t next_id_ = 1;
  std::unordered_map<std::uint64_t, Stream> open_;
  std::thread thread_;
};

}  // namespace mlpd::server
