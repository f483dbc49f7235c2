#include "server/health_check.h"

#include <gtest/gtest.h>

#include "server/http/listener.h"

namespace mlpd::server {
namespace {

/// Answers every request with one status.
class OneStatus final : public api::Handler {
 public:
  explicit OneStatus(int status) : status_(status) {}
  api::RouteInfo route(std::string_view, std::string_view) const override {
    api::RouteInfo info;
    info.found = true;
    return info;
  }
  api::Response handle(const api::Request&) override {
    api::Response response;
    response.status = status_;
    return response;
  }
  api::Response refuse(int status, std::string_view, std::string_view, std::string_view) const override {
    api::Response response;
    response.status = status;
    return response;
  }

 private:
  int status_;
};

TEST(CheckHealth, IsWhatTheServerSays) {
  const std::pair<int, bool> cases[] = {{200, true}, {503, false}, {404, false}};
  for (const auto& [status, ready] : cases) {
    OneStatus handler(status);
    Listener listener({}, handler);
    ASSERT_TRUE(listener.start().ok());
    for (const char* host : {"127.0.0.1", "0.0.0.0", "localhost"}) {
      Config config;
      config.listen = {host, static_cast<std::uint16_t>(listener.port())};
      const auto health = check_health(config);
      EXPECT_EQ(health.ok(), ready) << status << " " << host;
      const std::string said = ready ? std::to_string(status) : health.error().message;
      EXPECT_NE(said.find(std::to_string(status)), std::string::npos);
    }
  }
}

TEST(CheckHealth, FailsWhereNobodyListens) {
  OneStatus handler(200);
  Config config;
  {
    Listener listener({}, handler);
    ASSERT_TRUE(listener.start().ok());
    config.listen.port = static_cast<std::uint16_t>(listener.port());
  }
  const auto health = check_health(config);
  ASSERT_FALSE(health.ok());
  EXPECT_EQ(health.error().code, core::ErrorCode::unavailable);
  EXPECT_NE(health.error().message.find("no answer from 127.0.0.1:"), std::string::npos);
}

}  // namespace
}  // namespace mlpd::server
