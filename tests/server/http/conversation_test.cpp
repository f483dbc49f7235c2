#include "server/http/conversation.h"

#include "tests/support/listener_fixture.h"

namespace mlpd::server {
namespace {

using test::kHello;
using test::ListenerTest;
using test::post;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class ConversationTest : public ListenerTest {};

TEST_F(ConversationTest, AnswersWithTheFieldsThatEveryAnswerHas) {
  serve();
  const auto response = ask(kHello);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "hello\n");
  EXPECT_EQ(response.field("Server"), "mlpd");
  EXPECT_EQ(response.field("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(response.field("Content-Type"), "application/json");
  EXPECT_EQ(response.field("Connection"), "");
  EXPECT_THAT(response.field("Date"),
              MatchesRegex("[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"));
  EXPECT_THAT(response.field("X-Request-Id"), MatchesRegex("[0-9a-f]{16}"));
}

TEST_F(ConversationTest, KeepsATameRequestIdAndReplacesOthers) {
  serve();
  EXPECT_EQ(ask("GET /hello HTTP/1.1\r\nHost: h\r\nx-request-id: My.id_7\r\n\r\n").field("X-Request-Id"),
            "My.id_7");
  const auto replaced =
      ask("GET /hello HTTP/1.1\r\nHost: h\r\nX-Request-Id: a\"b\r\n\r\n").field("X-Request-Id");
  EXPECT_THAT(replaced, MatchesRegex("[0-9a-f]{16}"));
  EXPECT_NE(replaced, ask(kHello).field("X-Request-Id"));
}

struct Smuggling {
  std::string name;
  std::string request;
  int status;
};
class Smuggled : public ListenerTest, public testing::WithParamInterface<Smuggling> {};

/// Each request hides a second one where a lenient server would look for the next: it must never be answered.
TEST_P(Smuggled, RequestIsNeverAnswered) {
  serve();
  {
    auto one = client();
    one.send(GetParam().request + "GET /show HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto response = one.response();
    EXPECT_EQ(response.status, GetParam().status) << response.head << response.body;
    EXPECT_EQ(response.field("Connection"), "close");
    EXPECT_TRUE(one.closed());
  }
  EXPECT_TRUE(test::eventually([this] { return listener_->statistics().connections == 0; }));
  for (const auto& record : observed()) EXPECT_NE(record.path, "/show");
}

INSTANTIATE_TEST_SUITE_P(
    All, Smuggled,
    testing::Values(
        Smuggling{"length_and_chunked",
                  "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n0\r\n\r\n",
                  400},
        Smuggling{"two_lengths",
                  "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 4\r\n\r\n", 400},
        Smuggling{"bad_length", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: abc\r\n\r\n", 400},
        Smuggling{"other_coding", "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
        Smuggling{"get_with_body", "GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n", 413},
        Smuggling{"not_found_with_body", "POST /missing HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n",
                  404},
        Smuggling{
            "bad_chunk",
            "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
            400},
        Smuggling{"unread_stream", "POST /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n", 200},
        Smuggling{"folded", "POST /echo HTTP/1.1\r\nHost: h\r\nA: b\r\n Content-Length: 5\r\n\r\n", 400},
        Smuggling{"bare_line_feed", "POST /echo HTTP/1.1\r\nHost: h\nContent-Length: 5\r\n\r\n", 400}),
    [](const auto& test) { return test.param.name; });

TEST_F(ConversationTest, PostWithoutLengthIsAnsweredAtOnce) {
  serve({.header_timeout_ms = 60'000, .body_timeout_ms = 60'000});
  const auto response = ask("POST /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
}

TEST_F(ConversationTest, ReadsChunkedBodiesUpToTheLimit) {
  serve();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string most(test::ProbeHandler::kEchoBytesMax, 'x');
  EXPECT_EQ(ask(head + "100000\r\n" + most + "\r\n0\r\n\r\n").body, most);
  auto one = client();
  one.send(head + "100000\r\n" + most + "\r\n1\r\n");  // one past it: refused before its content comes
  EXPECT_EQ(one.response().status, 413);
  EXPECT_TRUE(one.closed());
}

TEST_F(ConversationTest, RefusesALongBodyBeforeItIsSent) {
  serve();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ";
  auto one = client();
  one.send(head + "1048577\r\n\r\n");
  const auto response = one.response();
  EXPECT_EQ(response.status, 413) << response.head;
  EXPECT_EQ(response.field("Connection"), "close");
  EXPECT_TRUE(one.closed());
  auto two = client();
  two.send(head + "3\r\n\r\n");
  EXPECT_EQ(two.read_through("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  two.send("abc");
  EXPECT_EQ(two.response().body, "abc");
}

TEST_F(ConversationTest, HearsOutAClientThatSendsOnAfterARefusal) {
  serve();
  auto one = client();
  one.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n" + std::string(500'000, 'x'));
  EXPECT_EQ(one.response().status, 413);  // and not a reset
  EXPECT_TRUE(one.closed());
}

TEST_F(ConversationTest, BoundsTheHeader) {
  serve({.header_bytes_max = 4'096, .header_fields_max = 10});
  auto endless = client();
  endless.send("GET /hello HTTP/1.1\r\nHost: h\r\nA: " + std::string(100'000, 'a'));
  EXPECT_EQ(endless.response().status, 431);
  std::string many = "GET /hello HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 10; ++i) many += "a: b\r\n";
  EXPECT_EQ(ask(many + "\r\n").status, 431);
  auto flood = client();
  flood.send("GET /hello HTTP/1.1\r\nHost: h\r\n");
  std::string lines;
  for (int i = 0; i < 1'000; ++i) lines += "a: b\r\n";
  for (int i = 0; i < 1'000 && flood.send(lines); ++i) {
  }
  EXPECT_TRUE(test::eventually([this] { return listener_->statistics().connections <= 2; }));
  EXPECT_EQ(ask(kHello).status, 200);
}

TEST_F(ConversationTest, AcceptsAHeaderOfExactlyTheLimit) {
  serve({.header_bytes_max = 4'096});
  const std::string start = "GET /hello HTTP/1.1\r\nHost: h\r\nA: ";
  const auto header = [&](std::size_t bytes) {
    return start + std::string(bytes - start.size() - 4, 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(ask(header(4'096)).status, 200);
  EXPECT_EQ(ask(header(4'097)).status, 431);
}

TEST_F(ConversationTest, RefusesCompressedBodies) {
  serve();
  EXPECT_EQ(ask(post("/echo", "\x1f\x8b\x08", "Content-Encoding: gzip\r\n")).status, 415);
}

TEST_F(ConversationTest, AppliesNeitherRangesNorCompression) {
  serve();
  const auto response =
      ask(post("/echo", "{\"a\":0}", "Range: bytes=0-1,2-3\r\nAccept-Encoding: br, gzip\r\n"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{\"a\":0}");
  EXPECT_THAT(response.head, Not(HasSubstr("Content-Encoding")));
}

TEST_F(ConversationTest, HidesWhatAnExceptionSays) {
  serve();
  const auto response = ask("GET /throw HTTP/1.1\r\nHost: h\r\nX-Request-Id: id-1\r\n\r\n");
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.head + response.body, Not(HasSubstr("secret")));
  EXPECT_THAT(response.head, Not(HasSubstr("EXCEPTION")));
  ASSERT_TRUE(test::eventually([this] { return observed().size() == 1; }));
  EXPECT_EQ(observed()[0].error, "secret detail");
  EXPECT_EQ(observed()[0].request_id, "id-1");
  EXPECT_EQ(ask(kHello).status, 200);
}

TEST_F(ConversationTest, ShowsTheHandlerWhatWasSent) {
  serve();
  const auto shown = ask("GET /show?b=%2B+1&a=?&b=2 HTTP/1.1\r\nHost: h\r\nREMOTE_ADDR: 6.6.6.6\r\n"
                         "X-Percent: 100%25 + 1\r\nX-Request-Id: id\r\n\r\n")
                         .body;
  EXPECT_EQ(shown,
            "GET /show\n?b=+ 1\n?a=?\n?b=2\nHost: h\nREMOTE_ADDR: 6.6.6.6\nX-Percent: 100%25 + 1\n"
            "X-Request-Id: id\nfrom 127.0.0.1 as id\n");
}

TEST_F(ConversationTest, LetsNoHeaderBeSplit) {
  serve();
  EXPECT_THAT(ask("GET /split HTTP/1.1\r\nHost: h\r\n\r\n").head, Not(HasSubstr("X-Injected")));
}

TEST_F(ConversationTest, AcceptsALargeFormAsItIs) {
  serve();
  const std::string body(100'000, 'a');
  EXPECT_EQ(ask(post("/echo", body, "Content-Type: application/x-www-form-urlencoded\r\n")).body, body);
}

TEST_F(ConversationTest, AnswersPipelinedRequestsInOrder) {
  serve();
  auto one = client();
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += post("/echo", "body " + std::to_string(i)) + (i % 2 ? "\r\n" : "");
  one.send(requests);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(one.response().body, "body " + std::to_string(i));
}

TEST_F(ConversationTest, PutsARequestTogetherFromSingleBytes) {
  serve();
  auto one = client();
  for (const char c : post("/echo", "abc")) one.send(std::string_view(&c, 1));
  EXPECT_EQ(one.response().body, "abc");
}

TEST_F(ConversationTest, AnswersHeadLikeGetWithoutABody) {
  serve();
  auto one = client();
  one.send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n" + kHello);
  const auto head = one.response(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), "6");
  EXPECT_EQ(one.response().body, "hello\n");  // nothing lies between
  EXPECT_TRUE(test::eventually([this] { return observed().size() == 2; }));
  EXPECT_EQ(observed()[0].method, "HEAD");
}

TEST_F(ConversationTest, SaysNothingOfLengthWithoutContent) {
  serve();
  const auto response = ask("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.field("Content-Length"), "");
}

TEST_F(ConversationTest, KeepsOrClosesAsTheClientAsks) {
  serve();
  auto old = client();
  old.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.response().field("Connection"), "close");
  EXPECT_TRUE(old.closed());
  auto kept = client();
  kept.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.response().field("Connection"), "keep-alive");
  kept.send(kHello);
  EXPECT_EQ(kept.response().status, 200);
  auto closing = client();
  closing.send("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(closing.response().field("Connection"), "close");
  EXPECT_TRUE(closing.closed());
}

TEST_F(ConversationTest, ClosesSlowHeadersAtTheDeadline) {
  serve({.header_timeout_ms = 300});
  auto slow = client();
  slow.send("GET /hello HTTP/1.1\r\n");
  const auto start = std::chrono::steady_clock::now();
  bool alive = true;
  while (alive &&
         std::chrono::steady_clock::now() - start < test::kPatience) {  // a byte now and then does not help
    slow.send("a");
    alive = !slow.closed(std::chrono::milliseconds(20)) &&
            slow.read_through("\r\n\r\n", std::chrono::milliseconds(20)).empty();
  }
  EXPECT_FALSE(alive);
  EXPECT_EQ(handler_.handled(), 0);
  ASSERT_TRUE(test::eventually([this] { return !observed().empty(); }));
  EXPECT_EQ(observed()[0].status, 408);
}

TEST_F(ConversationTest, ClosesSilentConnections) {
  serve({.header_timeout_ms = 200, .idle_timeout_ms = 200});
  auto silent = client();
  EXPECT_TRUE(silent.closed());
  auto idle = client();
  idle.send(kHello);
  EXPECT_EQ(idle.response().status, 200);
  EXPECT_TRUE(idle.closed());
}

TEST_F(ConversationTest, ClosesSlowBodiesAtTheDeadline) {
  serve({.body_timeout_ms = 200});
  auto slow = client();
  slow.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(slow.response().status, 408);
  EXPECT_TRUE(slow.closed());
  EXPECT_EQ(handler_.handled(), 0);
}

TEST_F(ConversationTest, CutsReadersThatTakeNothing) {
  serve({.write_timeout_ms = 200, .transfer_bytes_per_second_min = 100'000'000});
  auto stalled = client(4'096);
  stalled.send("GET /large?bytes=20000000 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(test::eventually([this] { return listener_->statistics().requests_total == 1; }));
  EXPECT_TRUE(test::eventually([this] { return listener_->statistics().connections == 0; }));
}

TEST_F(ConversationTest, SendsLargeAnswersWhole) {
  serve();
  auto one = client(4'096);
  one.send("GET /large?bytes=5000000 HTTP/1.1\r\nHost: h\r\n\r\n" + kHello);
  EXPECT_EQ(one.response().body, std::string(5'000'000, 'x'));
  EXPECT_EQ(one.response().body, "hello\n");
}

TEST_F(ConversationTest, BoundsTheBodiesInMemory) {
  serve({.bodies_bytes_max = 300'000});
  auto holder = client();
  holder.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 250000\r\n\r\n" + std::string(240'000, 'x'));
  ASSERT_TRUE(test::eventually([this] { return listener_->statistics().bodies_bytes >= 240'000; }));
  EXPECT_EQ(ask(post("/echo", std::string(100'000, 'y'))).status, 503);
  holder.send(std::string(10'000, 'x'));
  EXPECT_EQ(holder.response().status, 200);
  EXPECT_TRUE(test::eventually([this] { return listener_->statistics().bodies_bytes == 0; }));
  EXPECT_EQ(ask(post("/echo", std::string(100'000, 'y'))).status, 200);
}

TEST_F(ConversationTest, TheGateDecidesBeforeTheBodyComes) {
  serve({}, [](const api::RouteInfo&, api::Request& head) -> std::optional<api::Response> {
    if (head.header("authorization") == "Bearer good") {
      head.key_id = "key-1";
      return std::nullopt;
    }
    api::Response refusal;
    refusal.status = 401;
    refusal.set_header("WWW-Authenticate", "Bearer");
    return refusal;
  });
  auto one = client();
  one.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  const auto refused = one.response();
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.field("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(refused.field("Connection"), "close");
  auto two = client();
  two.send(kHello + post("/echo", "abc", "Authorization: Bearer good\r\n"));
  EXPECT_EQ(two.response().status, 401);  // without a body, the connection goes on
  EXPECT_EQ(two.response().body, "abc");
  EXPECT_EQ(handler_.handled(), 1);
  EXPECT_TRUE(test::eventually([this] { return observed().back().key_id == "key-1"; }));
}

TEST_F(ConversationTest, OutlivesAGateThatThrows) {
  serve({}, [](const api::RouteInfo&, api::Request&) -> std::optional<api::Response> {
    throw std::runtime_error("secret detail");
  });
  const auto response = ask(kHello);
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.head + response.body, Not(HasSubstr("secret")));
  EXPECT_TRUE(test::eventually([this] { return observed().size() == 1; }));
  EXPECT_EQ(observed()[0].error, "secret detail");
}

TEST_F(ConversationTest, TellsTheObserver) {
  serve();
  const auto response = ask("GET /hello HTTP/1.1\r\nHost: h\r\nX-Request-Id: id-1\r\n\r\n");
  ASSERT_TRUE(test::eventually([this] { return observed().size() == 1; }));
  ask(post("/echo", "12345"));
  ASSERT_TRUE(test::eventually([this] { return observed().size() == 2; }));
  const auto first = observed()[0];
  EXPECT_EQ(first.method + " " + first.path + " " + first.pattern, "GET /hello /hello");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.request_id, "id-1");
  EXPECT_EQ(first.remote_address, "127.0.0.1");
  EXPECT_EQ(first.bytes_in, 0u);
  EXPECT_EQ(first.bytes_out, response.head.size() + response.body.size());
  EXPECT_GE(first.duration_us, 0);
  EXPECT_EQ(first.error, "");
  EXPECT_EQ(observed()[1].bytes_in, 5u);
}

}  // namespace
}  // namespace mlpd::server
