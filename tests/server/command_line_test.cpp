#include "server/command_line.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace mlpd::server {
namespace {

using Command = CommandLine::Command;
using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

/// A configuration file that lives as long as the test.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) { std::ofstream(path_) << text; }
  ~ConfigFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / ("mlpd_config_" + std::to_string(::getpid()));
};

TEST(CommandLine, FlagsBeatEnvironmentBeatFileBeatDefaults) {
  const ConfigFile file(
      "# limits of the lab\n\n"
      "http-threads = 3\r\n"
      "training-threads=3   # three\n"
      "\tlayers-max = 3\n");
  const auto line = read_command_line(
      {"serve", "--config", file.path(), "--http-threads", "1"},
      environment_of({{"MLPD_HTTP_THREADS", "2"}, {"MLPD_TRAINING_THREADS", "2"}, {"MLPD_UNITS_MAX", ""}}));
  ASSERT_TRUE(line.ok()) << line.error().message;
  EXPECT_EQ(line->command, Command::serve);
  EXPECT_EQ(line->config.http_threads, 1u);
  EXPECT_EQ(line->config.training_threads, 2u);
  EXPECT_EQ(line->config.limits.network.layers, 3u);
  EXPECT_EQ(line->config.limits.network.units, 65'536u);
}

TEST(CommandLine, TheFileCanBeNamedByTheEnvironment) {
  const ConfigFile file("demo = on\n");
  const auto line = read_command_line({"serve"}, environment_of({{"MLPD_CONFIG", file.path()}}));
  ASSERT_TRUE(line.ok());
  EXPECT_TRUE(line->config.demo);
}

TEST(CommandLine, ReadsCommandsAndForms) {
  struct Case {
    Words words;
    Command command;
    std::string listen;
    bool demo;
  };
  const Case cases[] = {
      {{"serve"}, Command::serve, "127.0.0.1:8080", false},
      {{"serve", "--listen=0.0.0.0:0", "--demo"}, Command::serve, "0.0.0.0:0", true},
      {{"serve", "--demo", "--listen", "[::1]:1"}, Command::serve, "[::1]:1", true},
      {{"serve", "--listen", "a:1", "--listen", "a:2"}, Command::serve, "a:2", false},
      {{"serve", "--demo=off"}, Command::serve, "127.0.0.1:8080", false},
      {{"health", "--listen", "localhost:9"}, Command::health, "localhost:9", false},
  };
  for (const Case& c : cases) {
    const auto line = read_command_line(c.words, environment_of({}));
    ASSERT_TRUE(line.ok()) << line.error().message;
    EXPECT_EQ(line->command, c.command);
    EXPECT_EQ(to_string(line->config.listen), c.listen);
    EXPECT_EQ(line->config.demo, c.demo);
  }
}

TEST(CommandLine, PrintsHelpAndVersion) {
  struct Case {
    Words words;
    std::string said;
  };
  const Case cases[] = {{{}, "serve"},
                        {{"--help"}, "health"},
                        {{"-h"}, "Usage"},
                        {{"serve", "--help"}, "--time-travel-bytes-max BYTES"},
                        {{"health", "--help"}, "--listen HOST:PORT"},
                        {{"--version"}, "mlpd 0."}};
  for (const Case& c : cases) {
    const auto line = read_command_line(c.words, environment_of({}));
    ASSERT_TRUE(line.ok()) << line.error().message;
    EXPECT_EQ(line->command, Command::print);
    EXPECT_NE(line->text.find(c.said), std::string::npos) << line->text;
  }
}

TEST(CommandLine, SaysWhatIsWrongWithBadFlags) {
  struct Case {
    Words words;
    Variables variables;
    Words said;
  };
  const Case cases[] = {
      {{"srve"}, {}, {"srve: there is no such command; did you mean serve?"}},
      {{"--frobnicate"}, {}, {"--frobnicate: there is no such flag"}},
      {{"serve", "--htp-threads", "4"},
       {},
       {"--htp-threads: there is no such flag; did you mean --http-threads?"}},
      {{"serve", "--treads=4"}, {}, {"--treads: there is no such flag"}},
      {{"serve", "-x"}, {}, {"-x: there is no such flag"}},
      {{"serve", "extra"}, {}, {"extra: is not expected here"}},
      {{"serve", "--data-dir", "a", "b"}, {}, {"b: is not expected here"}},
      {{"serve", "--listen"}, {}, {"--listen", "required"}},
      {{"serve", "--http-threads", "x"}, {}, {"--http-threads: 'x' is not a whole number"}},
      {{"serve"}, {{"MLPD_HTTP_THREADS", "x"}}, {"MLPD_HTTP_THREADS: 'x' is not a whole number"}},
      {{"serve", "--demo=perhaps"}, {}, {"demo"}},
      {{"health", "--demo"}, {}, {"--demo: there is no such flag"}},
      {{"serve", "--config", "/nowhere/mlpd.conf"}, {}, {"/nowhere/mlpd.conf: can't be read"}},
      {{"serve", "--tls-key", "k"}, {}, {"tls-key needs its certificate"}},
      {{"serve", "--layers-max", "0", "--units-max", "0", "--unit-max", "1"},
       {},
       {"--layers-max: '0'", "--units-max: '0'",
        "--unit-max: there is no such flag; did you mean --units-max?"}},
  };
  for (const Case& c : cases) {
    const auto line = read_command_line(c.words, environment_of(c.variables));
    ASSERT_FALSE(line.ok()) << testing::PrintToString(c.words);
    EXPECT_EQ(line.error().code, core::ErrorCode::invalid_argument);
    for (const std::string& said : c.said)
      EXPECT_NE(line.error().message.find(said), std::string::npos) << line.error().message;
  }
}

TEST(CommandLine, SaysWhichLineOfTheFileIsWrong) {
  const ConfigFile file("layers-max = 0\nlayer-max = 1\nnonsense\nunits-max = 1\nunits-max = 2\n");
  const auto line = read_command_line({"serve", "--config", file.path()}, environment_of({}));
  ASSERT_FALSE(line.ok());
  for (const std::string said :
       {":1: layers-max: '0' is not a whole number",
        ":2: layer-max: there is no such option; did you mean layers-max?",
        ":3: nonsense: is not of the form name = value", ":5: units-max: is given twice"})
    EXPECT_NE(line.error().message.find(file.path() + said), std::string::npos) << line.error().message;
}

}  // namespace
}  // namespace mlpd::server
