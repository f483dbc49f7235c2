#include <gtest/gtest.h>

#include <set>

#include "server/engine.h"
#include "tests/support/store_story.h"

namespace mlpd::server {
namespace {

/// Which files of a small store get damaged: those whose path begins so. One of them is a test case, so that
/// they run side by side.
struct Part {
  const char* name;
  const char* prefix;
};

/// A store of everything that there is, and one file of it damaged: the rest serves as before, and what is
/// not as before is named by GET /v1/system.
class DamageSweep : public StoreStory, public ::testing::WithParamInterface<Part> {
 protected:
  std::shared_ptr<MemoryDisk> whole_;
  View before_;                                        ///< of the undamaged store
  std::map<std::string, std::set<std::string>> past_;  ///< what was seen of each unit in the store's life

  /// Two networks of which one has everything that a network can have, a data set, a search.
  void SetUp() override {
    const std::string search = R"({"name":"hunt","dataset":"table","network":{"layers":[{"units":1}]},)"
                               R"("train":{"steps":2},"keep":"winner",)"
                               R"("space":{"network":{"/layers/0/units":[1]}}})";
    open_on(disk_);
    for (const Step& step : std::vector<Step>{
             {"POST", "/v1/networks", R"({"name":"plain","inputs":2,"layers":[{"units":2}]})", 201},
             {"POST", "/v1/networks/plain/train", R"({"data":{"generator":"xor","rows":4},"steps":9})", 202},
             {"POST", "/v1/networks", R"({"name":"rich","inputs":2,"layers":[{"units":1},{"units":2}]})",
              201},
             {"POST", "/v1/networks/rich/train",
              R"({"data":{"inputs":[[0,1],[1,0]],"targets":[1,0]},"steps":40,"checkpoint_every":20})", 202},
             {"PATCH", "/v1/networks/rich", R"({"labels":{"a":"b"}})"},
             {"POST", "/v1/networks/rich/versions", "", 201},
             {"PUT", "/v1/networks/rich/aliases/default", R"({"version":1})", 201},
             {"POST", "/v1/networks/rich/train", R"({"data":{"generator":"xor","rows":400},"steps":3})", 202},
             {"POST", "/v1/networks/rich/versions", "", 201},
             {"POST", "/v1/datasets?name=table", "a,b,y\n1,2,u\n2,1,v\n3,5,u\n4,4,v\n5,1,u\n", 201},
             {"POST", "/v1/searches", search, 201},
         }) {
      take(step);
      if (HasFatalFailure()) return;
      settle();
      for (const auto& [unit, seen] : view()) past_[unit].insert(seen);
    }
    before_ = view();
    close();
    whole_ = disk_->copy();
  }

  /// The files of this case, with their bytes.
  std::map<std::string, std::string> files() {
    std::map<std::string, std::string> chosen;
    for (const auto& [file, bytes] : whole_->files())
      if (file.starts_with(GetParam().prefix) && !file.ends_with('/')) chosen[file] = bytes;
    EXPECT_FALSE(chosen.empty());
    return chosen;
  }

  /// "networks/rich/journal.ndjson" and "data/0a1b….json": what has to be named.
  static std::string owner_of(const std::string& file) {
    const std::size_t begin = file.find('/') + 1;
    return file.substr(begin, file.find_first_of("/.", begin) - begin);
  }

  /// Whether damage to the file may be seen there.
  static bool concerns(const std::string& file, const std::string& unit) {
    if (file.starts_with("data/")) return unit.ends_with(" of rich") || unit == "network rich";
    return unit.ends_with(owner_of(file));
  }

  void check(const std::string& file, std::string bytes, bool lost_records) {
    const std::shared_ptr<MemoryDisk> disk = whole_->copy();
    const std::filesystem::path path = folder_.path() / file;
    ASSERT_TRUE(disk->write(path, 0, bytes).ok());
    open_on(disk);
    ASSERT_TRUE(engine_);
    settle();
    const View now = view();
    const std::vector<std::string> said = quarantined();
    const bool named = std::any_of(said.begin(), said.end(), [&](const std::string& line) {
      return line.find(owner_of(file)) != std::string::npos;
    });
    for (const View& one : {now, before_})
      for (const auto& [unit, seen] : one) {
        const auto found = now.find(unit);
        if (found != now.end() && before_.contains(unit) && found->second == before_[unit]) continue;
        EXPECT_TRUE(concerns(file, unit)) << unit << ": " << seen;
        const bool earlier = lost_records && found != now.end() && past_[unit].contains(found->second);
        EXPECT_TRUE(named || earlier) << unit << " is not what it was: " << seen;
      }
    close();
  }
};

#if defined(__has_feature)
#define MLPD_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MLPD_SANITIZED 1
#else
#define MLPD_SANITIZED 0
#endif

/// 1, but for training data, of which only what is large has a file of its own; sanitizers take too long.
std::size_t stride_of(const std::string& bytes) {
  if (MLPD_SANITIZED) return 1 + bytes.size() / 20;
  return bytes.size() < 10'000 ? 1 : 1 + bytes.size() / 500;
}

TEST_P(DamageSweep, EveryFlippedByteIsNamedOrHarmless) {
  for (const auto& [file, bytes] : files())
    for (std::size_t i = 0; i < bytes.size(); i += stride_of(bytes)) {
      SCOPED_TRACE(file + " byte " + std::to_string(i));
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
      check(file, std::move(damaged), false);
      if (HasFailure()) return;
    }
}

/// A journal cut between two records, or inside its last, can't be told from one of before: what it still
/// says is served.
TEST_P(DamageSweep, EveryTruncationIsNamedOrHarmless) {
  for (const auto& [file, bytes] : files())
    for (std::size_t size = 0; size < bytes.size(); size += stride_of(bytes)) {
      SCOPED_TRACE(file + " cut at " + std::to_string(size));
      check(file, bytes.substr(0, size), file.ends_with("journal.ndjson"));
      if (HasFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Parts, DamageSweep,
                         ::testing::Values(Part{"identity", "networks/rich/network.json"},
                                           Part{"journal", "networks/rich/journal.ndjson"},
                                           Part{"history", "networks/rich/history.json"},
                                           Part{"checkpoints", "networks/rich/checkpoints/"},
                                           Part{"data", "data/"},
                                           Part{"index_of_versions", "versions/rich/index"},
                                           Part{"version_1", "versions/rich/1"},
                                           Part{"version_2", "versions/rich/2"},
                                           Part{"datasets", "datasets/"}, Part{"searches", "searches/"}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace mlpd::server
