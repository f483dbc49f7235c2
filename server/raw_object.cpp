#include "server/raw_object.h"

#include <charconv>

namespace mlpd::server {
namespace {

/// Index behind the string that starts at `at` (a quote); npos where it does not end.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

/// Index behind the value that starts at `at`.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  std::size_t i = at;
  while (i < text.size()) {
    const char c = text[i];
    if (c == '"') {
      i = end_of_string(text, i);
      if (i == std::string_view::npos) return i;
      if (depth == 0) return i;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return i;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return i + 1;
    ++i;
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<RawObject> RawObject::parse(std::string_view text) {
  RawObject object;
  if (text.size() < 2 || text.front() != '{') return std::nullopt;
  std::size_t at = 1;
  while (at < text.size() && text[at] == '"') {
    const std::size_t name_end = end_of_string(text, at);
    if (name_end == std::string_view::npos || name_end >= text.size() || text[name_end] != ':') {
      return std::nullopt;
    }
    const std::size_t value_end = end_of_value(text, name_end + 1);
    if (value_end == std::string_view::npos || value_end >= text.size()) return std::nullopt;
    object.fields_.emplace_back(text.substr(at + 1, name_end - at - 2),
                                text.substr(name_end + 1, value_end - name_end - 1));
    if (text[value_end] == '}') return object;
    at = value_end + 1;
  }
  return std::nullopt;
}

std::string_view RawObject::raw(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (key == name) return value;
  return {};
}

std::string RawObject::plain(std::string_view name) const {
  const std::string_view value = raw(name);
  return value.size() < 2 ? std::string() : std::string(value.substr(1, value.size() - 2));
}

std::uint64_t RawObject::number(std::string_view name) const {
  const std::string_view value = raw(name);
  std::uint64_t number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

std::vector<std::string_view> RawObject::items(std::string_view name) const {
  const std::string_view array = raw(name);
  std::vector<std::string_view> found;
  for (std::size_t at = 1; at + 1 < array.size();) {
    const std::size_t end = end_of_value(array, at);
    if (end == std::string_view::npos) break;
    found.push_back(array.substr(at, end - at));
    at = end + 1;
  }
  return found;
}

RawObjectWriter& RawObjectWriter::raw(std::string_view name, std::string_view value) {
  if (text_.size() > 1) text_ += ',';
  text_ += '"';
  text_ += name;
  text_ += "\":";
  text_ += value;
  return *this;
}

RawObjectWriter& RawObjectWriter::plain(std::string_view name, std::string_view value) {
  return raw(name, "\"" + std::string(value) + "\"");
}

RawObjectWriter& RawObjectWriter::number(std::string_view name, std::uint64_t value) {
  return raw(name, std::to_string(value));
}

RawObjectWriter& RawObjectWriter::flag(std::string_view name, bool value) {
  return value ? raw(name, "true") : *this;
}

RawObjectWriter& RawObjectWriter::items(std::string_view name, const std::vector<std::string>& values) {
  std::string array = "[";
  for (const std::string& value : values) {
    if (array.size() > 1) array += ',';
    array += value;
  }
  return raw(name, array += ']');
}

}  // namespace mlpd::server
