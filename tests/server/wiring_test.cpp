#include "server/wiring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "server/http/assets.h"

namespace mlpd::server {
namespace {

TEST(Wiring, BringsTheSamplesThatComeWithTheDashboard) {
  std::vector<std::string> names;
  for (const SampleTable& sample : embedded_samples()) names.push_back(sample.name);
  const bool has_dashboard = is_asset("/icon.svg");
  EXPECT_EQ(names, has_dashboard ? std::vector<std::string>({"sample-digits", "sample-iris"})
                                 : std::vector<std::string>());
}

TEST(Wiring, PassesTheConfigurationOn) {
  Config config;
  config.listen = {"::1", 81};
  config.data_dir = "/d";
  config.training_threads = 3;
  config.http_threads = 200;
  config.busy_poll_us = 15;
  config.tls_certificate = "c";
  config.tls_key = "k";
  config.limits.event_streams_max = 5;
  config.limits.body_bytes_max = std::size_t{3} << 30;
  config.limits.networks_max = 7;
  config.past_limits.finished_jobs_max = 14;
  config.connections_max = 11;
  config.header_bytes_max = 12;
  config.header_timeout = std::chrono::seconds(2);
  config.body_timeout = std::chrono::seconds(3);
  config.write_timeout = std::chrono::seconds(4);
  config.idle_timeout = std::chrono::seconds(5);
  config.transfer_bytes_per_second_min = 13;

  const ListenerOptions listener = listener_options(config);
  EXPECT_EQ(listener.host, "::1");
  EXPECT_EQ(listener.port, 81);
  EXPECT_EQ(listener.http_threads, 200);
  EXPECT_EQ(listener.busy_poll_us, 15);
  EXPECT_GE(listener.http_threads_max, 200);
  EXPECT_EQ(listener.event_streams_max, 5u);
  EXPECT_EQ(listener.body_bytes_max, std::size_t{3} << 30);
  EXPECT_GE(listener.bodies_bytes_max, listener.body_bytes_max);
  EXPECT_EQ(listener.connections_max, 11u);
  EXPECT_EQ(listener.header_bytes_max, 12u);
  EXPECT_EQ(listener.header_timeout_ms, 2'000);
  EXPECT_EQ(listener.body_timeout_ms, 3'000);
  EXPECT_EQ(listener.write_timeout_ms, 4'000);
  EXPECT_EQ(listener.idle_timeout_ms, 5'000);
  EXPECT_EQ(listener.transfer_bytes_per_second_min, 13u);
  EXPECT_EQ(listener.tls_certificate_path, "c");
  EXPECT_EQ(listener.tls_key_path, "k");

  std::ostringstream out;
  Log log(out, LogLevel::info, LogFormat::text);
  const EngineOptions engine = engine_options(config, log);
  EXPECT_EQ(engine.data_dir, "/d");
  EXPECT_EQ(engine.training_threads, 3u);
  EXPECT_EQ(engine.limits.networks_max, 7u);
  EXPECT_EQ(engine.past_limits.finished_jobs_max, 14u);
  EXPECT_EQ(engine.named_limits, named_limits(config));
  engine.log("damaged");
  EXPECT_THAT(out.str(), testing::HasSubstr("warning damaged"));
}

TEST(Wiring, ZeroThreadsMeansOneForEachProcessor) {
  std::ostringstream out;
  Log log(out, LogLevel::info, LogFormat::text);
  EXPECT_GE(engine_options(Config{}, log).training_threads, 1u);
  EXPECT_GE(listener_options(Config{}).http_threads, 1);
}

}  // namespace
}  // namespace mlpd::server
