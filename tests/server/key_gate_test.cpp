#include "server/key_gate.h"

#include <gmock/gmock.h>

#include "api/router.h"
#include "api/routes.h"
#include "server/metrics.h"
#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

using api::Scope;
using testing::HasSubstr;

/// The gate before the real routes.
class KeyGateTest : public EngineTest {
 protected:
  void SetUp() override {
    open();
    services_.emplace(engine_->services());
    services_->metrics = &metrics_;
    handler_ = api::make_handler(*services_);
    gate_.emplace(*handler_, [this] { return now_; });
  }

  std::string add(Scope scope, double rate = 0, std::string prefix = "") {
    Key key;
    key.id = "id" + std::to_string(keys_.size());
    key.scope = scope;
    key.requests_per_second = rate;
    key.network_prefix = std::move(prefix);
    const std::string text = "mlpd_0000000" + std::to_string(keys_.size()) + "_" + std::string(64, 'a');
    key.hash = hash_key(text);
    keys_.push_back(key);
    gate_->use(keys_);
    return text;
  }

  /// The status that the gate gives; 0 where it admits.
  int ask(std::string method, std::string path, const std::string& authorization, api::Fields query = {}) {
    head_ = {};
    head_.method = std::move(method);
    head_.path = std::move(path);
    head_.query = std::move(query);
    if (!authorization.empty()) head_.headers.emplace_back("authorization", authorization);
    answer_ = (*gate_)(handler_->route(head_.method, head_.path), head_);
    return answer_ ? answer_->status : 0;
  }
  int ask_with(const std::string& key, std::string method, std::string path) {
    return ask(std::move(method), std::move(path), "Bearer " + key);
  }
  std::string challenge() const { return std::string(answer_->header("WWW-Authenticate").value_or("")); }

  Metrics metrics_;
  std::optional<api::Services> services_;
  std::unique_ptr<api::Handler> handler_;
  std::chrono::steady_clock::time_point now_{};
  std::optional<KeyGate> gate_;
  std::vector<Key> keys_;
  api::Request head_;
  std::optional<api::Response> answer_;
};

std::string path_of(std::string_view pattern) {
  std::string path(pattern);
  for (auto begin = path.find('{'); begin != std::string::npos; begin = path.find('{'))
    path.replace(begin, path.find('}') - begin + 1, "x");
  return path;
}

TEST_F(KeyGateTest, WithoutKeysEverybodyMayDoEverything) {
  for (const api::Route& route : api::make_routes(*services_))
    EXPECT_EQ(ask(std::string(route.method), path_of(route.pattern), ""), 0) << route.pattern;
}

TEST_F(KeyGateTest, HoldsEveryRouteToItsScope) {
  std::vector<std::string> keys = {""};
  for (const Scope scope : {Scope::read, Scope::predict, Scope::train, Scope::admin})
    keys.push_back(add(scope));
  for (const api::Route& route : api::make_routes(*services_)) {
    const std::string path = path_of(route.pattern);
    ASSERT_TRUE(handler_->route(route.method, path).found) << path;
    for (std::size_t scope = 0; scope < keys.size(); ++scope) {
      const std::string authorization = scope == 0 ? "" : "Bearer " + keys[scope];
      const int expected = route.scope == Scope::none                      ? 0
                           : scope == 0                                    ? 401
                           : static_cast<std::size_t>(route.scope) > scope ? 403
                                                                           : 0;
      EXPECT_EQ(ask(std::string(route.method), path, authorization), expected)
          << route.method << " " << path << " with scope " << scope;
      if (expected == 0 && route.scope != Scope::none) {
        EXPECT_EQ(head_.key_id, "id" + std::to_string(scope - 1));
      }
    }
  }
}

TEST_F(KeyGateTest, OnlyHealthTheContractAndTheDashboardArePublic) {
  add(Scope::admin);
  for (const api::Route& route : api::make_routes(*services_)) {
    const bool is_public = route.pattern == "/openapi.json" || route.pattern.starts_with("/v2/health/");
    EXPECT_EQ(route.scope == Scope::none, is_public) << route.pattern;
  }
}

