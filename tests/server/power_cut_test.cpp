#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <set>

#include "server/engine.h"
#include "tests/support/store_story.h"

namespace mlpd::server {
namespace {

/// The power goes off before every change of the disk that a store's life makes, and the disk keeps as little
/// of what was not synced as a disk may: what was acknowledged is there, what was not happened wholly or not
/// at all, and nothing is found damaged.
class PowerCutDamage : public StoreStory {
 protected:
  struct Moment {
    std::size_t acknowledged = 0;  ///< steps answered before it
    std::size_t begun = 0;         ///< steps asked for
    std::shared_ptr<MemoryDisk> left;
    std::string what;
  };

  void TearDown() override { close(); }

  std::atomic<std::size_t> acknowledged_{0};
  std::atomic<std::size_t> begun_{0};
  std::mutex moments_mutex_;
  std::vector<Moment> moments_;
  std::set<std::pair<std::size_t, std::size_t>> known_;  ///< steps and contents: nothing is tried twice
  std::vector<View> views_;                              ///< after so many steps

  /// Before a change: every way in which the disk could look after a cut.
  void imagine_cuts() {
    static constexpr std::pair<const char*, MemoryDisk::Names> kNames[] = {
        {"names before", MemoryDisk::Names::before}, {"names after", MemoryDisk::Names::after}};
    static constexpr std::pair<const char*, MemoryDisk::Bytes> kBytes[] = {
        {"bytes before", MemoryDisk::Bytes::before},
        {"half the bytes", MemoryDisk::Bytes::half},
        {"zeros", MemoryDisk::Bytes::zeros},
        {"bytes after", MemoryDisk::Bytes::after}};
    for (const auto& [names_text, names] : kNames)
      for (const auto& [bytes_text, bytes] : kBytes) {
        Moment moment{acknowledged_, 0, disk_->cut(names, bytes),
                      std::string(names_text) + ", " + bytes_text};
        moment.begun = begun_;
        std::size_t contents = 0;
        for (const auto& [file, text] : moment.left->files())
          contents = contents * 31 + std::hash<std::string>()(file) * 17 + std::hash<std::string>()(text);
        const std::lock_guard lock(moments_mutex_);
        if (known_.emplace(moment.acknowledged, contents).second) moments_.push_back(std::move(moment));
      }
  }

  /// JOB is the newest job, MODEL the model of the network `plain`.
  Step filled(Step step) {
    if (const std::size_t at = step.target.find("JOB"); at != std::string::npos)
      step.target.replace(at, 3, get_list("/v1/jobs?limit=1", "jobs")[0]["id"].get<std::string>());
    if (step.body == "MODEL") step.body = call("GET", "/v1/networks/plain/model").body;
    return step;
  }

  void live(const std::vector<Step>& story) {
    disk_->before_change = [this] { imagine_cuts(); };
    open_on(disk_);
    views_.push_back(view());
    for (const Step& step : story) {
      const Step next = filled(step);
      ++begun_;
      take(next);
      ++acknowledged_;
      if (HasFatalFailure()) return;
      settle();
      const bool cancels = step.target.ends_with("/cancel");
      const auto cancelled = [&] {
        return view()[std::string("jobs of ") + kPaced].find("cancelled") != std::string::npos;
      };
      ASSERT_TRUE(!cancels || eventually(cancelled));
      views_.push_back(view());
    }
    close();
    disk_->before_change = nullptr;
  }

  void check(const Moment& moment) {
    SCOPED_TRACE("cut after " + std::to_string(moment.acknowledged) + " steps: " + moment.what);
    open_on(moment.left);
    ASSERT_TRUE(engine_);
    settle();
    const auto fits = [&] {
      const View now = view();
      for (std::size_t i = moment.acknowledged; i <= moment.begun; ++i)
        if (now == views_[i]) return true;
      return false;
    };
    EXPECT_TRUE(fits() || eventually(fits)) << difference(view(), views_[moment.begun]);
    EXPECT_EQ(quarantined(), std::vector<std::string>{});
    EXPECT_TRUE(eventually([&] {  // nobody writes any more, and nothing of before the cut is left
      const auto files = disk_->files();
      return std::none_of(files.begin(), files.end(), [](const auto& file) {
        return file.first.starts_with("temporary/") && file.first != "temporary/";
      });
    }));
    take({"POST", "/v1/networks", R"({"name":"after","inputs":2,"layers":[{"units":2}]})", 201});
    close();
  }

