#include "server/http/epoll.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <thread>

#include "server/http/connection.h"

namespace mlpd::server {
namespace {

/// A descriptor that is readable once it was rung.
class Bell {
 public:
  ~Bell() { ::close(fd); }
  void ring() const {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(fd, &one, sizeof one), static_cast<ssize_t>(sizeof one));
  }

  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
};

std::int64_t own_processor_us() {
  timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return spent.tv_sec * 1'000'000 + spent.tv_nsec / 1'000;
}

class EpollTest : public testing::TestWithParam<std::int64_t> {
 protected:
  EpollTest() { EXPECT_TRUE(epoll_.valid()); }
  /// A copy: the kernel's struct is packed, so that no reference into it may be taken.
  epoll_data_t data() const { return ready_[0].data; }
  int wait(int timeout_ms) { return epoll_.wait(ready_, timeout_ms, GetParam()); }

  Epoll epoll_;
  Bell bell_;
  epoll_event ready_[4];
};

TEST_P(EpollTest, GivesBackWhatWasSaidOfADescriptor) {
  ASSERT_TRUE(epoll_.add(bell_.fd, EPOLLIN, {.u64 = 7}));
  EXPECT_FALSE(epoll_.add(bell_.fd, EPOLLIN, {.u64 = 8}));
  EXPECT_EQ(wait(0), 0);
  bell_.ring();
  ASSERT_EQ(wait(-1), 1);
  EXPECT_EQ(data().u64, 7u);
  ASSERT_TRUE(epoll_.change(bell_.fd, EPOLLIN | EPOLLONESHOT, {.ptr = &bell_}));
  ASSERT_EQ(wait(-1), 1);
  EXPECT_EQ(data().ptr, &bell_);
  EXPECT_EQ(wait(0), 0);  // one-shot
  ASSERT_TRUE(epoll_.change(bell_.fd, EPOLLIN, {.fd = 9}));
  EXPECT_EQ(wait(0), 1);
  epoll_.remove(bell_.fd);
  EXPECT_EQ(wait(0), 0);
  EXPECT_FALSE(epoll_.change(bell_.fd, EPOLLIN, {.fd = 9}));
}

TEST_P(EpollTest, WakesForWhatComesLater) {
  ASSERT_TRUE(epoll_.add(bell_.fd, EPOLLIN, {.fd = bell_.fd}));
  std::thread ringer([this] { bell_.ring(); });
  EXPECT_EQ(wait(-1), 1);
  ringer.join();
}

TEST_P(EpollTest, SleepsOncePollingIsOver) {
  const std::int64_t processor = own_processor_us(), clock = now_us();
  EXPECT_EQ(wait(200), 0);
  EXPECT_GE(now_us() - clock, 199'000);
  EXPECT_LT(own_processor_us() - processor, 100'000);
}

INSTANTIATE_TEST_SUITE_P(Polling, EpollTest, testing::Values(0, 1'000));

}  // namespace
}  // namespace mlpd::server