TEST_F(KeyGateTest, RefusesWhatIsNoValidKey) {
  const std::string key = add(Scope::admin);
  struct Case {
    std::string authorization;
    std::string challenge;
  };
  const Case cases[] = {
      {"", "Bearer realm=\"mlpd\""},
      {"Basic " + key, "Bearer realm=\"mlpd\""},
      {key, "Bearer realm=\"mlpd\""},
      {"Bearer", "Bearer realm=\"mlpd\""},
      {"Bearer ", "invalid_token"},
      {"Bearer wrong", "invalid_token"},
      {"Bearer " + key + "0", "invalid_token"},
      {"Bearer " + key.substr(0, 20), "invalid_token"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ask("GET", "/v1/networks", c.authorization), 401) << c.authorization;
    EXPECT_THAT(challenge(), HasSubstr(c.challenge));
    EXPECT_TRUE(head_.key_id.empty());
  }
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER  "})
    EXPECT_EQ(ask("GET", "/v1/networks", scheme + key), 0) << scheme;
  keys_[0].revoked_at = "2026-01-01T00:00:00Z";
  gate_->use(keys_);
  EXPECT_EQ(ask_with(key, "GET", "/v1/networks"), 401);
  EXPECT_TRUE(gate_->has_keys()) << "a revoked key opens no door";
}

TEST_F(KeyGateTest, RefusesAKeyInTheQuery) {
  const std::string key = add(Scope::admin);
  for (const api::Fields& query : {api::Fields{{"access_token", key}}, api::Fields{{"api_key", "x"}},
                                   api::Fields{{"pretty", ""}, {"anything", key}}}) {
    EXPECT_EQ(ask("GET", "/v1/networks", "", query), 401);
    EXPECT_EQ(ask("GET", "/v1/networks", "Bearer " + key, query), 401) << "even beside the header";
    EXPECT_THAT(answer_->body, HasSubstr("Authorization: Bearer"));
  }
}

TEST_F(KeyGateTest, HoldsAKeyToItsNetworks) {
  const std::string key = add(Scope::train, 0, "team-a-");
  struct Case {
    std::string method;
    std::string path;
    int status;
  };
  const Case cases[] = {
      {"GET", "/v1/networks/team-a-1", 0},
      {"POST", "/v1/networks/team-a-1/train", 0},
      {"PUT", "/v1/networks/team-a-/model", 0},
      {"GET", "/v1/networks/team-b-1", 403},
      {"GET", "/v1/networks/team-a", 403},
      {"GET", "/v1/networks", 403},
      {"POST", "/v1/networks", 403},
      {"GET", "/v1/jobs", 403},
      {"POST", "/v1/jobs/1/cancel", 403},
      {"GET", "/metrics", 403},
      {"GET", "/v1/capabilities", 0},
      {"GET", "/v2/health/live", 0},
  };
  for (const Case& c : cases) EXPECT_EQ(ask_with(key, c.method, c.path), c.status) << c.path;
}

TEST_F(KeyGateTest, HoldsAKeyToItsRate) {
  const std::string slow = add(Scope::read, 0.5);
  const std::string fast = add(Scope::read, 3);
  EXPECT_EQ(ask_with(slow, "GET", "/v1/networks"), 0);
  EXPECT_EQ(ask_with(slow, "GET", "/v1/networks"), 429);
  EXPECT_EQ(answer_->header("Retry-After"), "2");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask_with(fast, "GET", "/v1/networks"), 0);
  EXPECT_EQ(ask_with(fast, "GET", "/v1/networks"), 429);
  EXPECT_EQ(answer_->header("Retry-After"), "1");
  now_ += std::chrono::seconds(2);
  EXPECT_EQ(ask_with(slow, "GET", "/v1/networks"), 0);
  EXPECT_EQ(ask_with(slow, "GET", "/v1/networks"), 429);
  now_ += std::chrono::hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask_with(fast, "GET", "/v1/networks"), 0);
  EXPECT_EQ(ask_with(fast, "GET", "/v1/networks"), 429) << "what was not used is not saved up";
}

}  // namespace
}  // namespace mlpd::server