  static std::string difference(const View& found, const View& expected) {
    std::string text;
    const auto compare = [&text](const char* whose, const View& one, const View& other) {
      for (const auto& [unit, seen] : one)
        if (!other.contains(unit) || other.at(unit) != seen)
          text += std::string(whose) + " " + unit + ": " + seen + "\n";
    };
    compare("found", found, expected);
    compare("expected", expected, found);
    return text;
  }
};

TEST_F(PowerCutDamage, LosesNothingAcknowledgedAndShowsNothingHalf) {
  const std::string train = R"({"data":{"generator":"xor","rows":8},"steps":40,"checkpoint_every":20,)"
                            R"("batch_size":4,"shuffle":true})";
  const std::string search = R"({"name":"hunt","dataset":"table","network":{"layers":[{"units":2}]},)"
                             R"("train":{"steps":5},"keep":"all",)"
                             R"("space":{"network":{"/layers/0/units":[1,2]}}})";
  live({
      {"POST", "/v1/networks", R"({"name":"plain","inputs":2,"layers":[{"units":2},{"units":2}]})", 201},
      {"POST", "/v1/networks/plain/train", R"({"data":{"generator":"xor","rows":8},"steps":20})", 202},
      {"POST", "/v1/networks", R"({"name":"rich","inputs":2,"layers":[{"units":1},{"units":2}]})", 201},
      {"POST", "/v1/networks/rich/train", train, 202},
      {"PATCH", "/v1/networks/rich", R"({"labels":{"a":"b"}})"},
      {"PATCH", "/v1/networks/rich", R"({"optimizer":{"type":"sgd","learning_rate":0.1}})"},
      {"POST", "/v1/networks/rich/train", R"({"data":{"generator":"xor","rows":400},"steps":10})", 202},
      {"POST", "/v1/networks/rich/checkpoints", "", 201},
      {"POST", "/v1/networks/rich/versions", "", 201},
      {"PUT", "/v1/networks/rich/aliases/default", R"({"version":1})", 201},
      {"POST", "/v1/networks/rich/restore", R"({"step":45})"},
      {"POST", "/v1/networks/rich/fork", R"({"name":"fork","step":10})", 201},
      {"POST", "/v1/networks/rich/versions", R"({"step":10})", 201},
      {"PUT", "/v1/networks/rich/aliases/default", R"({"version":2})"},
      {"PUT", "/v1/networks/rich/aliases/old", R"({"version":1})", 201},
      {"DELETE", "/v1/networks/rich/aliases/old", "", 204},
      {"DELETE", "/v1/networks/rich/versions/1", "", 204},
      {"POST", "/v1/networks/rich/train", R"({"steps":5,"publish_if":{"metric":"loss","alias":"best"}})",
       202},
      {"POST", "/v1/datasets?name=table", "a,b,y\n1,2,u\n2,1,v\n3,5,u\n4,4,v\n5,1,u\n", 201},
      {"POST", "/v1/networks", R"({"name":"tabular","dataset":"table","layers":[{"units":2}]})", 201},
      {"POST", "/v1/networks/tabular/train", R"({"dataset":"table","steps":10})", 202},
      {"POST", "/v1/searches", search, 201},
      {"DELETE", "/v1/searches/hunt", "", 204},
      {"DELETE", "/v1/datasets/table?force=true", "", 204},
      {"PUT", "/v1/networks/copy/model", "MODEL", 201},
      {"POST", "/v1/networks/copy/train", R"({"data":{"generator":"xor","rows":400},"steps":5})", 202},
      {"PUT", "/v1/networks/copy/model", "MODEL"},
      {"DELETE", "/v1/networks/copy", "", 204},
      {"POST", "/v1/networks", R"({"name":"paced","inputs":2,"layers":[{"units":2}]})", 201},
      {"POST", "/v1/networks/paced/train",
       R"({"data":{"generator":"xor","rows":8},"steps":1000,"pace":{"steps_per_second":1}})", 202},
      {"POST", "/v1/jobs/JOB/pause"},
      {"POST", "/v1/jobs/JOB/resume"},
      {"POST", "/v1/jobs/JOB/cancel"},
      {"DELETE", "/v1/networks/rich", "", 204},
  });
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_GT(moments_.size(), 300U);
  for (const Moment& moment : moments_) {
    check(moment);
    if (HasFailure()) return;
  }
  RecordProperty("cuts", static_cast<int>(moments_.size()));
}

}  // namespace
}  // namespace mlpd::server
