#include "server/versions.h"

#include <gtest/gtest.h>

#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

using core::ErrorCode;

class VersionsTest : public EngineTest {
 protected:
  Versions& versions() { return static_cast<Versions&>(*engine_->services().versions); }
};

TEST_F(VersionsTest, WhatARunningJobPublishedStays) {
  open();
  create("a");
  const auto job = jobs().train("a", train_request(1'000'000'000));
  ASSERT_TRUE(job.ok());
  auto checkpoint = *networks().checkpoint("a", std::nullopt);
  ASSERT_EQ(versions().publish_from("a", std::move(checkpoint), job->id, "best")->version, 1u);
  EXPECT_EQ(versions().published_by("a", job->id)->version, 1u);
  ASSERT_TRUE(versions().remove_alias("a", "best").ok());
  const auto refused = versions().remove("a", 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_NE(refused.error().message.find(job->id), std::string::npos);
  ASSERT_TRUE(jobs().cancel(job->id).ok());
  wait(job->id);
  EXPECT_TRUE(versions().remove("a", 1).ok());
}

TEST_F(VersionsTest, AShadowIsOnTheDisk) {
  open();
  create("a");
  EXPECT_EQ(versions().shadow("a"), std::nullopt);
  ASSERT_TRUE(versions().set_shadow("a", {}).ok());  // before there is any version
  const auto live = versions().shadow("a");
  ASSERT_TRUE(live);
  reopen();
  EXPECT_EQ(versions().shadow("a"), live);
  ASSERT_TRUE(versions().publish("a", std::nullopt, {}).ok());
  const auto moved = versions().set_shadow("a", 1);
  ASSERT_TRUE(moved.ok());
  EXPECT_FALSE(moved->second);
  reopen();
  EXPECT_EQ(versions().shadow("a"), moved->first);
  ASSERT_TRUE(versions().remove_shadow("a").ok());
  reopen();
  EXPECT_EQ(versions().shadow("a"), std::nullopt);
  ASSERT_TRUE(versions().set_shadow("a", 1).ok());
  ASSERT_TRUE(networks().remove("a", std::nullopt, false).ok());
  create("a");
  EXPECT_EQ(versions().shadow("a"), std::nullopt);
}

}  // namespace
}  // namespace mlpd::server
