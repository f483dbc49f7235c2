#include "server/version_index.h"

#include <gtest/gtest.h>

#include <chrono>

namespace mlpd::server {
namespace {

VersionIndex example() {
  VersionIndex index;
  index.next = 4;
  for (const std::uint64_t number : {1, 3}) {
    api::VersionView& view = index.versions[number];
    view.version = number;
    view.step = 100 * number;
    view.state_sha256 = std::string(64, 'a');
    view.bytes = 7;
    view.created_at = api::Timestamp(std::chrono::milliseconds(1000 * number));
  }
  index.versions[3].job = "job";
  index.aliases["default"] = 3;
  index.shadow = Shadow{api::VersionNumber(1), api::Timestamp(std::chrono::milliseconds(5))};
  return index;
}

TEST(VersionIndex, IsReadAsItWasWritten) {
  const auto read = read_version_index(write_version_index(example()));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->next, 4u);
  ASSERT_EQ(read->versions.size(), 2u);
  EXPECT_EQ(read->versions.at(3).job, "job");
  EXPECT_EQ(read->versions.at(1).step, 100u);
  EXPECT_EQ(read->aliases, example().aliases);
  ASSERT_TRUE(read->shadow);
  EXPECT_EQ(read->shadow->version, api::VersionNumber(1));
  EXPECT_TRUE(read->holds(1));
  EXPECT_TRUE(read->holds(3));
  EXPECT_FALSE(read->holds(2));
}

TEST(VersionIndex, NoLineGoesMissingUnnoticed) {
  const std::string text = write_version_index(example());
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin < text.size(); ++lines) {
    const std::size_t end = text.find('\n', begin) + 1;
    const auto read = read_version_index(text.substr(0, begin) + text.substr(end));
    ASSERT_FALSE(read.ok()) << "line " << lines;
    EXPECT_EQ(read.error().code, core::ErrorCode::corrupted);
    begin = end;
  }
  EXPECT_EQ(lines, 5u);
  EXPECT_FALSE(read_version_index("").ok());
}

}  // namespace
}  // namespace mlpd::server
