#include "server/metrics.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <thread>

#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsTest : public EngineTest {
 protected:
  void SetUp() override {
    observer_ = &metrics_;
    open();
    api::Services services = engine_->services();
    services.metrics = &metrics_;
    ListenerStatistics listener;
    listener.connections = 3;
    listener.event_streams = 2;
    metrics_.watch({services, [listener] { return listener; }, folder_.path()});
  }

  void answered(std::string_view method, std::string_view pattern, int status) {
    RequestRecord request;
    request.method = method;
    request.pattern = pattern;
    request.status = status;
    request.duration_us = 2'000;
    request.bytes_in = 5;
    metrics_.record_request(request);
  }

  Metrics metrics_;
};

TEST_F(MetricsTest, CountsRequestsByRouteMethodAndStatus) {
  struct Case {
    std::string method;
    std::string pattern;
    int status;
    std::string line;
  };
  const Case cases[] = {
      {"GET", "/v1/jobs", 200, R"({route="/v1/jobs",method="GET",code="200"} 1)"},
      {"HEAD", "/v1/networks", 200, R"({route="/v1/networks",method="GET",code="200"} 1)"},
      {"GET", "/metrics", 401, R"({route="/metrics",method="GET",code="401"} 1)"},
      {"GET", "/{asset}", 304, R"({route="/{asset}",method="GET",code="304"} 1)"},
      {"BREW", "", 501, R"({route="unmatched",method="any",code="501"} 1)"},
      {"DELETE", "/v1/jobs", 405, R"({route="unmatched",method="any",code="405"} 1)"},
  };
  for (const Case& c : cases) answered(c.method, c.pattern, c.status);
  EXPECT_EQ(metrics_.event_streams(), 2u);
  const std::string text = metrics_.exposition();
  for (const Case& c : cases) EXPECT_THAT(text, HasSubstr("mlpd_http_requests_total" + c.line));
  EXPECT_THAT(text, HasSubstr("mlpd_http_received_bytes_total 30\n"));
  EXPECT_THAT(text, HasSubstr("mlpd_http_connections 3\n"));
  EXPECT_THAT(text, HasSubstr(R"(seconds_bucket{route="/v1/jobs",method="GET",le="0.001"} 0)"));
  EXPECT_THAT(text, HasSubstr(R"(seconds_bucket{route="/v1/jobs",method="GET",le="0.0025"} 1)"));
}

TEST_F(MetricsTest, CountsFromManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([this] {
      for (int k = 0; k < 1'000; ++k) {
        answered("GET", "/v1/jobs", 200);
        metrics_.record_inference(2, 0.5);
      }
    });
  for (std::thread& thread : threads) thread.join();
  const std::string text = metrics_.exposition();
  EXPECT_THAT(text, HasSubstr(R"(mlpd_http_requests_total{route="/v1/jobs",method="GET",code="200"} 4000)"));
  EXPECT_THAT(text, HasSubstr("mlpd_inference_rows_total 8000\n"));
  EXPECT_THAT(text, HasSubstr("mlpd_inference_compute_seconds_sum 2000\n"));
}

TEST_F(MetricsTest, FollowsTraining) {
  create("net");
  ASSERT_EQ(train("net", train_request(20)).state, api::JobState::succeeded);
  const std::string text = metrics_.exposition();
  EXPECT_THAT(text, HasSubstr("mlpd_training_steps_total 20\n"));
  EXPECT_THAT(text, HasSubstr("mlpd_training_samples_total 320\n"));
  EXPECT_THAT(text, HasSubstr("mlpd_training_loss{network=\"net\"}"));
  EXPECT_THAT(text, HasSubstr("mlpd_networks 1\n"));
  EXPECT_TRUE(eventually([this] {
    return metrics_.exposition().find("jobs_ended_total{state=\"succeeded\"} 1") != std::string::npos;
  }));
  ASSERT_TRUE(networks().remove("net", std::nullopt, true).ok());
  EXPECT_THAT(metrics_.exposition(), Not(HasSubstr("mlpd_training_loss{")));
}

TEST_F(MetricsTest, ShowsTheLossOfAFewNetworksAlone) {
  for (std::size_t i = 0; i <= kLossNetworksMax; ++i) metrics_.on_slice("n" + std::to_string(i), 1, 1, 0.5);
  metrics_.on_slice("n0", 1, 1, std::numeric_limits<double>::quiet_NaN());
  const std::string text = metrics_.exposition();
  EXPECT_THAT(text, HasSubstr("mlpd_training_loss{network=\"n0\"} 0.5"));
  EXPECT_THAT(text, HasSubstr("mlpd_training_loss{network=\"n99\"} 0.5"));
  EXPECT_THAT(text, Not(HasSubstr("{network=\"n100\"}")));
}

}  // namespace
}  // namespace mlpd::server
