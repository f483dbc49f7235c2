#include "server/http/worker_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "tests/support/raw_client.h"

namespace mlpd::server {
namespace {

using test::eventually;

/// Pieces of work that block until they are let go.
class WorkerPoolTest : public testing::Test {
 protected:
  WorkerPool::Work work() {
    return {[this] { return next(); }, [this](void*) { perform(); }, [this] { ++begun_; }};
  }
  void TearDown() override {
    if (!pool_) return;
    pool_->stop();
    const std::lock_guard lock(mutex_);
    ended_ = free_ = true;
    changed_.notify_all();
  }
  void give(int pieces) {
    const std::lock_guard lock(mutex_);
    waiting_ += pieces;
    changed_.notify_all();
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    free_ = true;
    changed_.notify_all();
  }
  bool reaches(std::size_t busy) {
    return eventually([&] {
      pool_->check();
      return pool_->busy() == busy;
    });
  }

  std::unique_ptr<WorkerPool> pool_;
  std::atomic<int> begun_{0};
  std::atomic<int> done_{0};

 private:
  void* next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0 || ended_; });
    if (waiting_ == 0) return nullptr;
    --waiting_;
    return this;
  }
  void perform() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return free_; });
    ++done_;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool free_ = false;
  bool ended_ = false;
};

TEST_F(WorkerPoolTest, ReplacesBlockedThreadsUpToItsBound) {
  pool_ = std::make_unique<WorkerPool>(2, 5, work());
  EXPECT_EQ(pool_->threads(), 2u);
  EXPECT_FALSE(pool_->any_busy());
  give(7);
  ASSERT_TRUE(reaches(5));
  EXPECT_TRUE(pool_->saturated());
  for (int i = 0; i < 5; ++i) pool_->check();
  EXPECT_EQ(pool_->threads(), 5u);
  EXPECT_EQ(begun_, 5);
  let_go();
  ASSERT_TRUE(eventually([this] { return done_ == 7; }));
  EXPECT_TRUE(eventually([this] { return !pool_->any_busy(); }));
}

TEST_F(WorkerPoolTest, UsesRestingThreadsAgain) {
  pool_ = std::make_unique<WorkerPool>(1, 3, work());
  give(3);
  ASSERT_TRUE(reaches(3));
  let_go();
  ASSERT_TRUE(eventually([this] { return done_ == 3; }));
  give(50);
  ASSERT_TRUE(eventually([this] {
    pool_->check();
    return done_ == 53;
  }));
  EXPECT_EQ(pool_->threads(), 3u);
}

}  // namespace
}  // namespace mlpd::server
