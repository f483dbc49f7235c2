#include "api/system_handlers.h"

#include "core/activation.h"
#include "core/optimizer.h"
#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

using SystemHandlersTest = ApiTest;

TEST_F(SystemHandlersTest, HealthIsPublic) {
  EXPECT_EQ(handler->route("GET", "/v2/health/live").scope, Scope::none);
  EXPECT_EQ(get("/v2/health/ready").body, "{\"live\":true,\"ready\":true}\n");
  service.is_ready = false;
  const Response draining = get("/v2/health/ready");
  EXPECT_EQ(draining.status, 503);
  EXPECT_EQ(draining.body, "{\"live\":true,\"ready\":false}\n");
  EXPECT_TRUE(draining.header("Retry-After"));
  EXPECT_EQ(get("/v2/health/live").status, 200);
}

TEST_F(SystemHandlersTest, CapabilitiesShowTablesAndConfiguredLimits) {
  service.fake_named_limits = {{"networks", 12}, {"idle_timeout_seconds", 75}};
  const Json json = json_of(get("/v1/capabilities"));
  EXPECT_EQ(json.find("activations")->as<JsonArray>()->size(), core::activations().size());
  EXPECT_EQ(json.find("optimizers")->as<JsonArray>()->size(), core::optimizers().size());
  EXPECT_EQ(number_at(json, "limits/networks"), 12);
  EXPECT_EQ(number_at(json, "limits/idle_timeout_seconds"), 75);
  EXPECT_EQ(number_at(json, "limits/wait_seconds"), 600);
}

TEST_F(SystemHandlersTest, SystemSaysWhatRuns) {
  EXPECT_EQ(text_at(json_of(get("/v1/system")), "version"), "0.0.0");
}

}  // namespace
}  // namespace mlpd::api
