#include "server/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <sstream>
#include <thread>
#include <vector>

namespace mlpd::server {
namespace {

using testing::EndsWith;
using testing::MatchesRegex;

constexpr const char* kTime = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z";

TEST(Log, WritesTextForPeople) {
  std::ostringstream out;
  Log(out, LogLevel::info, LogFormat::text)
      .info("job finished", {{"network", "xor"}, {"steps", std::int64_t{-5}}, {"loss", 0.5}});
  EXPECT_THAT(out.str(),
              MatchesRegex(std::string(kTime) + " info job finished network=xor steps=-5 loss=0.5\n"));
}

TEST(Log, WritesJsonForMachines) {
  std::ostringstream out;
  Log(out, LogLevel::info, LogFormat::json)
      .warning("slow", {{"path", "/a\"b"}, {"rows", std::int64_t{3}}, {"loss", 1e-9}});
  EXPECT_THAT(out.str(),
              MatchesRegex("[{]\"time\":\"" + std::string(kTime) +
                           "\",\"level\":\"warning\",\"message\":\"slow\",\"path\":\"/a\\\\\"b\",\"rows\":3,"
                           "\"loss\":1e-09[}]\n"));
}

TEST(Log, NothingThatAClientSendsForgesALine) {
  struct Case {
    std::string value;
    std::string text;
    std::string json;
  };
  const Case cases[] = {
      {"a\nb", "v=\"a\\nb\"\n", "\"v\":\"a\\nb\"}\n"},
      {"", "v=\"\"\n", "\"v\":\"\"}\n"},
      {"a b=c", "v=\"a b=c\"\n", "\"v\":\"a b=c\"}\n"},
      {"\x1b[31m", "v=\"\\u001b[31m\"\n", "\"v\":\"\\u001b[31m\"}\n"},
      {"\xff", "v=\"\xef\xbf\xbd\"\n", "\"v\":\"\xef\xbf\xbd\"}\n"},
      {"%v {}", "v=\"%v {}\"\n", "\"v\":\"%v {}\"}\n"},
  };
  for (const Case& c : cases) {
    std::ostringstream text;
    std::ostringstream json;
    Log(text, LogLevel::info, LogFormat::text).info("m", {{"v", c.value}});
    Log(json, LogLevel::info, LogFormat::json).info("m", {{"v", c.value}});
    EXPECT_THAT(text.str(), EndsWith(c.text));
    EXPECT_THAT(json.str(), EndsWith(c.json));
  }
  std::ostringstream out;
  Log(out, LogLevel::info, LogFormat::text).info("two\nlines");
  EXPECT_THAT(out.str(), EndsWith("info \"two\\nlines\"\n"));
}

TEST(Log, NumbersThatJsonLacksAreNull) {
  std::ostringstream out;
  Log(out, LogLevel::info, LogFormat::json).info("m", {{"loss", std::numeric_limits<double>::infinity()}});
  EXPECT_THAT(out.str(), EndsWith("\"loss\":null}\n"));
}

TEST(Log, WritesFromItsLevelUpwards) {
  const LogLevel levels[] = {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error};
  for (const LogLevel threshold : levels) {
    std::ostringstream out;
    Log log(out, LogLevel::error, LogFormat::text);
    log.set_level(threshold);
    for (const LogLevel level : levels) {
      out.str("");
      log.write(level, "m");
      EXPECT_EQ(!out.str().empty(), level >= threshold);
      EXPECT_EQ(log.writes(level), level >= threshold);
    }
  }
}

TEST(Log, LinesOfSeveralThreadsStayWhole) {
  std::ostringstream out;
  Log log(out, LogLevel::info, LogFormat::text);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&log] {
      for (int k = 0; k < 100; ++k) log.info("message", {{"name", "value"}});
    });
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(out.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_THAT(line, MatchesRegex(std::string(kTime) + " info message name=value"));
  EXPECT_EQ(count, 400);
}

}  // namespace
}  // namespace mlpd::server
