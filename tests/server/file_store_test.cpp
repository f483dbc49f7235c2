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
};

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
