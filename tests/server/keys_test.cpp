#include "server/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

class KeysTest : public ::testing::Test {
 protected:
  std::string create(api::Scope scope = api::Scope::read) {
    Key wanted;
    wanted.scope = scope;
    const auto key = create_key(path_, wanted);
    EXPECT_TRUE(key.ok()) << key.error().message;
    return key.ok() ? *key : "";
  }
  std::vector<Key> read() {
    auto keys = read_keys(path_);
    EXPECT_TRUE(keys.ok()) << keys.error().message;
    return keys.ok() ? *keys : std::vector<Key>{};
  }
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }
  void write(const std::string& content) const { std::ofstream(path_) << content; }

  TemporaryFolder folder_;
  const std::string path_ = (folder_.path() / "made" / "keys.json").string();
};

TEST_F(KeysTest, KeepTheHashAlone) {
  EXPECT_TRUE(read().empty());
  const std::string key = create(api::Scope::train);
  EXPECT_TRUE(looks_like_key(key));
  EXPECT_EQ(text().find(key), std::string::npos);
  EXPECT_EQ(text().find(key.substr(14)), std::string::npos) << "the secret part";
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto keys = read();
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].scope, api::Scope::train);
  EXPECT_EQ(keys[0].hash, hash_key(key));
  EXPECT_EQ(find_key(keys, key), &keys[0]);
}

TEST_F(KeysTest, BelongToTheServerThatRootMakesThemFor) {
  if (::geteuid() != 0) GTEST_SKIP() << "root alone gives files away";
  const auto owner = [this] {
    struct stat status {};
    EXPECT_EQ(::stat(path_.c_str(), &status), 0);
    return std::make_pair(status.st_uid, status.st_gid);
  };
  std::filesystem::create_directory(folder_.path() / "made");
  ASSERT_EQ(::chown((folder_.path() / "made").c_str(), 12345, 12346), 0);
  create();
  EXPECT_EQ(owner(), std::make_pair(uid_t{12345}, gid_t{12346})) << "the folder's";
  ASSERT_EQ(::chown(path_.c_str(), 23456, 23457), 0);
  ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
  create();
  EXPECT_EQ(owner(), std::make_pair(uid_t{23456}, gid_t{23457})) << "the old file's";
}

TEST_F(KeysTest, FindNothingButTheWholeKey) {
  const std::string key = create();
  const std::string other = create();
  const auto keys = read();
  std::string flipped = key;
  flipped.back() = flipped.back() == '0' ? '1' : '0';
  for (const std::string& wrong :
       {std::string(), key.substr(0, key.size() - 1), key + "0", flipped, hash_key(key)})
    EXPECT_EQ(find_key(keys, wrong), nullptr) << wrong;
  EXPECT_EQ(find_key(keys, other), &keys[1]);
}

TEST_F(KeysTest, RevokedOnesAreKeptButNotFound) {
  const std::string key = create();
  ASSERT_TRUE(revoke_key(path_, read()[0].id).ok());
  const auto keys = read();
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_FALSE(keys[0].revoked_at.empty());
  EXPECT_EQ(find_key(keys, key), nullptr);
  EXPECT_EQ(revoke_key(path_, "00000000").error().code, core::ErrorCode::not_found);
}

TEST_F(KeysTest, KeepEverythingThatAKeyMay) {
  Key wanted;
  wanted.name = "Ops \"team\" \xff";
  wanted.scope = api::Scope::admin;
  wanted.network_prefix = "team-a-";
  wanted.requests_per_second = 2.5;
  ASSERT_TRUE(create_key(path_, wanted).ok());
  const Key key = read()[0];
  EXPECT_EQ(key.name.substr(0, 10), "Ops \"team\"");
  EXPECT_EQ(key.scope, api::Scope::admin);
  EXPECT_EQ(key.network_prefix, "team-a-");
  EXPECT_EQ(key.requests_per_second, 2.5);
}

TEST_F(KeysTest, AFileThatOthersMayReadIsRefused) {
  create();
  for (const mode_t mode : {0640, 0604, 0660, 0602, 0610}) {
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    const auto keys = read_keys(path_);
    ASSERT_FALSE(keys.ok()) << mode;
    EXPECT_EQ(keys.error().code, core::ErrorCode::failed_precondition);
    EXPECT_NE(keys.error().message.find("chmod 600"), std::string::npos);
  }
}

TEST_F(KeysTest, ADamagedFileLetsNobodyIn) {
  create();
  for (const char* content :
       {"", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[1]}", "{\"keys\":[{\"id\":\"a\"}]}",
        "{\"keys\":[{\"id\":\"a\",\"scope\":\"none\",\"hash\":\"00\"}]}"}) {
    write(content);
    const auto keys = read_keys(path_);
    ASSERT_FALSE(keys.ok()) << content;
    EXPECT_EQ(keys.error().code, core::ErrorCode::corrupted);
  }
}

TEST_F(KeysTest, OneChangeAtATime) {
  create();
  std::ofstream(path_ + ".new") << "";
  EXPECT_EQ(create_key(path_, Key{}).error().code, core::ErrorCode::unavailable);
  EXPECT_EQ(read().size(), 1u);
}

TEST(KeyScopes, HaveNames) {
  for (const char* name : {"read", "predict", "train", "admin"}) EXPECT_EQ(name_of(*scope_named(name)), name);
  EXPECT_FALSE(scope_named("none"));
  EXPECT_FALSE(scope_named("root"));
}

}  // namespace
}  // namespace mlpd::server
