#include "server/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string_view>
#include <utility>

#include "core/nearest_name.h"
#include "server/build_info.h"

namespace mlpd::server {
namespace {

/// A value and where it came from: "--listen", "MLPD_LISTEN", "mlpd.conf:3: listen".
struct Given {
  std::string value;
  std::string source;
};
using GivenByName = std::map<std::string, Given, std::less<>>;
using Faults = std::vector<std::string>;

std::string variable_of(std::string_view option) {
  std::string variable = "MLPD_";
  for (const char c : option)
    variable += c == '-' ? '_' : static_cast<char>(c - ('a' <= c && c <= 'z' ? 32 : 0));
  return variable;
}

std::string suggestion(std::string_view name, const std::vector<std::string_view>& known,
                       const std::string& prefix) {
  const std::string_view nearest = core::nearest_name(name, known);
  return nearest.empty() ? "" : "; did you mean " + prefix + std::string(nearest) + "?";
}

std::vector<std::string_view> option_names() {
  std::vector<std::string_view> names;
  for (const ConfigOption& option : config_options()) names.push_back(option.name);
  return names;
}

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1));
}

void read_file(const std::string& path, GivenByName& given, Faults& faults) {
  std::ifstream file(path);
  if (!file) faults.push_back("configuration file " + path + ": can't be read");
  const std::vector<std::string_view> names = option_names();
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const std::string text = trimmed(std::string_view(line).substr(0, line.find('#')));
    if (text.empty()) continue;
    const auto equals = text.find('=');
    const std::string name = trimmed(text.substr(0, equals));
    const std::string source = path + ":" + std::to_string(number) + ": " + name;
    if (equals == std::string::npos)
      faults.push_back(source + ": is not of the form name = value");
    else if (std::find(names.begin(), names.end(), name) == names.end())
      faults.push_back(source + ": there is no such option" + suggestion(name, names, ""));
    else if (!given.emplace(name, Given{trimmed(text.substr(equals + 1)), source}).second)
      faults.push_back(source + ": is given twice");
  }
}

void read_environment(const Environment& environment, GivenByName& given) {
  for (const ConfigOption& option : config_options()) {
    const std::string variable = variable_of(option.name);
    const auto value = environment(variable);
    if (value && !value->empty()) given.insert_or_assign(std::string(option.name), Given{*value, variable});
  }
}

using Flags = std::map<std::string_view, CLI::Option*>;

/// Gives a subcommand the flags of those options that it wants.
Flags add_flags(CLI::App& app, bool (*wanted)(std::string_view)) {
  Flags flags;
  flags["config"] = app.add_option("--config", "file of lines `name = value`, named as the flags are");
  flags["config"]->type_name("FILE")->take_last();
  const Config defaults;
  for (const ConfigOption& option : config_options()) {
    if (!wanted(option.name)) continue;
    const std::string flag = "--" + std::string(option.name);
    const std::string shown = option.show(defaults);
    const bool has_default = !option.placeholder.empty() && !shown.empty();
    // const: CLI11 would take a changeable string for the variable to set.
    const std::string help = std::string(option.help) + (has_default ? " [" + shown + "]" : "");
    CLI::Option* added = option.placeholder.empty() ? app.add_flag(flag, help) : app.add_option(flag, help);
    if (!option.placeholder.empty()) added->type_name(std::string(option.placeholder));
    const bool is_limit =
        option.name.ends_with("-max") || option.name.ends_with("-min") || option.name.ends_with("-timeout");
    flags[option.name] = added->take_last()->group(is_limit ? "Limits" : "Options");
  }
  return flags;
}

Faults find_strangers(const std::vector<std::string>& remaining, bool has_command, const Flags& flags) {
  Faults faults;
  std::vector<std::string_view> known;
  for (const auto& [name, option] : flags) known.push_back(name);
  const bool has_flag =
      std::any_of(remaining.begin(), remaining.end(), [](const auto& word) { return word.starts_with("-"); });
  for (const std::string& word : remaining) {
    const std::string name = word.substr(0, word.find('='));
    if (word.starts_with("--"))
      faults.push_back(name + ": there is no such flag" + suggestion(name.substr(2), known, "--"));
    else if (word.starts_with("-"))
      faults.push_back(word + ": there is no such flag");
    else if (!has_command)
      faults.push_back(word + ": there is no such command" +
                       suggestion(word, {"serve", "health", "key"}, ""));
    else if (!has_flag)  // what follows an unknown flag is probably its value
      faults.push_back(word + ": is not expected here");
  }
  return faults;
}

