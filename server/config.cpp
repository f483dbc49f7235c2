#include "server/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>
#include <utility>

namespace mlpd::server {
namespace {

using Fault = std::optional<std::string>;

template <class T>
using Member = T& (*)(Config&);

/// show() needs no second accessor: it looks at a copy.
template <class T>
T read_member(const Config& config, Member<T> member) {
  Config copy = config;
  return member(copy);
}

std::optional<std::uint64_t> parse_whole(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Fault not_one_of(const std::string& value, const std::string& allowed) {
  return "'" + value + "' is not " + allowed;
}

template <class T>
ConfigOption count(std::string_view name, std::string_view help, Member<T> member, std::uint64_t least,
                   std::uint64_t most) {
  auto set = [=](Config& config, const std::string& value) -> Fault {
    const auto number = parse_whole(value);
    if (!number || *number < least || *number > most)
      return not_one_of(value,
                        "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    member(config) = static_cast<T>(*number);
    return std::nullopt;
  };
  auto number = [=](const Config& c) -> std::uint64_t { return read_member(c, member); };
  return {name, "N", help, set, [=](const Config& c) { return std::to_string(number(c)); }, number};
}

constexpr std::array<std::pair<std::string_view, int>, 4> kByteUnits = {
    {{"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"", 0}}};

template <class T>
ConfigOption bytes(std::string_view name, std::string_view help, Member<T> member, std::uint64_t least) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  auto set = [=](Config& config, const std::string& value) -> Fault {
    for (const auto& [unit, shift] : kByteUnits) {
      if (!value.ends_with(unit)) continue;
      const auto number = parse_whole(std::string_view(value).substr(0, value.size() - unit.size()));
      if (!number || *number > (kMost >> shift) || (*number << shift) < least) break;
      member(config) = static_cast<T>(*number << shift);
      return std::nullopt;
    }
    return not_one_of(value, "a size from " + std::to_string(least) + " bytes to 1024GiB, such as 64MiB");
  };
  auto number = [=](const Config& c) -> std::uint64_t { return read_member(c, member); };
  auto show = [=](const Config& config) {
    const std::uint64_t value = number(config);
    for (const auto& [unit, shift] : kByteUnits)
      if (value >> shift << shift == value && value >> shift != 0)
        return std::to_string(value >> shift) + std::string(unit);
    return std::to_string(value);
  };
  return {name, "BYTES", help, set, show, number};
}

using Seconds = std::chrono::seconds;

ConfigOption seconds(std::string_view name, std::string_view help, Member<Seconds> member,
                     std::uint64_t least) {
  auto set = [=](Config& config, const std::string& value) -> Fault {
    const auto number = parse_whole(value);
    if (!number || *number < least || *number > 3600)
      return not_one_of(value, "a whole number of seconds from " + std::to_string(least) + " to 3600");
    member(config) = Seconds(*number);
    return std::nullopt;
  };
  auto number = [=](const Config& c) { return static_cast<std::uint64_t>(read_member(c, member).count()); };
  return {name, "SECONDS", help, set, [=](const Config& c) { return std::to_string(number(c)); }, number};
}

ConfigOption toggle(std::string_view name, std::string_view help, Member<bool> member, bool is_switch) {
  auto set = [=](Config& config, const std::string& value) -> Fault {
    const bool on = value == "on" || value == "true" || value == "yes" || value == "1";
    if (!on && value != "off" && value != "false" && value != "no" && value != "0")
      return not_one_of(value, "on or off");
    member(config) = on;
    return std::nullopt;
  };
  return {name, is_switch ? "" : "on|off", help, set,
          [=](const Config& c) { return read_member(c, member) ? "on" : "off"; }};
}

ConfigOption text(std::string_view name, std::string_view placeholder, std::string_view help,
                  Member<std::string> member) {
  auto set = [=](Config& config, const std::string& value) -> Fault {
    if (value.empty()) return "must not be empty";
    member(config) = value;
    return std::nullopt;
  };
  return {name, placeholder, help, set, [=](const Config& c) { return read_member(c, member); }};
}

/// `names` are the enumerators' names in order, parted by '|'.
template <class T>
ConfigOption choice(std::string_view name, std::string_view names, std::string_view help, Member<T> member) {
  std::vector<std::string> allowed;
  for (std::string_view rest = names; !rest.empty();) {
    const auto end = std::min(rest.find('|'), rest.size());
    allowed.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  auto set = [=](Config& config, const std::string& value) -> Fault {
    const auto found = std::find(allowed.begin(), allowed.end(), value);
    if (found == allowed.end()) return not_one_of(value, "one of " + std::string(names));
    member(config) = static_cast<T>(found - allowed.begin());
    return std::nullopt;
  };
  auto show = [=](const Config& c) { return allowed[static_cast<std::size_t>(read_member(c, member))]; };
  return {name, names, help, set, show};
}

Fault set_listen(Config& config, const std::string& value) {
  const std::string right = "HOST:PORT, such as 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080";
  const auto colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0) return not_one_of(value, right);
  const auto port = parse_whole(std::string_view(value).substr(colon + 1));
  std::string host = value.substr(0, colon);
  if (host.front() == '[' && host.back() == ']' && host.size() > 2)
    host = host.substr(1, host.size() - 2);
  else if (host.find_first_of(":[] ") != std::string::npos)
    return not_one_of(value, right);
  if (!port || *port > 65'535) return "'" + value + "' has no port from 0 to 65535; give " + right;
  config.listen = {host, static_cast<std::uint16_t>(*port)};
  return std::nullopt;
}

Fault set_cors_origins(Config& config, const std::string& value) {
  std::vector<std::string> origins;
  for (std::string_view rest = value; !rest.empty();) {
    const auto end = std::min(rest.find(','), rest.size());
    const std::string origin(rest.substr(0, end));
    const auto host = origin.find("://");
    const bool http = origin.starts_with("http://") || origin.starts_with("https://");
    if (!http || host + 3 == origin.size() || origin.find_first_of("/ ?#*", host + 3) != std::string::npos)
      return not_one_of(origin, "an origin, such as https://example.org (several are parted by commas)");
    origins.push_back(origin);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  config.cors_origins = std::move(origins);
  return std::nullopt;
}

std::string show_cors_origins(const Config& config) {
  std::string all;
  for (const std::string& origin : config.cors_origins) all += (all.empty() ? "" : ",") + origin;
  return all;
}

Fault set_replay_max(Config& config, const std::string& value) {
  const auto milliseconds = parse_whole(value);
  if (!milliseconds || *milliseconds > 3'600'000)
    return not_one_of(value, "a whole number of milliseconds from 0 to 3600000");
  config.past_limits.replay_max = std::chrono::milliseconds(*milliseconds);
  return std::nullopt;
}

std::uint64_t replay_max_ms(const Config& config) {
  return static_cast<std::uint64_t>(config.past_limits.replay_max.count());
}

/// Turns a lambda that leads to a member, nested ones too, into the pointer that the builders take.
template <class T, class F>
Member<T> at(F accessor) {
  return accessor;
}

std::vector<ConfigOption> process_options() {
  return {
      {"listen", "HOST:PORT", "where to serve; port 0 = any free one", set_listen,
       [](const Config& c) { return to_string(c.listen); }},
      text("data-dir", "DIR", "where networks and jobs are kept",
           at<std::string>([](Config & c) -> auto& { return c.data_dir; })),
      count("training-threads", "jobs that train at once; 0 = one for each processor",
            at<std::size_t>([](Config & c) -> auto& { return c.training_threads; }), 0, 1'024),
      count("http-threads", "requests that run at once; 0 = one for each processor",
            at<std::size_t>([](Config & c) -> auto& { return c.http_threads; }), 0, 1'024),
      count("busy-poll-us", "µs that a thread looks for the next request before it sleeps; 0 = sleep at once",
            at<std::size_t>([](Config & c) -> auto& { return c.busy_poll_us; }), 0, 1'000),
      text("models-dir", "DIR", "import its model documents NAME.json at start, as networks NAME",
           at<std::string>([](Config & c) -> auto& { return c.models_dir; })),
      toggle("demo", "create the network 'demo' on the xor data and train it, unless it is there",
             at<bool>([](Config & c) -> auto& { return c.demo; }), true),
      toggle("allow-anonymous", "let anyone who reaches the address use it, without a key",
             at<bool>([](Config & c) -> auto& { return c.allow_anonymous; }), true),
      choice("log-level", "debug|info|warning|error", "what is worth a line",
             at<LogLevel>([](Config & c) -> auto& { return c.log_level; })),
      choice("log-format", "text|json", "lines for people or for machines",
             at<LogFormat>([](Config & c) -> auto& { return c.log_format; })),
      toggle("access-log", "a line for each request",
             at<bool>([](Config & c) -> auto& { return c.access_log; }), false),
      text("tls-certificate", "FILE", "serve HTTPS with this PEM certificate chain",
           at<std::string>([](Config & c) -> auto& { return c.tls_certificate; })),
      text("tls-key", "FILE", "the certificate's private key, PEM",
           at<std::string>([](Config & c) -> auto& { return c.tls_key; })),
      text("keys", "FILE", "the bearer keys, made by mlpd key; keys.json in the data folder by default",
           at<std::string>([](Config & c) -> auto& { return c.keys; })),
      {"cors-origins", "ORIGINS", "web pages of these origins may call, parted by commas", set_cors_origins,
       show_cors_origins},
  };
}

std::vector<ConfigOption> limit_options() {
  using Size = std::size_t;
  return {
      bytes("body-bytes-max", "size of a request's body",
            at<Size>([](Config & c) -> auto& { return c.limits.body_bytes_max; }), 1'024),
      bytes("model-body-bytes-max", "size of an imported model",
            at<Size>([](Config & c) -> auto& { return c.limits.model_body_bytes_max; }), 1'024),
      bytes("dataset-body-bytes-max", "size of an uploaded data set (CSV, NDJSON)",
            at<Size>([](Config & c) -> auto& { return c.limits.dataset_body_bytes_max; }), 1'024),
      count("json-depth-max", "nested brackets in a body",
            at<Size>([](Config & c) -> auto& { return c.limits.json_depth_max; }), 8, 1'000),
      count("layers-max", "layers of a network",
            at<Size>([](Config & c) -> auto& { return c.limits.network.layers; }), 1, 10'000),
      count("units-max", "units of a layer",
            at<Size>([](Config & c) -> auto& { return c.limits.network.units; }), 1, 1'000'000),
      count("parameters-max", "trainable numbers of a network",
            at<Size>([](Config & c) -> auto& { return c.limits.network.parameters; }), 1, 10'000'000'000),
      count("networks-max", "networks on this server",
            at<Size>([](Config & c) -> auto& { return c.limits.networks_max; }), 1, 10'000'000),
      count("job-steps-max", "training steps of a job",
            at<std::uint64_t>([](Config & c) -> auto& { return c.limits.job_steps_max; }), 1,
            1'000'000'000'000),
      count("jobs-waiting-max", "jobs in the queue",
            at<Size>([](Config & c) -> auto& { return c.limits.jobs_waiting_max; }), 1, 1'000'000),
      count("searches-max", "searches on record",
            at<Size>([](Config & c) -> auto& { return c.limits.searches_max; }), 1, 100'000),
      count("searches-waiting-max", "searches that have not ended",
            at<Size>([](Config & c) -> auto& { return c.limits.searches_waiting_max; }), 1, 100'000),
      count("search-networks-max", "networks that one search tries",
            at<Size>([](Config & c) -> auto& { return c.limits.search_networks_max; }), 1, 100'000),
      count("requests-waiting-max", "requests that wait for a job; one more is answered 202 at once",
            at<Size>([](Config & c) -> auto& { return c.limits.requests_waiting_max; }), 0, 10'000),
      count("event-streams-max", "open event streams",
            at<Size>([](Config & c) -> auto& { return c.limits.event_streams_max; }), 0, 100'000),
      count("history-records-max", "records of a network's history; past it they are thinned",
            at<Size>([](Config & c) -> auto& { return c.limits.history_records_max; }), 16, 100'000'000),
      count("trace-rows-max", "rows of a trace",
            at<Size>([](Config & c) -> auto& { return c.limits.trace.rows; }), 1, 1'000'000),
      count("trace-numbers-max", "numbers in a trace's answer",
            at<Size>([](Config & c) -> auto& { return c.limits.trace.numbers; }), 1, 1'000'000'000),
      bytes("time-travel-bytes-max", "checkpoints kept of a network's past",
            at<std::uint64_t>([](Config & c) -> auto& { return c.limits.time_travel_bytes_max; }), 0),
      bytes("journal-bytes-max", "a network's journal; past it its oldest steps are given up",
            at<std::uint64_t>([](Config & c) -> auto& { return c.past_limits.journal_bytes_max; }), 65'536),
      count("finished-jobs-max", "finished jobs of a network on record; older ones answer 404",
            at<Size>([](Config & c) -> auto& { return c.past_limits.finished_jobs_max; }), 1, 1'000'000),
      {"replay-ms-max", "N", "going back is a job (202) where it takes longer, in milliseconds",
       set_replay_max, [](const Config& c) { return std::to_string(replay_max_ms(c)); }, replay_max_ms},
      count("feedback-numbers-max", "answers of predictions that feedback can name; older ones are forgotten",
            at<Size>([](Config & c) -> auto& { return c.limits.feedback_numbers_max; }), 1, 1'000'000'000),
      count("shadow-numbers-max", "inputs and answers that wait for shadows; past it, rows are dropped",
            at<Size>([](Config & c) -> auto& { return c.limits.shadow_numbers_max; }), 1, 1'000'000'000),
  };
}

std::vector<ConfigOption> connection_options() {
  using Size = std::size_t;
  return {
      count("connections-max", "open connections; one more is answered 503",
            at<Size>([](Config & c) -> auto& { return c.connections_max; }), 1, 1'000'000),
      bytes("header-bytes-max", "request line and fields of a request",
            at<Size>([](Config & c) -> auto& { return c.header_bytes_max; }), 1'024),
      bytes("bodies-bytes-max", "bodies in memory at once; one more is answered 503",
            at<Size>([](Config & c) -> auto& { return c.bodies_bytes_max; }), 1'024),
      count("http-threads-max", "threads with those that replace blocked ones",
            at<Size>([](Config & c) -> auto& { return c.http_threads_max; }), 1, 10'000),
      seconds("header-timeout", "for the whole header of a request",
              at<Seconds>([](Config & c) -> auto& { return c.header_timeout; }), 1),
      seconds("body-timeout", "for a body, besides the time that its bytes take at the least rate",
              at<Seconds>([](Config & c) -> auto& { return c.body_timeout; }), 1),
      seconds("write-timeout", "for an answer, besides the time that its bytes take at the least rate",
              at<Seconds>([](Config & c) -> auto& { return c.write_timeout; }), 1),
      seconds("idle-timeout", "between two requests of a connection",
              at<Seconds>([](Config & c) -> auto& { return c.idle_timeout; }), 1),
      seconds("drain-deadline", "what running requests get after SIGTERM",
              at<Seconds>([](Config & c) -> auto& { return c.drain_deadline; }), 0),
      bytes("transfer-bytes-per-second-min", "the least rate of bodies and answers",
            at<Size>([](Config & c) -> auto& { return c.transfer_bytes_per_second_min; }), 1),
  };
}

}  // namespace

std::string to_string(const Address& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

bool is_loopback(const Address& address) {
  const bool dotted = address.host.find_first_not_of("0123456789.") == std::string::npos;
  return address.host == "localhost" || address.host == "::1" || (dotted && address.host.starts_with("127."));
}

const std::vector<ConfigOption>& config_options() {
  static const std::vector<ConfigOption> kOptions = [] {
    std::vector<ConfigOption> all = process_options();
    for (auto* more : {limit_options, connection_options})
      for (ConfigOption& option : more()) all.push_back(std::move(option));
    return all;
  }();
  return kOptions;
}

api::NamedLimits named_limits(const Config& config) {
  constexpr std::string_view kMax = "-max";
  api::NamedLimits all;
  for (auto* options : {limit_options, connection_options})
    for (const ConfigOption& option : options()) {
      std::string name(option.name);
      if (name.ends_with(kMax)) name.resize(name.size() - kMax.size());
      std::replace(name.begin(), name.end(), '-', '_');
      if (option.placeholder == "SECONDS") name += "_seconds";
      all.emplace_back(std::move(name), option.number(config));
    }
  return all;
}

std::string keys_path(const Config& config) {
  return config.keys.empty() ? config.data_dir + "/keys.json" : config.keys;
}

core::Result<void> check_consistency(const Config& config) {
  if (config.tls_certificate.empty() == config.tls_key.empty()) return {};
  return core::Error{core::ErrorCode::invalid_argument,
                     config.tls_key.empty() ? "tls-certificate needs its private key: give tls-key too"
                                            : "tls-key needs its certificate: give tls-certificate too"};
}

core::Result<void> check_exposure(const Config& config, bool has_keys) {
  if (is_loopback(config.listen) || has_keys || config.allow_anonymous) return {};
  return core::Error{
      core::ErrorCode::failed_precondition,
      to_string(config.listen) +
          " can be reached from other machines, and there is no key that keeps strangers out.\n"
          "Make one:           mlpd key create --data-dir " +
          config.data_dir +
          " --scope admin\nor serve only here: --listen 127.0.0.1:" + std::to_string(config.listen.port) +
          "\nor let anyone in:   --allow-anonymous (MLPD_ALLOW_ANONYMOUS=1)"};
}

}  // namespace mlpd::server
