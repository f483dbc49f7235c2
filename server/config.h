#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/service.h"
#include "core/result.h"
#include "server/past_limits.h"

namespace mlpd::server {

/// Where to listen; port 0 lets the system choose a free one.
struct Address {
  std::string host = "127.0.0.1";  ///< a name or an IP address; an IPv6 one without its brackets
  std::uint16_t port = 8080;
  bool operator==(const Address&) const = default;
};

/// "127.0.0.1:8080", "[::1]:8080".
std::string to_string(const Address& address);

/// Whether only this machine can reach the address: localhost, 127.0.0.0/8, ::1.
bool is_loopback(const Address& address);

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

/// Everything that a user may decide about the process.
struct Config {
  Address listen;
  std::string data_dir = "mlpd-data";  ///< made if it isn't there; one server at a time
  std::size_t training_threads = 0;    ///< jobs that train at once; 0 = one for each processor
  std::size_t http_threads = 0;        ///< requests that run at once; 0 = one for each processor
  std::size_t busy_poll_us = 0;        ///< how long a thread looks for the next request before it sleeps
  std::string models_dir;              ///< model documents to import at start; empty: none
  bool demo = false;                   ///< create and train the network `demo` unless it is there
  bool allow_anonymous = false;        ///< listen beyond loopback although no key protects the server
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  bool access_log = true;       ///< one line for each request
  std::string tls_certificate;  ///< PEM files: both or neither
  std::string tls_key;
  std::string keys;                         ///< the key file; empty: keys.json in data_dir
  std::vector<std::string> cors_origins;    ///< empty = no page of another origin may call
  std::chrono::seconds drain_deadline{10};  ///< what running requests and checkpoints get after SIGTERM
  api::Limits limits;
  PastLimits past_limits;
  std::size_t connections_max = 10'000;      ///< past it: 503
  std::size_t header_bytes_max = 16u << 10;  ///< request line and fields of a request: 431 past it
  std::size_t bodies_bytes_max = 1u << 30;   ///< bodies in memory over all connections: 503 past it
  std::size_t http_threads_max = 128;        ///< with those that replace blocked ones
  std::chrono::seconds header_timeout{10};   ///< for a whole header
  std::chrono::seconds body_timeout{30};     ///< for a body, plus its bytes at the least rate
  std::chrono::seconds write_timeout{30};    ///< for an answer, alike
  std::chrono::seconds idle_timeout{75};     ///< between two requests of a connection
  std::size_t transfer_bytes_per_second_min = 64u << 10;
};

/// One row: a member of Config that flags (--http-threads), environment (MLPD_HTTP_THREADS) and configuration
/// file (http-threads) set in the same words.
struct ConfigOption {
  std::string_view name;         ///< "http-threads"
  std::string_view placeholder;  ///< "N"; empty for a switch, which as a flag needs no value
  std::string_view help;
  /// Sets the member; otherwise changes nothing and says what a right value is.
  std::function<std::optional<std::string>(Config&, const std::string& value)> set;
  std::function<std::string(const Config&)> show;           ///< the member as text that set() takes
  std::function<std::uint64_t(const Config&)> number = {};  ///< of counts, sizes and times: in their unit
};

/// Where the keys are.
std::string keys_path(const Config& config);

/// All of them, in the order of --help.
const std::vector<ConfigOption>& config_options();

/// All limits among them, as /v1/capabilities names them: "body_bytes", "header_timeout_seconds".
api::NamedLimits named_limits(const Config& config);

/// What no single option can see: a certificate without its key. Failure: invalid_argument.
core::Result<void> check_consistency(const Config& config);

/// failed_precondition where the server would be open to strangers: it listens beyond loopback, has no keys
/// and wasn't told that this is meant. The message says what to do.
core::Result<void> check_exposure(const Config& config, bool has_keys);

}  // namespace mlpd::server
