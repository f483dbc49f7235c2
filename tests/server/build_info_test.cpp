#include "server/build_info.h"

#include <gmock/gmock.h>

namespace mlpd::server {
namespace {

TEST(BuildInfo, NamesVersionAndCompiler) {
  EXPECT_THAT(std::string(version()), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(build(), testing::MatchesRegex("(g\\+\\+|clang) [0-9]+\\..*, (not )?optimized"));
}

}  // namespace
}  // namespace mlpd::server
