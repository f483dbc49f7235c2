#include "server/http/event_hub.h"

#include <future>

#include "tests/support/listener_fixture.h"

namespace mlpd::server {
namespace {

using std::chrono::milliseconds;
using test::eventually;
using test::kHello;
using test::RawClient;
using testing::HasSubstr;

const std::string kEvents = "GET /events HTTP/1.1\r\nHost: h\r\n\r\n";

class EventHubTest : public test::ListenerTest {
 protected:
  /// A client whose stream is open, and the stream.
  std::pair<RawClient, std::shared_ptr<test::ProbeStream>> open(const std::string& request = kEvents) {
    auto one = client();
    one.send(request);
    EXPECT_THAT(one.read_through("\r\n\r\n"), HasSubstr("200 OK"));
    return {std::move(one), handler_.streams().back()};
  }
};

TEST_F(EventHubTest, SendsEventsAsChunks) {
  serve();
  auto one = client();
  one.send(kEvents);
  const auto head = one.read_through("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head, testing::Not(HasSubstr("Content-Length")));
  auto stream = handler_.streams().back();
  stream->publish("data: 1\n\n");
  EXPECT_EQ(one.read_through("\n\n\r\n"), "9\r\ndata: 1\n\n\r\n");
  stream->publish("data: two\n\n");
  EXPECT_EQ(one.read_through("\n\n\r\n"), "b\r\ndata: two\n\n\r\n");
  stream->finish();
  EXPECT_EQ(one.rest(), "0\r\n\r\n");
  stream.reset();
  EXPECT_TRUE(eventually([this] { return handler_.streams_alive() == 0; }));
  EXPECT_TRUE(eventually([this] { return listener_->statistics().event_streams == 0; }));
}

TEST_F(EventHubTest, SendsEventsPlainlyToOldClients) {
  serve();
  auto [one, stream] = open("GET /events HTTP/1.0\r\n\r\n");
  stream->publish("data: 1\n\n");
  stream->finish();
  EXPECT_EQ(one.rest(), "data: 1\n\n");
}

TEST_F(EventHubTest, AnswersHeadWithoutAStream) {
  serve();
  auto one = client();
  one.send("HEAD /events HTTP/1.1\r\nHost: h\r\n\r\n" + kHello);
  EXPECT_THAT(one.read_through("\r\n\r\n"), HasSubstr("text/event-stream"));
  EXPECT_EQ(one.response().body, "hello\n");
  EXPECT_TRUE(eventually([this] { return handler_.streams_alive() == 0; }));
}

TEST_F(EventHubTest, NoticesThatAClientLeft) {
  serve();
  {
    auto [one, stream] = open();
    EXPECT_EQ(listener_->statistics().event_streams, 1u);
  }
  EXPECT_TRUE(eventually([this] { return handler_.streams_alive() == 0; }));
  EXPECT_TRUE(eventually([this] { return listener_->statistics().connections == 0; }));
}

TEST_F(EventHubTest, ServesAThousandStreamsOnOneThreadAndRefusesOneMore) {
  serve({.http_threads = 2, .event_streams_max = 1'000});
  std::vector<RawClient> clients;
  for (int i = 0; i < 1'000; ++i) {
    clients.push_back(client());
    clients.back().send(kEvents);
  }
  for (auto& one : clients) ASSERT_THAT(one.read_through("\r\n\r\n"), HasSubstr("200 OK"));
  EXPECT_EQ(listener_->statistics().event_streams, 1'000u);
  EXPECT_LE(listener_->statistics().workers, 10u);
  auto extra = client();
  extra.send(kEvents);
  EXPECT_EQ(extra.response().status, 503);
  for (const auto& stream : handler_.streams()) stream->publish("data: tick\n\n");
  for (auto& one : clients) ASSERT_THAT(one.read_through("tick\n\n"), HasSubstr("tick"));
  EXPECT_EQ(ask(kHello).status, 200);
  clients.pop_back();
  EXPECT_TRUE(eventually([this] { return listener_->statistics().event_streams == 999; }));
  open();
}

TEST_F(EventHubTest, CutsAReaderWhoseQueueOverflows) {
  serve({.stream_queue_bytes_max = 100'000});
  auto stalled = client(4'096);
  stalled.send(kEvents);
  stalled.read_through("\r\n\r\n");
  auto [reader, readers_stream] = open();
  auto stream = handler_.streams().front();
  const std::string event = "data: " + std::string(50'000, 'x') + "\n\n";
  EXPECT_TRUE(eventually([&, events = &handler_] {
    stream->publish(event);
    return listener_->statistics().event_streams == 1;
  }));
  readers_stream->publish("data: still here\n\n");
  EXPECT_THAT(reader.read_through("here\n\n"), HasSubstr("still here"));
}

TEST_F(EventHubTest, CutsAReaderThatStalls) {
  serve({.stream_queue_bytes_max = 100u << 20, .stalled_stream_timeout_ms = 300});
  auto stalled = client(4'096);
  stalled.send(kEvents);
  stalled.read_through("\r\n\r\n");
  handler_.streams().front()->publish("data: " + std::string(20'000'000, 'x') + "\n\n");
  EXPECT_TRUE(eventually([this] { return listener_->statistics().event_streams == 0; }));
}

TEST_F(EventHubTest, PingsQuietStreams) {
  serve({.ping_interval_ms = 100});
  auto [one, stream] = open();
  EXPECT_EQ(one.read_through("\n\n\r\n"), "8\r\n: ping\n\n\r\n");
  EXPECT_EQ(one.read_through("\n\n\r\n"), "8\r\n: ping\n\n\r\n");
}

TEST_F(EventHubTest, SaysGoodbyeWhenTheServerStops) {
  serve();
  auto [one, stream] = open();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(listener_->stop(milliseconds(10'000)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(1'500));
  EXPECT_EQ(one.rest(), "19\r\nevent: closing\ndata: {}\n\n\r\n0\r\n\r\n");
}

TEST_F(EventHubTest, DoesNotWaitForeverToSayGoodbye) {
  serve({.stream_queue_bytes_max = 100u << 20});
  auto stalled = client(4'096);
  stalled.send(kEvents);
  stalled.read_through("\r\n\r\n");
  handler_.streams().front()->publish("data: " + std::string(20'000'000, 'x') + "\n\n");
  const auto start = std::chrono::steady_clock::now();
  listener_->stop(milliseconds(100));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(3'000));
}

TEST_F(EventHubTest, IgnoresWhatAClientSays) {
  serve();
  auto [one, stream] = open();
  one.send(std::string(100'000, 'x'));
  stream->publish("data: 1\n\n");
  EXPECT_THAT(one.read_through("\n\n\r\n"), HasSubstr("data: 1"));
}

}  // namespace
}  // namespace mlpd::server
