#include "server/store/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>

#include "server/store/file_store.h"
#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

/// Opens the same store again and again; what every implementation of Store has to give.
struct Implementation {
  const char* name;
  std::function<std::unique_ptr<Store>(const std::filesystem::path&)> open;
};

class StoreTest : public ::testing::TestWithParam<Implementation> {
 protected:
  StoreTest() { open(); }

  void open() {
    found_.clear();
    store_.reset();
    store_ = GetParam().open(folder_.path());
    ASSERT_TRUE(store_);
    ASSERT_TRUE(
        store_->recover([this](StoredNetwork network) { found_[network.name] = std::move(network); }).ok());
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
  std::map<std::string, StoredNetwork> found_;
};

TEST_P(StoreTest, GivesBackWhatItWasGiven) {
  ASSERT_TRUE(store_->create("a", {R"({"i":1})", {}, {}}, false).ok());
  ASSERT_TRUE(
      store_->create("b", {R"({"i":2})", std::pair(CheckpointKey{5, 0}, R"({"c":5})"), R"({"h":1})"}, false)
          .ok());
  EXPECT_EQ(*store_->append("a", {R"({"r":1})", R"({"r":2})"}), 2U);
  EXPECT_EQ(*store_->append("a", {R"({"r":3})"}), 3U);
  ASSERT_TRUE(store_->put_checkpoint("a", {20, 3}, R"({"c":20})").ok());
  ASSERT_TRUE(store_->put_checkpoint("a", {3, 1}, R"({"c":3})").ok());
  ASSERT_TRUE(store_->put_history("a", R"({"h":1})").ok());
  const std::uint64_t bytes = *store_->put_history("a", R"({"h":2})");
  EXPECT_EQ(*store_->add_to_history("a", bytes, R"({"h":3})"), 2 * bytes);
  EXPECT_EQ(*store_->add_to_history("a", bytes, R"({"h":4})"), 2 * bytes);  // as if that one had failed
  open();
  ASSERT_EQ(found_.size(), 2U);
  EXPECT_EQ(found_["a"].identity, R"({"i":1})");
  EXPECT_EQ(found_["a"].journal, (std::vector<std::string>{R"({"r":1})", R"({"r":2})", R"({"r":3})"}));
  ASSERT_EQ(found_["a"].checkpoints.size(), 2U);
  EXPECT_EQ(found_["a"].checkpoints[0].key, (CheckpointKey{3, 1}));
  EXPECT_EQ(found_["a"].checkpoints[1].key, (CheckpointKey{20, 3}));
  EXPECT_EQ(*store_->checkpoint("a", {20, 3}), R"({"c":20})");
  EXPECT_EQ(*store_->history("a"), (std::vector<std::string>{R"({"h":2})", R"({"h":4})"}));
  EXPECT_EQ(*store_->checkpoint("b", {5, 0}), R"({"c":5})");
  EXPECT_EQ(*store_->history("b"), std::vector<std::string>{R"({"h":1})"});
  EXPECT_EQ(*store_->append("a", {R"({"r":4})"}), 4U);
  EXPECT_TRUE(store_->quarantined().empty());
}

TEST_P(StoreTest, RefusesATakenNameAndReplacesInOneStep) {
  ASSERT_TRUE(store_->create("a", {R"({"i":1})", {}, {}}, false).ok());
  ASSERT_TRUE(store_->append("a", {R"({"r":1})"}).ok());
  EXPECT_EQ(store_->create("a", {R"({"i":2})", {}, {}}, false).error().code, core::ErrorCode::already_exists);
  ASSERT_TRUE(store_->create("a", {R"({"i":3})", {}, {}}, true).ok());
  EXPECT_EQ(*store_->append("a", {R"({"r":9})"}), 1U);
  open();
  EXPECT_EQ(found_["a"].identity, R"({"i":3})");
  EXPECT_EQ(found_["a"].journal, std::vector<std::string>{R"({"r":9})"});
}

TEST_P(StoreTest, ForgetsWhatIsRemoved) {
  const core::Digest digest = core::digest_bytes("rows");
  ASSERT_TRUE(store_->create("a", {R"({"i":1})", {}, {}}, false).ok());
  ASSERT_TRUE(store_->put_checkpoint("a", {1, 0}, R"({"c":1})").ok());
  ASSERT_TRUE(store_->remove_checkpoint("a", {1, 0}).ok());
  ASSERT_TRUE(store_->put_data(digest, R"({"d":1})").ok());
  EXPECT_EQ(*store_->data(digest), R"({"d":1})");
  EXPECT_EQ(store_->list_data()->size(), 1U);
  ASSERT_TRUE(store_->remove_data(digest).ok());
  EXPECT_EQ(store_->data(digest).error().code, core::ErrorCode::not_found);
  EXPECT_EQ(store_->checkpoint("a", {1, 0}).error().code, core::ErrorCode::not_found);
  ASSERT_TRUE(store_->remove("a").ok());
  EXPECT_EQ(store_->remove("a").error().code, core::ErrorCode::not_found);
  EXPECT_EQ(store_->append("a", {R"({"r":1})"}).error().code, core::ErrorCode::not_found);
  open();
  EXPECT_TRUE(found_.empty());
  EXPECT_TRUE(store_->list_data()->empty());
}

TEST_P(StoreTest, FoldsTheBeginningOfAJournal) {
  ASSERT_TRUE(store_->create("a", {R"({"i":1})", {}, {}}, false).ok());
  EXPECT_EQ(store_->fold("b", 1, R"({"f":1})").error().code, core::ErrorCode::not_found);
  ASSERT_TRUE(store_->append("a", {R"({"r":1})", R"({"r":2})", R"({"r":3})", R"({"r":4})"}).ok());
  ASSERT_TRUE(store_->put_checkpoint("a", {9, 4}, R"({"c":9})").ok());
  ASSERT_TRUE(store_->fold("a", 2, R"({"f":2})").ok());
  EXPECT_EQ(*store_->append("a", {R"({"r":5})"}), 5U);
  open();
  EXPECT_EQ(found_["a"].first_sequence, 2U);
  EXPECT_EQ(found_["a"].journal,
            (std::vector<std::string>{R"({"f":2})", R"({"r":3})", R"({"r":4})", R"({"r":5})"}));
  EXPECT_EQ(found_["a"].checkpoints.size(), 1U);
  ASSERT_TRUE(store_->fold("a", 5, R"({"f":5})").ok());
  open();
  EXPECT_EQ(found_["a"].first_sequence, 5U);
  EXPECT_EQ(found_["a"].journal, std::vector<std::string>{R"({"f":5})"});
  EXPECT_EQ(*store_->append("a", {R"({"r":6})"}), 6U);
}

TEST_P(StoreTest, AppendsWhileItFoldsLoseNothing) {
  constexpr std::uint64_t kRecords = 400;
  ASSERT_TRUE(store_->create("a", {R"({"i":1})", {}, {}}, false).ok());
  std::atomic<std::uint64_t> durable{0};
  std::thread writer([&] {
    for (std::uint64_t i = 1; i <= kRecords; ++i) {
      const core::Result<std::uint64_t> sequence = store_->append("a", {"{\"r\":" + std::to_string(i) + "}"});
      ASSERT_TRUE(sequence.ok());
      durable = *sequence;
    }
  });
  std::uint64_t folded = 0;
  while (durable < kRecords) {
    const std::uint64_t through = durable;
    if (through == folded) continue;
    ASSERT_TRUE(store_->fold("a", through, "{\"f\":" + std::to_string(through) + "}").ok());
    folded = through;
  }
  writer.join();
  open();
  ASSERT_EQ(found_["a"].first_sequence, folded);
  ASSERT_EQ(found_["a"].journal.size(), kRecords - folded + 1);
  EXPECT_EQ(found_["a"].journal[0], "{\"f\":" + std::to_string(folded) + "}");
  for (std::size_t i = 1; i < found_["a"].journal.size(); ++i)
    EXPECT_EQ(found_["a"].journal[i], "{\"r\":" + std::to_string(folded + i) + "}");
}

TEST_P(StoreTest, ManyThreadsAppendInOrder) {
  constexpr int kThreads = 8;
  constexpr int kRecords = 25;
  for (const char* name : {"a", "b"}) ASSERT_TRUE(store_->create(name, {R"({"i":1})", {}, {}}, false).ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::uint64_t last = 0;
      for (int i = 0; i < kRecords; ++i) {
        const std::string record = "{\"r\":" + std::to_string(t * kRecords + i) + "}";
        const core::Result<std::uint64_t> sequence = store_->append(t % 2 ? "a" : "b", {record});
        ASSERT_TRUE(sequence.ok());
        EXPECT_GT(*sequence, last);
        last = *sequence;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  open();
  EXPECT_EQ(found_["a"].journal.size(), kThreads / 2 * kRecords);
  EXPECT_EQ(found_["b"].journal.size(), kThreads / 2 * kRecords);
  for (const char* name : {"a", "b"}) {  // each thread's records in its order
    std::map<int, int> last;
    for (const std::string& record : found_[name].journal) {
      const int number = std::stoi(record.substr(5));
      EXPECT_GE(number, last[number / kRecords]);
      last[number / kRecords] = number;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, StoreTest,
                         ::testing::Values(Implementation{
                             "file_store",
                             [](const std::filesystem::path& folder) -> std::unique_ptr<Store> {
                               auto opened = FileStore::open(folder, std::make_shared<FileSystem>(),
                                                             [](const std::string&) {});
                               return opened.ok() ? *std::move(opened) : nullptr;
                             }}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace mlpd::server
