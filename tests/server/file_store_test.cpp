#include "server/store/file_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

namespace fs = std::filesystem;

std::string read_all(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_all(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// Two networks, checkpoints, a history, data: then every byte gets damaged in turn.
class DamageTest : public EngineTest {
 protected:
  TemporaryFolder whole_;  ///< the undamaged store
  std::map<std::string, std::string> digests_;

  void make_store() {
    open();
    create("healthy");
    train("healthy", train_request(20, 8));
    api::CreateNetwork small;
    small.name = "victim";
    small.spec = spec();
    small.spec.layers[0].units = 1;
    ASSERT_TRUE(networks().create(small).ok());
    api::TrainRequest request = train_request(40, 8);
    request.checkpoint_every = 20;
    train("victim", request);
    for (const char* name : {"healthy", "victim"}) digests_[name] = sha(name);
    engine_.reset();
    fs::copy(folder_.path(), whole_.path() / "store", fs::copy_options::recursive);
  }

  void restore() {
    for (const auto& item : fs::directory_iterator(folder_.path())) fs::remove_all(item.path());
    fs::copy(whole_.path() / "store", folder_.path(), fs::copy_options::recursive);
  }

  /// The store opens, the healthy network is whole, and the victim is whole or said to be damaged.
  void check(const std::string& what) {
    core::Result<std::unique_ptr<Engine>> opened = try_open(folder_.path());
    ASSERT_TRUE(opened.ok()) << what << ": " << opened.error().message;
    engine_ = *std::move(opened);
    const core::Result<core::Checkpoint> healthy = networks().checkpoint("healthy", std::nullopt);
    ASSERT_TRUE(healthy.ok()) << what;
    EXPECT_EQ(core::state_digest(*healthy).hex(), digests_["healthy"]) << what;
    const core::Result<core::Checkpoint> victim = networks().checkpoint("victim", std::nullopt);
    if (victim.ok()) {
      EXPECT_EQ(core::state_digest(*victim).hex(), digests_["victim"]) << what;
      EXPECT_EQ(jobs().list({}, "victim").items.size(), 1U) << what;
      const core::HistoryColumns history = *networks().history("victim", {});
      const bool complete = !history.values.empty() && history.values[0].size() == 40;
      EXPECT_TRUE(complete || !system().system().quarantined.empty()) << what;
    } else {
      EXPECT_FALSE(system().system().quarantined.empty()) << what << ": " << victim.error().message;
    }
    engine_.reset();
  }
};

TEST_F(DamageTest, EveryFlippedByteIsFoundOrHarmless) {
  make_store();
  std::size_t flips = 0;
  for (const auto& item : fs::recursive_directory_iterator(whole_.path() / "store" / "networks" / "victim")) {
    if (!item.is_regular_file()) continue;
    const fs::path file = folder_.path() / fs::relative(item.path(), whole_.path() / "store");
    const std::string bytes = read_all(item.path());
    // Every byte of what decides how a file is read; of long texts every third, at another bit each time.
    const std::size_t stride = bytes.size() > 1'500 ? 3 : 1;
    for (std::size_t i = 0; i < bytes.size(); i += stride) {
      restore();
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
      write_all(file, damaged);
      check(file.string() + " byte " + std::to_string(i));
      if (HasFatalFailure()) return;
      ++flips;
    }
  }
  EXPECT_GT(flips, 3'000U);
}

TEST_F(DamageTest, EveryTruncationIsFoundOrHarmless) {
  make_store();
  for (const auto& item : fs::recursive_directory_iterator(whole_.path() / "store" / "networks" / "victim")) {
    if (!item.is_regular_file() || item.path().filename() == "journal.ndjson") continue;
    const fs::path file = folder_.path() / fs::relative(item.path(), whole_.path() / "store");
    const std::string bytes = read_all(item.path());
    for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 60) {
      restore();
      write_all(file, bytes.substr(0, size));
      check(file.string() + " cut at " + std::to_string(size));
      if (HasFatalFailure()) return;
    }
  }
}

/// A journal cut inside a record looks like a crash: the record is gone, what came before is there. Cut
/// before a record that a checkpoint rests on, it is damage.
TEST_F(DamageTest, AJournalCutShortServesItsBeginningOrIsSetAside) {
  make_store();
  const fs::path journal = folder_.path() / "networks" / "victim" / "journal.ndjson";
  const std::string bytes = read_all(journal);
  const std::size_t second = bytes.find('\n', bytes.find('\n') + 1) + 1;
  restore();
  write_all(journal, bytes.substr(0, bytes.size() - 5));  // the job's end is torn: the job ends again
  open();
  const api::Page<api::JobView> page = jobs().list({}, "victim");
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(wait(page.items[0].id).state, api::JobState::succeeded);
  EXPECT_EQ(sha("victim"), digests_["victim"]);
  engine_.reset();
  restore();
  write_all(journal, bytes.substr(0, second - 3));  // job_started, which the checkpoints follow
  open();
  EXPECT_EQ(networks().read("victim").error().code, core::ErrorCode::not_found);
  ASSERT_EQ(system().system().quarantined.size(), 1U);
  EXPECT_NE(system().system().quarantined[0].find("victim"), std::string::npos);
  reopen();  // it stays named
  EXPECT_EQ(system().system().quarantined.size(), 1U);
  EXPECT_TRUE(networks().read("healthy").ok());
}

TEST_F(DamageTest, ClearsWhatACrashLeftBehind) {
  make_store();
  write_all(folder_.path() / "temporary" / "12", "half");
  fs::create_directories(folder_.path() / "trash" / "7" / "checkpoints");
  write_all(folder_.path() / "data" / (std::string(64, 'a') + ".json"), "nobody's");
  open();
  EXPECT_TRUE(fs::is_empty(folder_.path() / "temporary"));
  EXPECT_TRUE(fs::is_empty(folder_.path() / "trash"));
  EXPECT_TRUE(fs::is_empty(folder_.path() / "data"));
}

}  // namespace
}  // namespace mlpd::server
