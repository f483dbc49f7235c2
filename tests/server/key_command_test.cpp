#include "server/key_command.h"

#include <gmock/gmock.h>

#include <sstream>

#include "server/keys.h"
#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(KeyCommand, MakesListsAndRevokes) {
  const TemporaryFolder folder;
  Config config;
  config.data_dir = folder.path().string();
  std::ostringstream out;
  std::ostringstream notes;
  KeyRequest request;
  request.action = KeyRequest::Action::create;
  request.scope = "train";
  request.name = "ops";
  request.network_prefix = "team-";
  request.requests_per_second = 2.5;
  ASSERT_TRUE(run_key_command(config, request, out, notes).ok());
  const std::string key = out.str().substr(0, out.str().size() - 1);
  EXPECT_TRUE(looks_like_key(key)) << "nothing but the key on standard output";
  EXPECT_THAT(notes.str(), HasSubstr("not shown again"));

  request.action = KeyRequest::Action::list;
  out.str("");
  ASSERT_TRUE(run_key_command(config, request, out, notes).ok());
  EXPECT_THAT(out.str(), HasSubstr(key.substr(5, 8) + "  train"));
  for (const char* part : {"2.5/s", "team-", "ops"}) EXPECT_THAT(out.str(), HasSubstr(part));
  EXPECT_THAT(out.str(), Not(HasSubstr(key.substr(14))));

  request.action = KeyRequest::Action::revoke;
  request.id = key.substr(5, 8);
  ASSERT_TRUE(run_key_command(config, request, out, notes).ok());
  EXPECT_EQ(find_key(*read_keys(keys_path(config)), key), nullptr);
  request.id = "none";
  EXPECT_EQ(run_key_command(config, request, out, notes).error().code, core::ErrorCode::not_found);
}

}  // namespace
}  // namespace mlpd::server
