#include "api/json_writer.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <vector>

namespace mlpd::api {
namespace {

constexpr std::size_t kNumberBytesMax = 32;  // -2.2250738585072014e-308 is the longest

/// A plain decimal, without an exponent, of the shortest digits. fmt exports what makes them, but documents
/// only what formats them too, which takes half as long again.
template <class T>
char* put_decimal(char* to, T size) {
  const auto decimal = fmt::detail::dragonbox::to_decimal(size);
  const fmt::format_int digits(decimal.significand);
  const int count = static_cast<int>(digits.size());
  const int whole = count + decimal.exponent;  // digits before the point
  if (whole <= 0) {
    std::copy_n("0.0000", 6, to);
    return std::copy_n(digits.data(), count, to + 2 - whole);
  }
  if (decimal.exponent >= 0) return std::fill_n(std::copy_n(digits.data(), count, to), decimal.exponent, '0');
  std::copy_n(digits.data(), whole, to);
  to[whole] = '.';
  return std::copy_n(digits.data() + whole, count - whole, to + whole + 1);
}

/// std::to_chars' text, in less time where it has no exponent.
template <class T>
char* put_number(char* to, T value) {
  const T size = std::fabs(value);
  if (size >= static_cast<T>(0.001) && size < T{100'000}) {
    *to = '-';
    return put_decimal(to + std::signbit(value), size);
  }
  if (std::isfinite(value)) return std::to_chars(to, to + kNumberBytesMax, value).ptr;
  return std::copy_n("null", 4, to);
}

template <class T>
void append_floating(std::string& out, T value) {
  char text[kNumberBytesMax];
  out.append(text, put_number(text, value));
}

// With commas between; a part at a time, since appending costs about as much as making the digits.
template <class T>
void append_list(std::string& out, std::span<const T> numbers) {
  constexpr std::size_t kPart = 32;
  char text[kPart * (kNumberBytesMax + 1)];
  while (!numbers.empty()) {
    const auto part = numbers.first(std::min(kPart, numbers.size()));
    numbers = numbers.subspan(part.size());
    char* end = text;
    for (const T number : part) {
      end = put_number(end, number);
      *end++ = ',';
    }
    out.append(text, numbers.empty() ? end - 1 : end);
  }
}

template <class T>
void append_digits(std::string& out, T value) {
  char digits[kNumberBytesMax];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  char code[7];
  std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
  out += code;
}

}  // namespace

void append_number(std::string& out, float value) { append_floating(out, value); }
void append_number(std::string& out, double value) { append_floating(out, value); }

void append_number(std::string& out, std::uint64_t value) { append_digits(out, value); }

void append_string(std::string& out, std::string_view text) {
  const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    const std::size_t begin = out.size();
    out.append(text.size() + 2, '"');
    text.copy(out.data() + begin + 1, text.size());
    return;
  }
  const auto is_high = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  const bool replace_high =
      std::any_of(text.begin(), text.end(), is_high) && !simdjson::validate_utf8(text.data(), text.size());
  out += '"';
  for (char c : text) {
    if (replace_high && is_high(c))
      out += "\xEF\xBF\xBD";
    else if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7f)
      append_escaped(out, c);
    else
      out += c;
  }
  out += '"';
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::null() { return text("null"); }

JsonWriter& JsonWriter::value(int number) {
  separate();
  append_digits(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(float number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::values(std::span<const float> numbers) {
  begin_array();
  append_list(out_, numbers);
  return end_array();
}

JsonWriter& JsonWriter::values(std::span<const double> numbers) {
  begin_array();
  append_list(out_, numbers);
  return end_array();
}

JsonWriter& JsonWriter::value(std::string_view string) {
  separate();
  append_string(out_, string);
  return *this;
}

JsonWriter& JsonWriter::value(Timestamp time) { return value(format_timestamp(time)); }

JsonWriter& JsonWriter::text(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

std::string format_timestamp(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto of_day = (time - day).count();
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(of_day / 3'600'000), static_cast<int>(of_day / 60'000 % 60),
                static_cast<int>(of_day / 1'000 % 60), static_cast<int>(of_day % 1'000));
  return text;
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  static constexpr std::string_view kForm = "0000-00-00T00:00:00.000Z";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (kForm[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != kForm[i]) return std::nullopt;
  const auto number = [&](std::size_t begin, std::size_t length) {
    int n = 0;
    for (char c : text.substr(begin, length)) n = n * 10 + (c - '0');
    return n;
  };
  const std::chrono::year_month_day date{std::chrono::year{number(0, 4)},
                                         std::chrono::month{static_cast<unsigned>(number(5, 2))},
                                         std::chrono::day{static_cast<unsigned>(number(8, 2))}};
  if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) return std::nullopt;
  return Timestamp{std::chrono::sys_days{date}} + std::chrono::hours{number(11, 2)} +
         std::chrono::minutes{number(14, 2)} + std::chrono::seconds{number(17, 2)} +
         std::chrono::milliseconds{number(20, 3)};
}

std::string prettify(std::string_view json) {
  // For every '[', in order: whether an object or array stands in it.
  std::vector<bool> nested;
  std::vector<std::size_t> open;
  const auto scan = [&](auto&& visit) {
    bool quoted = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
      const bool was_quoted = quoted;
      if (json[i] == '"') quoted = !quoted;
      visit(json[i], quoted || was_quoted);
      if (quoted && json[i] == '\\') visit(json[++i], true);
    }
  };
  scan([&](char c, bool quoted) {
    if (quoted) return;
    if (c == '[' || c == '{') {
      if (!open.empty()) nested[open.back()] = true;
      open.push_back(nested.size());
      nested.push_back(c == '{');
    } else if (c == ']' || c == '}') {
      open.pop_back();
    }
  });

  std::string out;
  bool at_start = false;     // a broken bracket was just opened
  std::vector<bool> broken;  // whether the brackets around the present place put items on lines of their own
  std::size_t bracket = 0;
  const auto new_line = [&] { out += '\n' + std::string(2 * broken.size(), ' '); };
  char previous = 0;
  scan([&](char c, bool quoted) {
    if (at_start && c != '}' && c != '\n') new_line();
    at_start = false;
    if (quoted) {
      out += c;
    } else if (c == '[' || c == '{') {
      out += c;
      broken.push_back(nested[bracket++]);
      at_start = broken.back();
    } else if (c == ']' || c == '}') {
      const bool was_broken = broken.back();
      broken.pop_back();
      if (was_broken && previous != '{') new_line();
      out += c;
    } else if (c == ',') {
      out += c;
      if (broken.back())
        new_line();
      else
        out += ' ';
    } else if (c == ':') {
      out += ": ";
    } else if (c != '\n') {
      out += c;
    }
    previous = c;
  });
  return out;
}

}  // namespace mlpd::api
