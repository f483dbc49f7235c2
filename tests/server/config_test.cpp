#include "server/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace mlpd::server {
namespace {

const ConfigOption& option(std::string_view name) {
  for (const ConfigOption& row : config_options())
    if (row.name == name) return row;
  throw std::out_of_range(std::string(name));
}

TEST(ConfigOptions, EachDefaultReadsBackAsItself) {
  std::set<std::string_view> names;
  for (const ConfigOption& row : config_options()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " is there twice";
    EXPECT_FALSE(row.help.empty()) << row.name;
    Config config;
    const std::string shown = row.show(config);
    if (shown.empty()) continue;  // no file, no origins
    EXPECT_EQ(row.set(config, shown), std::nullopt) << row.name;
    EXPECT_EQ(row.show(config), shown) << row.name;
  }
}

TEST(ConfigOptions, DefaultLimitsAreThoseOfTheContract) {
  const Config config;
  const std::pair<std::string_view, std::string_view> expected[] = {
      {"body-bytes-max", "64MiB"},
      {"model-body-bytes-max", "512MiB"},
      {"json-depth-max", "32"},
      {"layers-max", "64"},
      {"units-max", "65536"},
      {"parameters-max", "50000000"},
      {"networks-max", "100000"},
      {"job-steps-max", "1000000000"},
      {"jobs-waiting-max", "1000"},
      {"searches-max", "1000"},
      {"searches-waiting-max", "100"},
      {"search-networks-max", "1000"},
      {"requests-waiting-max", "64"},
      {"event-streams-max", "1000"},
      {"history-records-max", "100000"},
      {"trace-rows-max", "64"},
      {"trace-numbers-max", "1000000"},
      {"time-travel-bytes-max", "256MiB"},
      {"journal-bytes-max", "4MiB"},
      {"finished-jobs-max", "1000"},
      {"replay-ms-max", "1000"},
      {"feedback-numbers-max", "100000"},
      {"shadow-numbers-max", "1000000"},
      {"connections-max", "10000"},
      {"header-bytes-max", "16KiB"},
      {"bodies-bytes-max", "1GiB"},
      {"http-threads-max", "128"},
      {"header-timeout", "10"},
      {"body-timeout", "30"},
      {"write-timeout", "30"},
      {"idle-timeout", "75"},
      {"drain-deadline", "10"},
      {"transfer-bytes-per-second-min", "64KiB"},
  };
  for (const auto& [name, value] : expected) EXPECT_EQ(option(name).show(config), value) << name;
}

TEST(NamedLimits, HoldEveryNumberOfTheTableButThreadsAndPolling) {
  Config config;
  std::map<std::string, std::uint64_t> expected;
  std::uint64_t value = 3'000;
  for (const ConfigOption& row : config_options()) {
    if (!row.number || row.name.ends_with("-threads") || row.name == "busy-poll-us") continue;
    std::string name(row.name);
    if (name == "json-depth-max") {
      ASSERT_EQ(row.set(config, "900"), std::nullopt);
    } else {
      ++value;  // each has another one, which it takes whatever its unit is
      ASSERT_EQ(row.set(config, std::to_string(name == "journal-bytes-max" ? 100'000 + value : value)),
                std::nullopt)
          << name;
    }
    if (name.ends_with("-max")) name.resize(name.size() - 4);
    std::replace(name.begin(), name.end(), '-', '_');
    expected[name + (row.placeholder == "SECONDS" ? "_seconds" : "")] = row.number(config);
  }
  EXPECT_EQ(expected.size(), 34U);
  const api::NamedLimits limits = named_limits(config);
  EXPECT_EQ((std::map<std::string, std::uint64_t>(limits.begin(), limits.end())), expected);
  EXPECT_EQ(limits.size(), expected.size());
}

TEST(ConfigOptions, TakeGoodValues) {
  struct Case {
    std::string_view name;
    std::string value;
    std::string shown;
  };
  const Case cases[] = {
      {"listen", "0.0.0.0:0", "0.0.0.0:0"},
      {"listen", "[::1]:65535", "[::1]:65535"},
      {"listen", "localhost:80", "localhost:80"},
      {"data-dir", "/var/lib/mlpd", "/var/lib/mlpd"},
      {"training-threads", "0", "0"},
      {"http-threads", "1024", "1024"},
      {"busy-poll-us", "1000", "1000"},
      {"demo", "true", "on"},
      {"demo", "no", "off"},
      {"allow-anonymous", "1", "on"},
      {"log-level", "error", "error"},
      {"log-format", "json", "json"},
      {"access-log", "off", "off"},
      {"cors-origins", "https://a.example,http://b.example:8000", "https://a.example,http://b.example:8000"},
      {"cors-origins", "", ""},
      {"drain-deadline", "3600", "3600"},
      {"body-bytes-max", "1024", "1KiB"},
      {"body-bytes-max", "1025", "1025"},
      {"body-bytes-max", "3MiB", "3MiB"},
      {"body-bytes-max", "1024GiB", "1024GiB"},
      {"time-travel-bytes-max", "0", "0"},
      {"json-depth-max", "1000", "1000"},
      {"replay-ms-max", "0", "0"},
      {"replay-ms-max", "3600000", "3600000"},
  };
  for (const Case& c : cases) {
    Config config;
    EXPECT_EQ(option(c.name).set(config, c.value), std::nullopt) << c.name << " " << c.value;
    EXPECT_EQ(option(c.name).show(config), c.shown) << c.name << " " << c.value;
  }
}

TEST(ConfigOptions, RefuseBadValuesAndChangeNothing) {
  struct Case {
    std::string_view name;
    std::string value;
    std::string said;
  };
  const Case cases[] = {
      {"listen", "8080", "HOST:PORT"},
      {"listen", ":8080", "HOST:PORT"},
      {"listen", "::1:8080", "[::1]:8080"},
      {"listen", "a b:1", "HOST:PORT"},
      {"listen", "localhost:65536", "no port from 0 to 65535"},
      {"listen", "localhost:", "no port"},
      {"listen", "localhost:-1", "no port"},
      {"data-dir", "", "must not be empty"},
      {"training-threads", "1025", "from 0 to 1024"},
      {"http-threads", "four", "'four' is not a whole number"},
      {"http-threads", "-1", "whole number"},
      {"http-threads", "1.5", "whole number"},
      {"http-threads", "99999999999999999999", "whole number"},
      {"busy-poll-us", "1001", "from 0 to 1000"},
      {"demo", "maybe", "on or off"},
      {"log-level", "loud", "debug|info|warning|error"},
      {"log-format", "xml", "text|json"},
      {"cors-origins", "*", "an origin"},
      {"cors-origins", "https://a.example/path", "an origin"},
      {"cors-origins", "https://", "an origin"},
      {"drain-deadline", "3601", "0 to 3600"},
      {"body-bytes-max", "1023", "from 1024 bytes"},
      {"body-bytes-max", "1025GiB", "to 1024GiB"},
      {"body-bytes-max", "64MB", "such as 64MiB"},
      {"body-bytes-max", "MiB", "such as 64MiB"},
      {"json-depth-max", "1001", "from 8 to 1000"},
      {"layers-max", "0", "from 1"},
      {"header-timeout", "0", "1 to 3600"},
      {"write-timeout", "3601", "1 to 3600"},
      {"body-timeout", "1.5", "1 to 3600"},
      {"idle-timeout", "", "1 to 3600"},
      {"connections-max", "0", "from 1"},
      {"header-bytes-max", "1023", "from 1024"},
      {"feedback-numbers-max", "0", "from 1"},
      {"shadow-numbers-max", "0", "from 1"},
      {"journal-bytes-max", "65535", "from 65536"},
      {"finished-jobs-max", "0", "from 1"},
      {"replay-ms-max", "3600001", "0 to 3600000"},
      {"replay-ms-max", "1s", "whole number of milliseconds"},
  };
  for (const Case& c : cases) {
    Config config;
    const auto fault = option(c.name).set(config, c.value);
    ASSERT_TRUE(fault) << c.name << " " << c.value;
    EXPECT_NE(fault->find(c.said), std::string::npos) << c.name << ": " << *fault;
    EXPECT_EQ(option(c.name).show(config), option(c.name).show(Config{})) << c.name << " " << c.value;
  }
}

TEST(CheckConsistency, WantsCertificateAndKeyTogether) {
  Config config;
  EXPECT_TRUE(check_consistency(config).ok());
  config.tls_certificate = "c.pem";
  EXPECT_NE(check_consistency(config).error().message.find("tls-key"), std::string::npos);
  config.tls_key = "k.pem";
  EXPECT_TRUE(check_consistency(config).ok());
  config.tls_certificate.clear();
  EXPECT_NE(check_consistency(config).error().message.find("tls-certificate"), std::string::npos);
}

TEST(CheckExposure, RefusesStrangersUnlessKeysOrTheUserAllowThem) {
  struct Case {
    std::string host;
    bool loopback;
  };
  const Case cases[] = {{"127.0.0.1", true},    {"127.9.9.9", true},        {"::1", true},
                        {"localhost", true},    {"0.0.0.0", false},         {"::", false},
                        {"192.168.0.7", false}, {"127.evil.example", false}};
  for (const Case& c : cases) {
    Config config;
    config.listen.host = c.host;
    EXPECT_EQ(is_loopback(config.listen), c.loopback) << c.host;
    EXPECT_EQ(check_exposure(config, false).ok(), c.loopback) << c.host;
    EXPECT_TRUE(check_exposure(config, true).ok()) << c.host;
    config.allow_anonymous = true;
    EXPECT_TRUE(check_exposure(config, false).ok()) << c.host;
  }
  Config open;
  open.listen.host = "0.0.0.0";
  const core::Error error = check_exposure(open, false).error();
  EXPECT_EQ(error.code, core::ErrorCode::failed_precondition);
  for (const char* said : {"0.0.0.0:8080", "mlpd key create", "--allow-anonymous", "MLPD_ALLOW_ANONYMOUS=1"})
    EXPECT_NE(error.message.find(said), std::string::npos) << said;
}

TEST(Address, IsWrittenAsItIsRead) {
  EXPECT_EQ(to_string(Address{"127.0.0.1", 1}), "127.0.0.1:1");
  EXPECT_EQ(to_string(Address{"::1", 8080}), "[::1]:8080");
}

}  // namespace
}  // namespace mlpd::server
