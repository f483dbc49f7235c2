#include "server/http/site.h"

#include <gtest/gtest.h>

#include <string>

namespace mlpd::server {
namespace {

/// Stands for the API: says what it was asked.
class Contract final : public api::Handler {
 public:
  api::RouteInfo route(std::string_view, std::string_view) const override {
    api::RouteInfo info;
    info.pattern = "contract";
    return info;
  }
  api::Response handle(const api::Request& request) override {
    api::Response response;
    response.body = "contract " + request.path;
    return response;
  }
  api::Response refuse(int status, std::string_view, std::string_view, std::string_view) const override {
    api::Response response;
    response.status = status;
    return response;
  }
};

TEST(Site, ShowsThePageAtTheRootAndTheApiElsewhere) {
  Contract contract;
  Site site(contract);
  struct Case {
    std::string method;
    std::string path;
    bool page;
  };
  const Case cases[] = {{"GET", "/", true},
                        {"HEAD", "/", true},
                        {"GET", "//", false},
                        {"GET", "/v1/networks", false},
                        {"GET", "/v2", false}};
  for (const Case& c : cases) {
    EXPECT_EQ(site.route(c.method, c.path).pattern == "contract", !c.page) << c.method << c.path;
    EXPECT_EQ(site.route(c.method, c.path).found, c.page);
    api::Request request;
    request.method = c.method;
    request.path = c.path;
    const api::Response response = site.handle(request);
    EXPECT_EQ(response.body == "contract " + c.path, !c.page) << c.method << c.path;
    EXPECT_EQ(response.header("Content-Type").has_value(), c.page);
  }
  api::Request wrong;
  wrong.method = "POST";
  wrong.path = "/";
  EXPECT_EQ(site.handle(wrong).status, 405);
  EXPECT_EQ(site.handle(wrong).header("Allow"), "GET, HEAD");
  EXPECT_EQ(site.refuse(413, "/", "", "").status, 413);
}

}  // namespace
}  // namespace mlpd::server
