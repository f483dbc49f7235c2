#include "server/http/listener.h"

#include <dirent.h>
#include <sys/resource.h>

#include <future>

#include "tests/support/listener_fixture.h"

namespace mlpd::server {
namespace {

using std::chrono::milliseconds;
using test::eventually;
using test::kHello;
using test::RawClient;

const std::string kBlock = "GET /block HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kLive = "GET /v2/health/live HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kReady = "GET /v2/health/ready HTTP/1.1\r\nHost: h\r\n\r\n";

class ListenerTest : public test::ListenerTest {
 protected:
  /// Connections whose requests block in the handler.
  std::vector<RawClient> block(int count) {
    std::vector<RawClient> clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(client());
      clients.back().send(kBlock);
    }
    EXPECT_TRUE(eventually([&] { return handler_.blocked() == count; })) << handler_.blocked();
    return clients;
  }
};

TEST_F(ListenerTest, SaysWhyItCannotStart) {
  serve();
  test::ProbeHandler other;
  Listener second({.port = listener_->port()}, other);
  const auto taken = second.start();
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, core::ErrorCode::unavailable);
  EXPECT_THAT(taken.error().message, testing::HasSubstr("Port " + std::to_string(listener_->port())));
  Listener nowhere({.host = "no such host"}, other);
  EXPECT_EQ(nowhere.start().error().code, core::ErrorCode::invalid_argument);
  Listener unreadable({.tls_certificate_path = "/nonexistent.pem", .tls_key_path = "/nonexistent.pem"},
                      other);
  EXPECT_EQ(unreadable.start().error().code, core::ErrorCode::invalid_argument);
  EXPECT_EQ(ask(kHello).status, 200);
}

TEST_F(ListenerTest, AnswersWhileItsThreadsPoll) {
  serve({.http_threads = 1, .busy_poll_us = 1'000});
  auto first = client(), second = client();
  for (int i = 0; i < 50; ++i) {
    first.send(kHello);
    second.send(kHello);
    EXPECT_EQ(first.response().status, 200);
    EXPECT_EQ(second.response().status, 200);
  }
}

TEST_F(ListenerTest, ReplacesBlockedWorkers) {
  serve({.http_threads = 1, .http_threads_max = 20});
  auto blocked = block(15);
  EXPECT_EQ(ask(kHello).status, 200);
  EXPECT_GE(listener_->statistics().busy_workers, 15u);
  handler_.release();
  for (auto& one : blocked) EXPECT_EQ(one.response().body, "released\n");
  EXPECT_TRUE(eventually([this] { return listener_->statistics().busy_workers == 0; }));
  EXPECT_EQ(ask(kHello).status, 200);
  EXPECT_LE(listener_->statistics().workers, 20u);
}

TEST_F(ListenerTest, AnswersHealthWhileEveryWorkerIsBlocked) {
  serve({.http_threads = 1, .http_threads_max = 3});
  auto blocked = block(3);
  auto waiting = client();
  waiting.send(kHello);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(kLive).body, "hello\n");
    EXPECT_EQ(ask(kReady).status, 200);
  }
  EXPECT_TRUE(waiting.read_through("\r\n\r\n", milliseconds(50)).empty());  // but others wait for a worker
  EXPECT_EQ(listener_->statistics().workers, 3u);
  handler_.release();
  EXPECT_EQ(waiting.response().status, 200);
  for (auto& one : blocked) EXPECT_EQ(one.response().status, 200);
}

TEST_F(ListenerTest, SendsWhatIsAnsweredWhileEveryWorkerIsBlocked) {
  serve({.http_threads = 1, .http_threads_max = 1});
  auto first = block(1);
  auto quick = client(), slow = client();
  quick.send(kHello);
  slow.send(kBlock);
  handler_.release_present();  // the worker answers the quick one, meets the slow one and never comes back
  EXPECT_EQ(first.front().response().status, 200);
  EXPECT_EQ(quick.response().status, 200);
  EXPECT_TRUE(eventually([this] { return handler_.blocked() == 1; }));
  handler_.release();
  EXPECT_EQ(slow.response().status, 200);
}

