#include "server/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "tests/support/eventually.h"

namespace mlpd::server {
namespace {

TEST(ThreadPoolTest, CallsEachIndexOnce) {
  for (const std::size_t width : {1u, 2u, 4u}) {
    ThreadPool pool(width);
    EXPECT_EQ(pool.width(), width);
    for (const std::size_t count : {0u, 1u, 2u, 1'000u}) {
      std::vector<std::atomic<int>> calls(count);
      for (int repeat = 0; repeat < 50; ++repeat) {
        pool.for_each(count, [&](std::size_t i) { calls[i].fetch_add(1); });
      }
      for (const std::atomic<int>& call : calls) EXPECT_EQ(call, 50);
    }
  }
}

TEST(ThreadPoolTest, ServesSeveralCallersAtOnce) {
  ThreadPool pool(2);
  std::atomic<std::uint64_t> sum{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 200; ++repeat) {
        pool.for_each(10, [&](std::size_t i) { sum.fetch_add(i); });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4u * 200u * 45u);
}

TEST(ThreadPoolTest, KnowsWhoIsAwake) {
  ThreadPool pool(3);
  EXPECT_TRUE(test::eventually([&] { return pool.awake() == 1; }));
  std::atomic<std::size_t> inside{0}, most{0};
  pool.for_each(3, [&](std::size_t) {
    ++inside;
    EXPECT_TRUE(test::eventually([&] { return inside == 3; }));  // each in a thread of its own
    most = std::max(most.load(), pool.awake());
  });
  EXPECT_EQ(most, 3u);
  EXPECT_TRUE(test::eventually([&] { return pool.awake() == 1; }));
  EXPECT_EQ(ThreadPool(1).awake(), 1u);
}

TEST(ThreadSecondsTest, CountsWhatWasComputedNotWhatWasWaited) {
  const double start = thread_seconds();
  while (thread_seconds() < start + 0.01) {
  }
  const double computed = thread_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // what must not count
  EXPECT_LT(thread_seconds() - computed, 0.05);
}

}  // namespace
}  // namespace mlpd::server
