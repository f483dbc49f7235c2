// The only file that includes json.hpp: its parser words where a text goes wrong.
#include <nlohmann/json.hpp>

#include "api/json.h"

namespace mlpd::api {
namespace {

struct ErrorFinder : nlohmann::json_sax<nlohmann::json> {
  std::size_t position = 0;
  std::string message;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception& error) override {
    position = at;
    message = error.what();
    return false;
  }
};

// nlohmann says "[json.exception.parse_error.101] parse error at line 1, column 9: syntax error while
// parsing …; last read: '…'". People need what follows "parse error at ".
std::string reworded(const std::string& message) {
  static constexpr std::string_view kLead = "parse error at ";
  static constexpr std::size_t kWordingMax = 300;  // it repeats the last token, however long that is
  auto begin = message.find(kLead);
  if (begin != std::string::npos) {
    begin += kLead.size();
  } else {
    const auto bracket = message.find("] ");
    begin = bracket == std::string::npos ? 0 : bracket + 2;
  }
  return message.substr(begin, kWordingMax);
}

std::string line_and_column(std::string_view text, std::size_t position) {
  std::size_t line = 1, column = 1;
  for (std::size_t i = 0; i + 1 < position && i < text.size(); ++i) {
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace

std::string describe_syntax_error(std::string_view text, std::string_view fallback) {
  ErrorFinder finder;
  if (nlohmann::json::sax_parse(text.begin(), text.end(), &finder)) return std::string(fallback);
  std::string wording = reworded(finder.message);
  if (wording.rfind("line ", 0) == 0) return wording;
  return line_and_column(text, finder.position) + ": " + wording;
}

}  // namespace mlpd::api
