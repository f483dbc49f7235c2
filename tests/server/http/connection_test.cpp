#include "server/http/connection.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/support/socket_pair.h"

namespace mlpd::server {
namespace {

using test::SocketPair;

TEST(Connection, KeepsInputUntilItIsConsumed) {
  SocketPair pair(8);
  auto& connection = *pair.connection;
  EXPECT_EQ(connection.receive(), Io::wait_readable);
  pair.send("abcdef");
  EXPECT_EQ(connection.receive(), Io::done);
  EXPECT_TRUE(connection.drained());
  EXPECT_EQ(connection.input(), "abcdef");
  connection.consume(4);
  EXPECT_EQ(connection.input(), "ef");
  pair.send("0123456789");
  EXPECT_EQ(connection.receive(), Io::done);
  EXPECT_EQ(connection.input(), "ef012345");
  EXPECT_TRUE(connection.full());
  EXPECT_FALSE(connection.drained());
  connection.consume(8);
  char rest[10];
  std::size_t count = 0;
  EXPECT_EQ(connection.receive_into(rest, sizeof rest, count), Io::done);
  EXPECT_EQ(std::string_view(rest, count), "6789");
  pair.hang_up();
  EXPECT_EQ(connection.receive(), Io::closed);
}

TEST(Connection, SendsHeadAndBodyTogether) {
  SocketPair pair;
  auto& connection = *pair.connection;
  std::string head = "head ";
  connection.queue(head, "body");
  EXPECT_EQ(connection.unsent(), 9u);
  EXPECT_EQ(connection.flush(), Io::done);
  EXPECT_EQ(pair.received(), "head body");
  connection.queue_more("more");
  head = " head ";
  connection.queue(head, "body");  // after what has not left yet
  EXPECT_EQ(connection.flush(), Io::done);
  EXPECT_EQ(pair.received(), "more head body");
}

TEST(Connection, SendsThePartsThatFit) {
  SocketPair pair;
  auto& connection = *pair.connection;
  std::string head(3'000'000, 'h');
  connection.queue(head, std::string(3'000'000, 'b'));
  std::string all;
  Io io = connection.flush();
  EXPECT_EQ(io, Io::wait_writable);
  for (int round = 0; round < 10'000 && io == Io::wait_writable; ++round) {
    all += pair.received();
    io = connection.flush();
  }
  EXPECT_EQ(io, Io::done);
  all += pair.received();
  EXPECT_EQ(all, std::string(3'000'000, 'h') + std::string(3'000'000, 'b'));
}

TEST(Connection, KeepsOrderWhileMoreIsQueued) {
  SocketPair pair;
  auto& connection = *pair.connection;
  std::string sent, all;
  for (int i = 0; i < 2'000; ++i) {
    const std::string text = std::to_string(i) + std::string(1'000, '.');
    sent += text;
    connection.queue_more(text);
    connection.flush();
    if (i % 7 == 0) all += pair.received();
  }
  while (connection.flush() == Io::wait_writable) all += pair.received();
  all += pair.received();
  EXPECT_EQ(all, sent);
}

TEST(Connection, NoticesThatThePeerLeft) {
  SocketPair pair;
  pair.hang_up();
  std::string head = "head";
  pair.connection->queue(head, "");
  EXPECT_EQ(pair.connection->flush(), Io::closed);  // and no signal
}

TEST(Connection, WaitsForTheSocket) {
  SocketPair pair;
  EXPECT_FALSE(pair.connection->wait(POLLIN, 10));
  EXPECT_TRUE(pair.connection->wait(POLLOUT, 10));
  pair.send("x");
  EXPECT_TRUE(pair.connection->wait(POLLIN, 10'000));
}

}  // namespace
}  // namespace mlpd::server
