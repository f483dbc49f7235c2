#include "server/store/quarantine.h"

#include <gtest/gtest.h>

#include "tests/support/memory_disk.h"

namespace mlpd::server {
namespace {

class QuarantineTest : public ::testing::Test {
 protected:
  QuarantineTest() {
    for (const char* folder : {"networks/a", "networks/b"})
      EXPECT_TRUE(disk_->make_folder(kRoot / folder).ok());
    for (const char* file : {"networks/a/one", "networks/b/one", "search"})
      EXPECT_TRUE(disk_->write(kRoot / file, 0, file).ok());
    open();
  }
  void open() {
    quarantine_ =
        std::make_unique<Quarantine>(kRoot, disk_, [this](const std::string& line) { log_.push_back(line); });
    ASSERT_TRUE(quarantine_->open().ok());
  }

  const std::filesystem::path kRoot = "/store";
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>(kRoot);
  std::vector<std::string> log_;
  std::unique_ptr<Quarantine> quarantine_;
};

TEST_F(QuarantineTest, NamesWhatItTookAlsoAfterARestart) {
  quarantine_->set_aside(kRoot / "networks/a", "no good");
  quarantine_->set_aside(kRoot / "search", "worse");
  const std::vector<std::string> expected = {"networks/a: no good", "search: worse"};
  EXPECT_EQ(quarantine_->list(), expected);
  EXPECT_EQ(log_, (std::vector<std::string>{"set aside networks/a: no good", "set aside search: worse"}));
  EXPECT_EQ(disk_->files().at("quarantine/networks.a/one"), "networks/a/one");
  EXPECT_FALSE(disk_->files().contains("networks/a/"));
  open();
  EXPECT_EQ(quarantine_->list(), expected);
}

TEST_F(QuarantineTest, KeepsEvidenceOfTheSameName) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(disk_->write(kRoot / "search", 0, std::to_string(i)).ok());
    quarantine_->set_aside(kRoot / "search", "bad");
  }
  EXPECT_EQ(disk_->files().at("quarantine/search"), "0");
  EXPECT_EQ(disk_->files().at("quarantine/search-2"), "1");
  EXPECT_EQ(disk_->files().at("quarantine/search-3"), "2");
  open();
  EXPECT_EQ(quarantine_->list().size(), 3U);
}

TEST_F(QuarantineTest, NamesWhatACrashLeftWithoutAReason) {
  ASSERT_TRUE(disk_->rename(kRoot / "networks/b", kRoot / "quarantine/networks.b").ok());
  open();
  EXPECT_EQ(quarantine_->list(), std::vector<std::string>{"networks.b: was set aside"});
}

TEST_F(QuarantineTest, NamesWhatCannotBeMoved) {
  quarantine_->set_aside(kRoot / "networks/none", "can't be read");
  EXPECT_EQ(quarantine_->list(), std::vector<std::string>{"networks/none: can't be read"});
}

}  // namespace
}  // namespace mlpd::server
