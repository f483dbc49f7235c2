#include "api/router.h"

#include "api/routes.h"
#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

using RouterTest = ApiTest;

TEST_F(RouterTest, FindsEveryRouteOfTheTable) {
  for (const Route& route : make_routes(service.services())) {
    std::string path(route.pattern);
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
      path.replace(at, path.find('}') - at + 1, "a.b-c_1");
    const RouteInfo info = handler->route(route.method, path);
    EXPECT_TRUE(info.found) << route.pattern;
    EXPECT_EQ(info.pattern, route.pattern);
    EXPECT_EQ(info.scope, route.scope);
    EXPECT_EQ(info.streams_body, route.streams_body);
  }
}

TEST_F(RouterTest, TellsTheListenerTheLimits) {
  service.fake_limits.body_bytes_max = 11;
  service.fake_limits.model_body_bytes_max = 22;
  EXPECT_EQ(handler->route("POST", "/v1/networks").body_bytes_max, 11u);
  EXPECT_EQ(handler->route("PUT", "/v1/networks/n/model").body_bytes_max, 22u);
  EXPECT_TRUE(handler->route("PUT", "/v1/networks/n/model").streams_body);
  EXPECT_EQ(handler->route("GET", "/v1/networks").body_bytes_max, 0u);
  EXPECT_EQ(handler->route("GET", "/v1/networks/my/history").network, "my");
  EXPECT_FALSE(handler->route("GET", "/nope").found);
}

TEST_F(RouterTest, RefusesWhatIsNotThere) {
  const struct {
    std::string method, target;
    int status;
  } kCases[] = {{"GET", "/", 404},
                {"GET", "/v1", 404},
                {"GET", "/v1/", 404},
                {"GET", "/v1/networks/", 404},
                {"GET", "/v1/networks//history", 404},
                {"GET", "/v1/networks/a/b/c", 404},
                {"GET", "/v1/networks/../x", 404},
                {"GET", "/v1/networks/nope", 404},
                {"GET", "", 404},
                {"PUT", "/v1/networks", 405},
                {"TRACE", "/v1/networks/a", 405},
                {"QUERY", "/v1/networks/a", 405},
                {"POST", "/v2/health/live", 405},
                {"GET", "/v1/networks?limt=3", 422},
                {"GET", "/v1/networks?limit=3&limit=4", 422},
                {"GET", "/v1/networks?pretty=maybe", 422}};
  for (const auto& c : kCases) {
    const Response response = send(c.method, c.target);
    EXPECT_EQ(response.status, c.status) << c.method << " " << c.target;
    EXPECT_EQ(response.header("Allow").has_value(), c.status == 405);
    EXPECT_TRUE(parse_json(response.body).ok());
  }
}

TEST_F(RouterTest, ListsWhatIsAllowed) {
  EXPECT_EQ(send("PUT", "/v1/networks").header("Allow"), "POST, GET, HEAD, OPTIONS");
  const Response options = send("OPTIONS", "/v1/networks/x");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.header("Allow"), "GET, HEAD, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(send("OPTIONS", "/nope").status, 404);
}

TEST_F(RouterTest, AnswersHeadWithoutABody) {
  const Response response = send("HEAD", "/v2/health/live");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.header("Content-Type"), "application/json");
}

TEST_F(RouterTest, RefusesABodyOnePastTheLimit) {
  service.fake_limits.body_bytes_max = 100;
  EXPECT_EQ(post("/v1/networks", std::string(100, ' ')).status, 400);
  EXPECT_EQ(post("/v1/networks", std::string(101, ' ')).status, 413);
}

TEST_F(RouterTest, EndsAnswersInANewlineAndIndentsOnDemand) {
  EXPECT_EQ(get("/v2/health/live").body, "{\"live\":true}\n");
  for (auto on : {"?pretty", "?pretty=true", "?pretty=1"})
    EXPECT_EQ(get("/v1/networks" + std::string(on)).body, "{\n  \"networks\": []\n}\n");
  EXPECT_EQ(get("/v1/networks?pretty=false").body, "{\"networks\":[]}\n");
}

TEST_F(RouterTest, SuggestsTheQueryParameter) {
  EXPECT_NE(get("/v1/networks?limt=3").body.find("did you mean \\\"limit\\\"?"), std::string::npos);
}

TEST_F(RouterTest, RefusesInTheFormOfThePath) {
  const Response response = handler->refuse(431, "/v1/x", "too long", "r9");
  EXPECT_EQ(response.status, 431);
  EXPECT_EQ(handler->refuse(503, "/v2/models", "busy", "r").body, "{\"error\":\"busy\"}\n");
}

}  // namespace
}  // namespace mlpd::api
