#include "core/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace mlpd::core {

std::optional<double> parse_number(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> number_of(const Cell& cell) {
  if (const double* number = std::get_if<double>(&cell)) return *number;
  if (const std::string* text = std::get_if<std::string>(&cell)) return parse_number(*text);
  return std::nullopt;
}

std::string text_of(const Cell& cell) {
  if (const std::string* text = std::get_if<std::string>(&cell)) return *text;
  const double* number = std::get_if<double>(&cell);
  if (number == nullptr) return {};
  std::array<char, 32> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), *number);
  return {buffer.data(), end};
}

bool is_missing_marker(std::string_view text) {
  static constexpr std::array<std::string_view, 8> kMarkers = {"NA",  "N/A",  "n/a",  "NaN",
                                                               "nan", "null", "NULL", "?"};
  return std::find(kMarkers.begin(), kMarkers.end(), text) != kMarkers.end();
}

Result<void> TableSource::for_each(std::size_t first, const Visit& visit) const {
  for (std::size_t row = first; row < table_.rows.size(); ++row)
    if (!visit(row, table_.rows[row])) break;
  return {};
}

}  // namespace mlpd::core
