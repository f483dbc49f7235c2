#include "server/http/listening_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/raw_client.h"

namespace mlpd::server {
namespace {

TEST(ListeningSocket, TakesAFreePortOnce) {
  const auto first = listen_on("127.0.0.1", 0);
  ASSERT_TRUE(first.ok());
  const int port = bound_port(*first);
  EXPECT_GT(port, 0);
  EXPECT_TRUE(test::RawClient(port).connected());
  const auto second = listen_on("127.0.0.1", port);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, core::ErrorCode::unavailable);
  EXPECT_THAT(second.error().message, testing::HasSubstr("taken by another process"));
  const auto by_name = listen_on("localhost", port);  // does not turn to ::1 in silence
  ASSERT_FALSE(by_name.ok());
  EXPECT_EQ(by_name.error().code, core::ErrorCode::unavailable);
  ::close(*first);
  const auto third = listen_on("localhost", port);  // names work, and closed listeners don't linger
  ASSERT_TRUE(third.ok()) << third.error().message;
  ::close(*third);
}

TEST(ListeningSocket, SaysWhatIsWrongWithTheAddress) {
  EXPECT_EQ(listen_on("no such host", 1).error().code, core::ErrorCode::invalid_argument);
  const auto foreign = listen_on("192.0.2.1", 0);
  ASSERT_FALSE(foreign.ok());
  EXPECT_EQ(foreign.error().code, core::ErrorCode::unavailable);
  EXPECT_THAT(foreign.error().message, testing::HasSubstr("192.0.2.1:0"));
}

TEST(ListeningSocket, WritesAddresses) {
  const struct {
    const char* six;
    const char* text;
  } cases[] = {{"::1", "::1"}, {"2001:db8::5", "2001:db8::5"}, {"::ffff:10.0.0.7", "10.0.0.7"}};
  for (const auto& test : cases) {
    sockaddr_storage storage{};
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    ASSERT_EQ(::inet_pton(AF_INET6, test.six, &address.sin6_addr), 1);
    EXPECT_EQ(address_text(storage), test.text);
  }
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(address_text(storage), "127.0.0.1");
}

}  // namespace
}  // namespace mlpd::server
