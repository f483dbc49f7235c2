#include "server/http/cross_origin.h"

#include <gtest/gtest.h>

namespace mlpd::server {
namespace {

constexpr char kAllowOrigin[] = "Access-Control-Allow-Origin";

api::Response answer(const std::vector<std::string>& origins, std::string method, api::Fields headers) {
  api::Request request;
  request.method = std::move(method);
  request.headers = std::move(headers);
  api::Response response;
  add_cross_origin_fields(origins, request, response);
  return response;
}

TEST(CrossOrigin, IsOffUnlessOriginsAreListed) {
  EXPECT_TRUE(answer({}, "GET", {{"Origin", "https://a.example"}}).headers.empty());
}

TEST(CrossOrigin, AllowsListedOriginsAlone) {
  const std::vector<std::string> origins = {"https://a.example", "http://localhost:5173"};
  struct Case {
    std::string origin;
    bool allowed;
  };
  const Case cases[] = {{"https://a.example", true},
                        {"http://localhost:5173", true},
                        {"https://a.example.evil", false},
                        {"http://a.example", false},
                        {"null", false},
                        {"*", false}};
  for (const Case& c : cases) {
    const api::Response response = answer(origins, "GET", {{"Origin", c.origin}});
    EXPECT_EQ(response.header(kAllowOrigin).has_value(), c.allowed) << c.origin;
    if (c.allowed) {
      EXPECT_EQ(response.header(kAllowOrigin), c.origin);
    }
    EXPECT_EQ(response.header("Vary"), "Origin");
    EXPECT_FALSE(response.header("Access-Control-Allow-Credentials"));
  }
  EXPECT_FALSE(answer(origins, "GET", {}).header(kAllowOrigin));
}

TEST(CrossOrigin, AnswersPreflights) {
  const api::Response response =
      answer({"https://a.example"}, "OPTIONS",
             {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "PATCH"}});
  EXPECT_NE(response.header("Access-Control-Allow-Methods")->find("PATCH"), std::string_view::npos);
  EXPECT_NE(response.header("Access-Control-Allow-Headers")->find("Authorization"), std::string_view::npos);
  EXPECT_TRUE(response.header("Access-Control-Max-Age"));
}

}  // namespace
}  // namespace mlpd::server
