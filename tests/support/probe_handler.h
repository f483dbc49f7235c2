#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"

namespace mlpd::test {

/// An event stream that a test feeds.
class ProbeStream : public api::EventStream {
 public:
  explicit ProbeStream(std::atomic<int>& alive) : alive_(alive) { ++alive_; }
  ~ProbeStream() override { --alive_; }
  void on_ready(std::function<void()> wake) override {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
  }
  std::string take() override {
    const std::lock_guard lock(mutex_);
    return std::exchange(text_, std::string());
  }
  bool finished() const override {
    const std::lock_guard lock(mutex_);
    return finished_ && text_.empty();
  }
  void close() override {
    const std::lock_guard lock(mutex_);
    if (!finished_) text_ += "event: closing\ndata: {}\n\n";
    finished_ = true;
  }
  void publish(const std::string& text) {
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      text_ += text;
      wake = wake_;
    }
    if (wake) wake();
  }
  void finish() {
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      finished_ = true;
      wake = wake_;
    }
    if (wake) wake();
  }

 private:
  std::atomic<int>& alive_;
  mutable std::mutex mutex_;
  std::function<void()> wake_;
  std::string text_;
  bool finished_ = false;
};

/// A small real handler: echoes, blocks until released, streams, throws.
class ProbeHandler : public api::Handler {
 public:
  static constexpr std::size_t kEchoBytesMax = 1u << 20;
  static constexpr std::size_t kUploadBytesMax = 4u << 20;

  ~ProbeHandler() override { release(); }

  api::RouteInfo route(std::string_view method, std::string_view path) const override {
    api::RouteInfo info;
    if (path == "/missing") return info;
    info.found = true;
    if (method == "POST") {
      info.body_bytes_max = path == "/upload" ? kUploadBytesMax : kEchoBytesMax;
      info.streams_body = path == "/upload" || path == "/ignore";
    }
    info.pattern = path == "/hello" ? "/hello" : "/other";
    return info;
  }

  api::Response handle(const api::Request& request) override {
    ++handled_;
    api::Response response;
    response.set_header("Content-Type", "application/json");
    if (request.path == "/missing") {
      response.status = 404;
    } else if (request.path == "/hello" || request.path.starts_with("/v2/health/")) {
      response.body = "hello\n";
    } else if (request.path == "/echo") {
      response.body = request.body;
    } else if (request.path == "/show") {
      response.body = shown(request);
    } else if (request.path == "/large") {
      response.body.assign(std::stoul(std::string(request.query_value("bytes").value_or("0"))), 'x');
    } else if (request.path == "/nothing") {
      response.status = 204;
    } else if (request.path == "/throw") {
      throw std::runtime_error("secret detail");
    } else if (request.path == "/split") {
      response.set_header("X-Evil", "a\r\nX-Injected: b");
    } else if (request.path == "/block") {
      block();
      response.body = "released\n";
    } else if (request.path == "/upload") {
      response.body = upload(*request.body_stream);
    } else if (request.path == "/events") {
      response.set_header("Content-Type", "text/event-stream");
      response.stream = open_stream();
    }
    return response;
  }

  api::Response refuse(int status, std::string_view path, std::string_view detail,
                       std::string_view) const override {
    api::Response response;
    response.status = status;
    response.set_header("Content-Type", "application/problem+json");
    response.body = "refused " + std::string(path) + ": " + std::string(detail) + "\n";
    return response;
  }

  /// Lets every request that is blocked now go on.
  void release_present() {
    const std::lock_guard lock(mutex_);
    ++releases_;
    changed_.notify_all();
  }
  /// Lets every blocked request go on, now and later.
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  int blocked() const { return blocked_; }
  int handled() const { return handled_; }
  int streams_alive() const { return streams_alive_; }
  std::vector<std::shared_ptr<ProbeStream>> streams() {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<ProbeStream>> alive;
    for (const auto& weak : streams_)
      if (auto stream = weak.lock()) alive.push_back(std::move(stream));
    return alive;
  }

 private:
  static std::string shown(const api::Request& request) {
    std::string text = request.method + " " + request.path + "\n";
    for (const auto& [name, value] : request.query) text += "?" + name + "=" + value + "\n";
    for (const auto& [name, value] : request.headers) text += name + ": " + value + "\n";
    return text + "from " + request.remote_address + " as " + request.request_id + "\n";
  }
  void block() {
    std::unique_lock lock(mutex_);
    ++blocked_;
    changed_.wait(lock, [this, before = releases_] { return released_ || releases_ != before; });
    --blocked_;
  }
  static std::string upload(api::BodyReader& reader) {
    char buffer[10'000];
    std::size_t total = 0;
    for (;;) {
      const auto count = reader.read(buffer, sizeof buffer);
      if (!count) return "failed after " + std::to_string(total) + ": " + count.error().message + "\n";
      if (*count == 0) return "got " + std::to_string(total) + "\n";
      total += *count;
    }
  }
  std::shared_ptr<ProbeStream> open_stream() {
    auto stream = std::make_shared<ProbeStream>(streams_alive_);
    const std::lock_guard lock(mutex_);
    streams_.push_back(stream);
    return stream;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  int releases_ = 0;
  std::atomic<int> blocked_{0};
  std::atomic<int> handled_{0};
  std::atomic<int> streams_alive_{0};
  std::vector<std::weak_ptr<ProbeStream>> streams_;
};

}  // namespace mlpd::test
