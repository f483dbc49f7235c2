#include "server/logging.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>

#include <nlohmann/json.hpp>

namespace mlpd::server {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// A JSON string, quotes included; bytes that are no UTF-8 become U+FFFD.
std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// As it is where a reader can't mistake it, else as a JSON string.
void append_text(std::string& line, std::string_view text) {
  bool plain = !text.empty();
  for (const char c : text) plain = plain && c > ' ' && c < 127 && c != '"' && c != '=' && c != '\\';
  line += plain ? std::string(text) : quoted(text);
}

void append_number(std::string& line, std::int64_t number) { line += std::to_string(number); }
void append_number(std::string& line, double number) { line += nlohmann::json(number).dump(); }

void append_value(std::string& line, const LogField& field, LogFormat format) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    if (format == LogFormat::json)
      line += quoted(*text);
    else
      append_text(line, *text);
  } else {
    std::visit(
        [&line](auto value) {
          if constexpr (std::is_arithmetic_v<decltype(value)>) append_number(line, value);
        },
        field.value);
  }
}

/// The message of a text line stays readable: only what could forge or break a line is escaped.
std::string readable(std::string_view message) {
  const std::string safe = quoted(message);
  const bool escaped = safe.find('\\') != std::string::npos;
  return escaped ? safe : safe.substr(1, safe.size() - 2);
}

}  // namespace

class Log::Impl {
 public:
  Impl(std::ostream& out, LogFormat format)
      : format_(format), logger_("mlpd", std::make_shared<spdlog::sinks::ostream_sink_mt>(out, true)) {
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        format == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                  : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
        spdlog::pattern_time_type::utc));
  }

  std::string body(std::string_view message, LogFields fields) const {
    const bool json = format_ == LogFormat::json;
    std::string line = json ? "\"message\":" + quoted(message) : readable(message);
    for (const LogField& field : fields) {
      line += json ? "," + quoted(field.name) + ":" : " " + std::string(field.name) + "=";
      append_value(line, field, format_);
    }
    return line;
  }

  const LogFormat format_;
  spdlog::logger logger_;
};

Log::Log(std::ostream& out, LogLevel level, LogFormat format) : impl_(std::make_unique<Impl>(out, format)) {
  set_level(level);
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view message, LogFields fields) {
  if (!writes(level)) return;
  impl_->logger_.log(level_of(level), spdlog::string_view_t(impl_->body(message, fields)));
}

void Log::set_level(LogLevel level) { impl_->logger_.set_level(level_of(level)); }

bool Log::writes(LogLevel level) const { return impl_->logger_.should_log(level_of(level)); }

}  // namespace mlpd::server
