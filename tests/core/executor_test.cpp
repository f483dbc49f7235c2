#include "core/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "tests/support/thread_executor.h"

namespace mlpd::core {
namespace {

TEST(ForEachPart, CoversEachThingOnceInMultiplesOfTheUnit) {
  for (const std::size_t width : {1u, 2u, 3u, 8u})
    for (const std::size_t unit : {1u, 6u, 100u})
      for (std::size_t count = 0; count <= 4 * unit + 3; ++count) {
        SCOPED_TRACE(testing::Message() << count << " in units of " << unit << " on " << width);
        test::ThreadExecutor executor(width);
        std::vector<std::atomic<int>> taken(count);
        std::atomic<std::size_t> uneven{0}, parts{0};
        for_each_part(executor, width, count, unit, [&](std::size_t first, std::size_t length) {
          ++parts;
          uneven += length % unit != 0;
          for (std::size_t i = 0; i < length; ++i) ++taken.at(first + i);
        });
        for (const std::atomic<int>& times : taken) ASSERT_EQ(times, 1);
        EXPECT_LE(parts, width);
        EXPECT_LE(uneven, 1u);
      }
}

TEST(ForEachPart, LeavesWhatIsShortToTheCaller) {
  test::ThreadExecutor executor(4);
  const std::thread::id caller = std::this_thread::get_id();
  for_each_part(executor, 4, 199, 100, [&](std::size_t first, std::size_t length) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(first, 0u);
    EXPECT_EQ(length, 199u);
  });
}

}  // namespace
}  // namespace mlpd::core
