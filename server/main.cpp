#include <iostream>

#include "server/command_line.h"
#include "server/health_check.h"
#include "server/key_command.h"
#include "server/serve.h"

namespace {

int exit_code(const mlpd::core::Result<void>& done) {
  if (!done) std::cerr << done.error().message << "\n";
  return done ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace mlpd::server;
  const std::vector<std::string> arguments{argv + 1, argv + argc};
  const auto line = read_command_line(arguments, process_environment);
  if (!line) {
    std::cerr << line.error().message << "\n";
    return 2;
  }
  const auto read_again = [&arguments]() -> mlpd::core::Result<Config> {
    auto again = read_command_line(arguments, process_environment);
    if (!again) return again.error();
    return again->config;
  };
  switch (line->command) {
    case CommandLine::Command::serve:
      return exit_code(serve(line->config, read_again, std::cout, std::cerr));
    case CommandLine::Command::health:
      return exit_code(check_health(line->config));
    case CommandLine::Command::key:
      return exit_code(run_key_command(line->config, line->key, std::cout, std::cerr));
    case CommandLine::Command::print:
      std::cout << line->text;
  }
  return 0;
}