/// The layers of configuration, the weakest first.
Config configure(const Flags& flags, const Environment& environment, Faults& faults) {
  GivenByName given;
  const CLI::Option* config_flag = flags.at("config");
  const std::string path =
      config_flag->count() > 0 ? config_flag->as<std::string>() : environment("MLPD_CONFIG").value_or("");
  if (!path.empty()) read_file(path, given, faults);
  read_environment(environment, given);
  for (const auto& [name, flag] : flags)
    if (flag->count() > 0 && name != "config")
      given.insert_or_assign(std::string(name), Given{flag->as<std::string>(), "--" + std::string(name)});

  Config config;
  for (const ConfigOption& option : config_options()) {
    const auto found = given.find(option.name);
    if (found == given.end()) continue;
    if (const auto fault = option.set(config, found->second.value))
      faults.push_back(found->second.source + ": " + *fault);
  }
  const auto consistent = check_consistency(config);
  if (!consistent) faults.push_back(consistent.error().message);
  return config;
}

/// `mlpd key` and its three actions.
struct KeyCommands {
  CLI::App* key = nullptr;
  std::vector<std::pair<CLI::App*, Flags>> actions;  ///< in KeyRequest::Action's order
};

KeyCommands add_key_commands(CLI::App& app, KeyRequest& request) {
  KeyCommands commands;
  commands.key = app.add_subcommand("key", "make, list and revoke the keys that let clients in");
  commands.key->require_subcommand(1)->get_formatter()->column_width(40);
  CLI::App* create = commands.key->add_subcommand("create", "make a key and print it, once");
  CLI::App* list = commands.key->add_subcommand("list", "show all keys, but not their secrets");
  CLI::App* revoke = commands.key->add_subcommand("revoke", "refuse a key from the next SIGHUP or start on");
  create->add_option("--scope", request.scope, "what it may do; each includes those before")
      ->check(CLI::IsMember({"read", "predict", "train", "admin"}))
      ->required()
      ->option_text("read|predict|train|admin");
  create->add_option("--name", request.name, "whose it is")->option_text("TEXT");
  create->add_option("--requests-per-second", request.requests_per_second, "answer 429 past this rate")
      ->check(CLI::Range(0.001, 1e6))
      ->option_text("N");
  create->add_option("--network-prefix", request.network_prefix, "only networks whose names begin so")
      ->option_text("TEXT");
  revoke->add_option("id", request.id, "as list shows it")->required()->option_text("ID");
  for (CLI::App* action : {create, list, revoke}) {
    action->get_formatter()->column_width(40);
    commands.actions.emplace_back(action, add_flags(*action, [](std::string_view name) {
                                    return name == "keys" || name == "data-dir";
                                  }));
  }
  return commands;
}

core::Error failure(const Faults& faults) {
  std::string message;
  for (const std::string& fault : faults) message += (message.empty() ? "" : "\n") + fault;
  return {core::ErrorCode::invalid_argument, message};
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

core::Result<CommandLine> read_command_line(const std::vector<std::string>& arguments,
                                            const Environment& environment) {
  CLI::App app("mlpd trains and serves multilayer perceptrons over HTTP.", "mlpd");
  app.set_version_flag("--version", "mlpd " + std::string(version()), "print the version");
  CLI::App* serve = app.add_subcommand("serve", "serve the API and the dashboard");
  CLI::App* health = app.add_subcommand("health", "ask the server whether it is ready: exit 0 if so, else 1");
  const Flags serve_flags = add_flags(*serve, [](std::string_view) { return true; });
  const Flags health_flags =
      add_flags(*health, [](std::string_view name) { return name == "listen" || name.starts_with("tls-"); });
  for (CLI::App* any : {&app, serve, health}) any->allow_extras()->get_formatter()->column_width(40);
  serve->footer(
      "Every option can also be an environment variable (MLPD_HTTP_THREADS=4) or a line of the file.");

  CommandLine line;
  const KeyCommands key_commands = add_key_commands(app, line.key);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them backwards
  } catch (const CLI::CallForVersion& version_asked) {
    line.text = std::string(version_asked.what()) + "\n";
    return line;
  } catch (const CLI::CallForHelp&) {
    line.text = app.help();
    return line;
  } catch (const CLI::ParseError& error) {
    return failure({error.what()});
  }

  Faults faults;
  for (std::size_t i = 0; i < key_commands.actions.size(); ++i) {
    const auto& [action, action_flags] = key_commands.actions[i];
    if (!action->parsed()) continue;
    line.command = CommandLine::Command::key;
    line.key.action = static_cast<KeyRequest::Action>(i);
    line.config = configure(action_flags, environment, faults);
    if (!faults.empty()) return failure(faults);
    return line;
  }
  const bool has_command = serve->parsed() || health->parsed();
  const Flags& flags = health->parsed() ? health_flags : serve_flags;
  faults = find_strangers(app.remaining(true), has_command, flags);
  if (!has_command && faults.empty()) {
    line.text = app.help();
    return line;
  }
  line.config = configure(flags, environment, faults);
  if (!faults.empty()) return failure(faults);
  line.command = health->parsed() ? CommandLine::Command::health : CommandLine::Command::serve;
  return line;
}

}  // namespace mlpd::server
