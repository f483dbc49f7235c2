#include "api/routes.h"

#include <set>

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

using RoutesTest = ApiTest;

TEST_F(RoutesTest, HoldWhatTheContractOfIssueTwoNames) {
  std::set<std::string> have;
  for (const Route& route : make_routes(service.services()))
    have.insert(std::string(route.method) + " " + std::string(route.pattern));
  for (auto wanted : {"POST /v1/networks",
                      "GET /v1/networks",
                      "GET /v1/networks/{network}",
                      "PATCH /v1/networks/{network}",
                      "DELETE /v1/networks/{network}",
                      "POST /v1/networks/{network}/train",
                      "POST /v1/networks/{network}/predict",
                      "POST /v1/networks/{network}/evaluate",
                      "POST /v1/networks/{network}/trace",
                      "GET /v1/networks/{network}/history",
                      "GET /v1/networks/{network}/model",
                      "PUT /v1/networks/{network}/model",
                      "GET /v1/jobs",
                      "GET /v1/jobs/{job}",
                      "POST /v1/jobs/{job}/cancel",
                      "POST /v1/jobs/{job}/pause",
                      "POST /v1/jobs/{job}/resume",
                      "GET /v1/capabilities",
                      "GET /v1/system",
                      "GET /v2/health/live",
                      "GET /v2/health/ready",
                      "GET /openapi.json"})
    EXPECT_EQ(have.count(wanted), 1u) << wanted;
}

TEST_F(RoutesTest, OnlyReadingNeedsNoMoreThanTheReadScope) {
  for (const Route& route : make_routes(service.services())) {
    if (route.method == "GET") {
      EXPECT_LE(route.scope, Scope::read) << route.pattern;
    } else {
      EXPECT_GE(route.scope, Scope::predict) << route.pattern;
    }
  }
}

TEST_F(RoutesTest, EachRowIsThereOnce) {
  std::set<std::string> rows;
  for (const Route& route : make_routes(service.services()))
    EXPECT_TRUE(rows.insert(std::string(route.method) + " " + std::string(route.pattern)).second);
}

}  // namespace
}  // namespace mlpd::api
