#include "server/wiring.h"

#include <algorithm>
#include <thread>

#include "server/http/assets.h"

namespace mlpd::server {
namespace {

int milliseconds(std::chrono::seconds seconds) { return static_cast<int>(seconds.count() * 1000); }

std::size_t or_one_for_each_processor(std::size_t threads) {
  return threads > 0 ? threads : std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

}  // namespace

std::vector<SampleTable> embedded_samples() {
  static constexpr std::string_view kFolder = "/samples/";
  static constexpr std::string_view kEnding = ".csv";
  std::vector<SampleTable> samples;
  for (const Asset& asset : embedded_assets()) {
    std::string_view name = asset.path;
    if (!name.starts_with(kFolder) || !name.ends_with(kEnding)) continue;
    name.remove_prefix(kFolder.size());
    name.remove_suffix(kEnding.size());
    samples.push_back({"sample-" + std::string(name), asset.identity});
  }
  return samples;
}

EngineOptions engine_options(const Config& config, Log& log) {
  EngineOptions options;
  options.data_dir = config.data_dir;
  options.training_threads = or_one_for_each_processor(config.training_threads);
  options.limits = config.limits;
  options.named_limits = named_limits(config);
  options.samples = embedded_samples();
  options.past_limits = config.past_limits;
  options.log = [&log](const std::string& message) { log.warning(message); };
  return options;
}

ListenerOptions listener_options(const Config& config) {
  ListenerOptions options;
  options.host = config.listen.host;
  options.port = config.listen.port;
  options.http_threads = static_cast<int>(or_one_for_each_processor(config.http_threads));
  options.http_threads_max = std::max(static_cast<int>(config.http_threads_max), options.http_threads);
  options.busy_poll_us = static_cast<std::int64_t>(config.busy_poll_us);
  options.connections_max = config.connections_max;
  options.header_bytes_max = config.header_bytes_max;
  options.event_streams_max = config.limits.event_streams_max;
  options.body_bytes_max = std::max(config.limits.body_bytes_max, config.limits.model_body_bytes_max);
  options.bodies_bytes_max = std::max(config.bodies_bytes_max, options.body_bytes_max);
  // Data sets stream to the disk and are never held.
  options.body_bytes_max = std::max(options.body_bytes_max, config.limits.dataset_body_bytes_max);
  options.header_timeout_ms = milliseconds(config.header_timeout);
  options.body_timeout_ms = milliseconds(config.body_timeout);
  options.write_timeout_ms = milliseconds(config.write_timeout);
  options.idle_timeout_ms = milliseconds(config.idle_timeout);
  options.transfer_bytes_per_second_min = config.transfer_bytes_per_second_min;
  options.tls_certificate_path = config.tls_certificate;
  options.tls_key_path = config.tls_key;
  options.cors_origins = config.cors_origins;
  return options;
}

}  // namespace mlpd::server
