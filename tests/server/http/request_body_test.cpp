#include "server/http/request_body.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/socket_pair.h"

namespace mlpd::server {
namespace {

using test::SocketPair;

class RequestBodyTest : public testing::Test {
 protected:
  void begin_sized(std::uint64_t bytes) {
    RequestHead head;
    head.content_length = bytes;
    body_.begin(head);
  }
  void begin_chunked(std::size_t limit) {
    RequestHead head;
    head.chunked = true;
    body_.begin(head);
    EXPECT_TRUE(body_.set_limit(limit));
  }

  HeldBodies held_{100'000};
  RequestBody body_{held_};
  SocketPair pair_;
  std::string text_;
};

TEST_F(RequestBodyTest, ReadsASizedBodyAndNothingMore) {
  begin_sized(6);
  EXPECT_TRUE(body_.set_limit(6));
  EXPECT_FALSE(body_.set_limit(5));
  pair_.send("abc");
  EXPECT_EQ(body_.receive(*pair_.connection, text_), BodyStep::wait_readable);
  pair_.send("defGET");
  EXPECT_EQ(body_.receive(*pair_.connection, text_), BodyStep::complete);
  EXPECT_EQ(text_, "abcdef");
  EXPECT_EQ(body_.received_bytes(), 6u);
  EXPECT_EQ(held_.bytes, 6u);
  body_.reset();
  EXPECT_EQ(held_.bytes, 0u);
}

TEST_F(RequestBodyTest, ReadsAChunkedBody) {
  begin_chunked(11);
  pair_.send("5\r\nhello\r\n6\r");
  EXPECT_EQ(body_.receive(*pair_.connection, text_), BodyStep::wait_readable);
  pair_.send("\n world\r\n0\r\n\r\nGET");
  EXPECT_EQ(body_.receive(*pair_.connection, text_), BodyStep::complete);
  EXPECT_EQ(text_, "hello world");
  EXPECT_EQ(pair_.connection->input(), "GET");
}

TEST_F(RequestBodyTest, SaysHowABodyFails) {
  begin_chunked(4);
  pair_.send("5\r\nhello\r\n");
  EXPECT_EQ(body_.receive(*pair_.connection, text_), BodyStep::too_large);
  begin_chunked(4);
  EXPECT_EQ(body_.receive(*pair_.connection, text_), BodyStep::malformed);  // "hello" is no size
  begin_sized(100'001);
  EXPECT_TRUE(body_.set_limit(200'000));
  text_.clear();
  SocketPair slow;
  EXPECT_EQ(body_.receive(*slow.connection, text_), BodyStep::wait_readable);  // room for the first step
  EXPECT_LE(held_.bytes, 65'536u);
  slow.send(std::string(65'536, 'x'));
  EXPECT_EQ(body_.receive(*slow.connection, text_), BodyStep::no_room);
  body_.reset();
  begin_sized(1);
  text_.clear();
  slow.hang_up();
  EXPECT_EQ(body_.receive(*slow.connection, text_), BodyStep::closed);
}

TEST_F(RequestBodyTest, StreamsPiecesAsTheyCome) {
  begin_sized(200'000);
  EXPECT_TRUE(body_.set_limit(200'000));
  StreamedBody reader(body_, *pair_.connection, 10'000, 65'536);
  std::thread sender([this] {
    for (int i = 0; i < 200; ++i) pair_.send_all(std::string(1'000, static_cast<char>('a' + i % 26)));
  });
  std::string all;
  char buffer[777];
  for (;;) {
    const auto count = reader.read(buffer, sizeof buffer);
    ASSERT_TRUE(count.ok()) << count.error().message;
    if (*count == 0) break;
    all.append(buffer, *count);
  }
  sender.join();
  EXPECT_EQ(all.size(), 200'000u);
  EXPECT_EQ(all.substr(1'000, 1), "b");
  EXPECT_EQ(held_.bytes, 0u);  // none of it was kept
}

TEST_F(RequestBodyTest, GivesUpOnASlowSender) {
  begin_sized(10);
  pair_.send("abc");
  StreamedBody reader(body_, *pair_.connection, 50, 65'536);
  char buffer[10];
  EXPECT_EQ(*reader.read(buffer, sizeof buffer), 3u);
  EXPECT_EQ(reader.read(buffer, sizeof buffer).error().code, core::ErrorCode::unavailable);
}

TEST_F(RequestBodyTest, SaysHowAStreamFails) {
  char buffer[10];
  begin_chunked(4);
  StreamedBody reader(body_, *pair_.connection, 10'000, 65'536);
  pair_.send("5\r\nhello\r\n");
  EXPECT_EQ(reader.read(buffer, sizeof buffer).error().code, core::ErrorCode::resource_exhausted);
  begin_chunked(4);
  EXPECT_EQ(reader.read(buffer, sizeof buffer).error().code, core::ErrorCode::invalid_argument);
  begin_sized(100);
  pair_.hang_up();
  core::Result<std::size_t> count = std::size_t{1};
  while (count.ok() && *count > 0) count = reader.read(buffer, sizeof buffer);
  ASSERT_FALSE(count.ok());
  EXPECT_EQ(count.error().code, core::ErrorCode::unavailable);
}

}  // namespace
}  // namespace mlpd::server