TEST_F(ListenerTest, IdleConnectionsCostNoThread) {
  serve({.http_threads = 2});
  std::vector<RawClient> idle;
  for (int i = 0; i < 1'000; ++i) {
    idle.push_back(client());
    ASSERT_TRUE(idle.back().connected());
    idle.back().send(kHello);
  }
  for (auto& one : idle) ASSERT_EQ(one.response().status, 200);
  EXPECT_EQ(listener_->statistics().connections, 1'000u);
  EXPECT_LE(listener_->statistics().workers, 10u);
  for (auto& one : idle) one.send(kHello);
  for (auto& one : idle) ASSERT_EQ(one.response().status, 200);
  EXPECT_EQ(listener_->statistics().connections_total, 1'000u);
  EXPECT_TRUE(eventually([this] { return listener_->statistics().requests_total == 2'000; }));
  idle.clear();
  EXPECT_TRUE(eventually([this] { return listener_->statistics().connections == 0; }));
}

TEST_F(ListenerTest, TurnsAwayOneConnectionTooMany) {
  serve({.connections_max = 3});
  std::vector<RawClient> most;
  for (int i = 0; i < 3; ++i) most.push_back(client());
  EXPECT_TRUE(eventually([this] { return listener_->statistics().connections == 3; }));
  auto extra = client();
  EXPECT_EQ(extra.response().status, 503);
  EXPECT_TRUE(extra.closed());
  most.pop_back();
  EXPECT_TRUE(eventually([this] { return listener_->statistics().connections == 2; }));
  EXPECT_EQ(ask(kHello).status, 200);
}

TEST_F(ListenerTest, OutlivesTheLackOfDescriptors) {
  serve({.connections_max = 100'000});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  auto early = client();
  early.send(kHello);
  EXPECT_EQ(early.response().status, 200);
  RawClient late_one(listener_->port());  // its own descriptor exists before there are no more
  EXPECT_TRUE(eventually([this] { return listener_->statistics().connections == 2; }));
  // From here on no new descriptor can be had in this process: neither accept()'s, nor a client's.
  std::vector<RawClient> spare;
  for (int i = 0; i < 4; ++i) spare.emplace_back(listener_->port());
  EXPECT_TRUE(eventually([this] { return listener_->statistics().connections == 6; }));
  const int used = ::dup(0);
  ::close(used);
  const int waiting = ::socket(AF_INET, SOCK_STREAM, 0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(used);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(listener_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(waiting, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto cpu = [] {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return std::chrono::milliseconds(time.tv_sec * 1'000 + time.tv_nsec / 1'000'000);
  };
  const auto cpu_before = cpu();
  for (int i = 0; i < 20; ++i) {  // 20 answers over what is open: accept() has failed by the end
    early.send(kHello);
    EXPECT_EQ(early.response().status, 200);
  }
  EXPECT_TRUE(early.read_through("never", milliseconds(300)).empty());
  EXPECT_LT(cpu() - cpu_before, milliseconds(150));  // it does not spin
  EXPECT_EQ(listener_->statistics().connections, 6u);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(eventually([this] { return listener_->statistics().connections == 7; }));
  ::close(waiting);
  EXPECT_EQ(ask(kHello).status, 200);
}

TEST_F(ListenerTest, LetsRunningRequestsFinishWhenItStops) {
  serve({.http_threads = 1});
  auto idle = client();
  idle.send(kHello);
  EXPECT_EQ(idle.response().status, 200);
  auto half = client();
  half.send("GET /hel");
  auto blocked = block(2);
  auto stopped = std::async(std::launch::async, [this] { return listener_->stop(milliseconds(10'000)); });
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(eventually([this] { return !client().connected(); }));
  half.send("lo HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto last = half.response();
  EXPECT_EQ(last.body, "hello\n");
  EXPECT_EQ(last.field("Connection"), "close");
  handler_.release();
  for (auto& one : blocked) EXPECT_EQ(one.response().body, "released\n");
  EXPECT_TRUE(stopped.get());
  EXPECT_TRUE(listener_->stop(milliseconds(0)));  // again: nothing happens
  EXPECT_EQ(listener_->statistics().connections, 0u);
}

TEST_F(ListenerTest, CutsWhatIsLateWhenItStops) {
  serve();
  auto blocked = block(1);
  auto stopped = std::async(std::launch::async, [this] { return listener_->stop(milliseconds(50)); });
  EXPECT_TRUE(blocked[0].closed());
  handler_.release();
  EXPECT_FALSE(stopped.get());
}

TEST_F(ListenerTest, StopsAtOnceWhileNothingHappens) {
  serve();
  auto idle = client();
  EXPECT_TRUE(eventually([this] { return listener_->statistics().connections == 1; }));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(listener_->stop(milliseconds(10'000)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(1'000));
  EXPECT_TRUE(idle.closed());
}

TEST_F(ListenerTest, ServesManyClientsAtOnce) {
  serve({.http_threads = 2});
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      auto one = client();
      for (int i = 0; i < 100; ++i) {
        const std::string body = std::string(static_cast<std::size_t>(i * 97), 'a') + std::to_string(i);
        one.send(test::post("/echo", body));
        if (one.response().body == body) ++good;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 800);
}

}  // namespace
}  // namespace mlpd::server
