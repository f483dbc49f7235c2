#include "server/audit_log.h"

#include <gmock/gmock.h>

#include <sstream>

namespace mlpd::server {
namespace {

using testing::HasSubstr;

TEST(AuditLog, TellsOfChangesAlone) {
  struct Case {
    api::Scope scope;
    int status;
    std::string network;
    std::string location;
    std::string line;  // empty: none
  };
  const Case cases[] = {
      {api::Scope::none, 200, "", "", ""},
      {api::Scope::read, 200, "a", "", ""},
      {api::Scope::predict, 200, "a", "", ""},
      {api::Scope::train, 202, "a", "/v1/jobs/1", "network=a outcome=done status=202"},
      {api::Scope::train, 201, "", "/v1/networks/new", "network=new outcome=done"},
      {api::Scope::train, 409, "a", "", "network=a outcome=failed"},
      {api::Scope::admin, 403, "", "", "network=- outcome=refused"},
  };
  for (const Case& c : cases) {
    std::ostringstream out;
    Log log(out, LogLevel::info, LogFormat::text);
    RequestRecord request;
    request.method = "POST";
    request.path = "/p";
    request.scope = c.scope;
    request.status = c.status;
    request.network = c.network;
    request.location = c.location;
    request.key_id = "k1";
    audit_log(log)(request);
    if (c.line.empty()) {
      EXPECT_EQ(out.str(), "");
    } else {
      EXPECT_THAT(out.str(), HasSubstr(" info change key_id=k1 "));
      EXPECT_THAT(out.str(), HasSubstr("method=POST path=/p " + c.line));
    }
  }
}

}  // namespace
}  // namespace mlpd::server
