#include "api/problem.h"

#include <gtest/gtest.h>

#include "api/json.h"

namespace mlpd::api {
namespace {

Request request_to(std::string path) {
  Request request;
  request.path = std::move(path);
  request.request_id = "r-7";
  return request;
}

TEST(Problem, MapsEveryErrorCodeToItsStatus) {
  using core::ErrorCode;
  const struct {
    ErrorCode code;
    int status;
  } kCases[] = {{ErrorCode::invalid_argument, 422},    {ErrorCode::not_found, 404},
                {ErrorCode::already_exists, 409},      {ErrorCode::conflict, 409},
                {ErrorCode::failed_precondition, 409}, {ErrorCode::resource_exhausted, 429},
                {ErrorCode::unauthenticated, 401},     {ErrorCode::permission_denied, 403},
                {ErrorCode::cancelled, 409},           {ErrorCode::corrupted, 500},
                {ErrorCode::unavailable, 503},         {ErrorCode::internal, 500}};
  for (const auto& c : kCases) {
    const Response response = problem({c.code, "why", {}}, request_to("/v1/x"));
    EXPECT_EQ(response.status, c.status);
    EXPECT_EQ(response.header("Retry-After").has_value(), c.status == 429 || c.status == 503);
  }
  Request conditional = request_to("/v1/x");
  conditional.headers.emplace_back("if-match", "\"e\"");
  EXPECT_EQ(problem({ErrorCode::failed_precondition, "why", {}}, conditional).status, 412);
}

TEST(Problem, HasTheFormOfTheRfc) {
  const Response response = problem(
      {core::ErrorCode::invalid_argument, "2 faults", {{"#/a", "x"}, {"#/b", "y"}}}, request_to("/v1/x"));
  EXPECT_EQ(response.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(
      response.body,
      "{\"type\":\"urn:mlpd:problem:invalid-values\",\"title\":\"The values are not valid\",\"status\":422,"
      "\"detail\":\"2 faults\",\"instance\":\"/v1/x\",\"request_id\":\"r-7\",\"errors\":["
      "{\"pointer\":\"#/a\",\"detail\":\"x\"},{\"pointer\":\"#/b\",\"detail\":\"y\"}]}\n");
}

TEST(Problem, SpeaksTheInferenceProtocolUnderV2) {
  const Response response = problem(404, "no model m", request_to("/v2/models/m"));
  EXPECT_EQ(response.header("Content-Type"), "application/json");
  EXPECT_EQ(response.body, "{\"error\":\"no model m\"}\n");
  EXPECT_EQ(refusal(503, "/v2", "busy", "r").body, "{\"error\":\"busy\"}\n");
}

TEST(Problem, StaysJsonWhateverThePathHolds) {
  EXPECT_TRUE(parse_json(refusal(404, "/v1/\xff\"\n", "no \xfe", "r").body).ok());
  EXPECT_NE(refusal(499, "/x", "odd", "r").body.find("\"status\":499"), std::string::npos);
}

}  // namespace
}  // namespace mlpd::api
