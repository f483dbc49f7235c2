#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "server/config.h"

namespace mlpd::server {

/// What `mlpd key` is to do.
struct KeyRequest {
  enum class Action { create, list, revoke };
  Action action = Action::list;
  std::string id;  ///< of revoke; the rest is of create
  std::string name;
  std::string scope;  ///< read, predict, train or admin
  std::string network_prefix;
  double requests_per_second = 0;
};

/// What a command line asks for.
struct CommandLine {
  enum class Command { serve, health, key, print };
  Command command = Command::print;
  Config config;     ///< of all but print
  KeyRequest key;    ///< of key
  std::string text;  ///< of print: help or version, for stdout
};

/// Value of an environment variable; nullopt where it isn't set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The process's own.
std::optional<std::string> process_environment(const std::string& name);

/// Reads flags, then environment, then the configuration file (--config or MLPD_CONFIG: lines `name = value`,
/// `#` begins a comment), then defaults; the first that has a value wins. `arguments` are argv without the
/// program's name. Failure: invalid_argument with a line for every bad flag, variable or key: which one, why,
/// and what it was probably meant to be.
core::Result<CommandLine> read_command_line(const std::vector<std::string>& arguments,
                                            const Environment& environment);

}  // namespace mlpd::server
