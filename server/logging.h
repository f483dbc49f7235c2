#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>

#include "server/config.h"

namespace mlpd::server {

/// A named value of a log line; the views live only during the call.
struct LogField {
  std::string_view name;  ///< snake_case
  std::variant<std::string_view, std::int64_t, double> value;
};
using LogFields = std::initializer_list<LogField>;

/// The process's log: one line for each event, with the UTC time, the level, a message and fields. Text:
/// `2026-01-31T12:00:00.000Z info message name=value`; JSON: one object of `time`, `level`, `message` and the
/// fields. Control characters and broken UTF-8 never reach the output as they are. Thread-safe; lines are
/// written at once and whole.
class Log {
 public:
  /// `out` must outlive the log.
  Log(std::ostream& out, LogLevel level, LogFormat format);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void debug(std::string_view message, LogFields fields = {}) { write(LogLevel::debug, message, fields); }
  void info(std::string_view message, LogFields fields = {}) { write(LogLevel::info, message, fields); }
  void warning(std::string_view message, LogFields fields = {}) { write(LogLevel::warning, message, fields); }
  void error(std::string_view message, LogFields fields = {}) { write(LogLevel::error, message, fields); }
  void write(LogLevel level, std::string_view message, LogFields fields = {});

  void set_level(LogLevel level);
  /// Whether a line of this level would be written.
  bool writes(LogLevel level) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlpd::server
