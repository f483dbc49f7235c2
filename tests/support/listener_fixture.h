#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/http/listener.h"
#include "tests/support/probe_handler.h"
#include "tests/support/raw_client.h"

namespace mlpd::test {

/// What an observer saw, as values.
struct Observed {
  std::string method, path, pattern, request_id, remote_address, key_id, error;
  int status = 0;
  std::int64_t duration_us = 0;
  std::size_t bytes_in = 0, bytes_out = 0;
};

/// A listener in this process, on a free port, over a ProbeHandler.
class ListenerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {  // some tests hold both ends of 1,000 connections
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  void TearDown() override {
    handler_.release();
    listener_.reset();
  }
  server::Listener& serve(server::ListenerOptions options = {}, server::RequestGate gate = {}) {
    listener_ = std::make_unique<server::Listener>(
        std::move(options), handler_, [this](const server::RequestRecord& record) { observe(record); },
        std::move(gate));
    const auto started = listener_->start();
    EXPECT_TRUE(started.ok()) << started.error().message;
    return *listener_;
  }
  RawClient client(int receive_buffer_bytes = 0) {
    return RawClient(listener_->port(), receive_buffer_bytes);
  }
  /// One request on a connection of its own.
  RawResponse ask(const std::string& request) {
    auto one = client();
    one.send(request);
    return one.response();
  }
  std::vector<Observed> observed() {
    const std::lock_guard lock(mutex_);
    return observed_;
  }

  ProbeHandler handler_;
  std::unique_ptr<server::Listener> listener_;

 private:
  void observe(const server::RequestRecord& record) {
    const std::lock_guard lock(mutex_);
    observed_.push_back({std::string(record.method), std::string(record.path), std::string(record.pattern),
                         std::string(record.request_id), std::string(record.remote_address),
                         std::string(record.key_id), std::string(record.error), record.status,
                         record.duration_us, record.bytes_in, record.bytes_out});
  }
  std::mutex mutex_;
  std::vector<Observed> observed_;
};

inline const std::string kHello = "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";

inline std::string post(const std::string& path, const std::string& body, const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace mlpd::test
