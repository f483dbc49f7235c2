#include "api/predict_inputs.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <utility>

#include "api/json_reader.h"

namespace mlpd::api {
namespace {

namespace ondemand = simdjson::ondemand;

/// Whether `item` is a number whose T is finite: read into `to`.
template <class T, class Item>
bool read_number(Item&& item, T& to) {
  double number = 0;
  if (std::forward<Item>(item).get_double().get(number)) return false;
  to = sizeof(T) == 4 ? to_float32(number) : static_cast<T>(number);
  return std::isfinite(to);
}

template <class T>
bool read_row(ondemand::value& value, std::size_t columns, std::vector<T>& flat) {
  ondemand::array row;
  if (value.get_array().get(row)) return false;
  const std::size_t begin = flat.size();
  flat.resize(begin + columns);
  T* next = flat.data() + begin;
  T* const end = next + columns;
  for (auto item : row)
    if (next == end || !read_number(std::move(item), *next++)) return false;
  return next == end;
}

template <class T>
bool read_array(ondemand::array& array, std::size_t columns, std::vector<T>& flat) {
  bool rows = false, first = true;
  for (auto item : array) {
    ondemand::value value;
    ondemand::json_type type;
    if (std::move(item).get(value) || value.type().get(type)) return false;
    const bool is_row = type == ondemand::json_type::array;
    if (!first && is_row != rows) return false;
    rows = is_row;
    first = false;
    if (!(is_row ? read_row(value, columns, flat) : read_number(value, flat.emplace_back()))) return false;
  }
  return !first && (rows || columns == 1 || flat.size() == columns);
}

template <class T>
bool read_document(ondemand::document& document, std::size_t columns, std::vector<T>& flat) {
  ondemand::object object;
  if (document.get_object().get(object)) return false;
  bool found = false;
  for (auto item : object) {
    ondemand::field field;
    std::string_view key;
    ondemand::array array;
    if (std::move(item).get(field) || field.unescaped_key().get(key) || key != "inputs" || found)
      return false;
    ondemand::value value = field.value();
    if (value.get_array().get(array) || !read_array(array, columns, flat)) return false;
    found = true;
  }
  const char* rest = nullptr;
  return found && document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
}

std::string_view trimmed(std::string_view cell) {
  const auto begin = cell.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return cell.substr(begin, cell.find_last_not_of(" \t\r") - begin + 1);
}

// Appends the numbers of a line; false where a cell is none.
template <class T>
bool read_line(std::string_view line, std::vector<T>& flat, std::string& wrong) {
  while (true) {
    const auto comma = line.find(',');
    std::string_view cell = trimmed(line.substr(0, comma));
    if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') cell = cell.substr(1, cell.size() - 2);
    T value{};
    const auto [stop, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (error != std::errc{} || stop != cell.data() + cell.size() || !std::isfinite(value)) {
      wrong = std::string(cell.substr(0, 64));
      return false;
    }
    flat.push_back(value);
    if (comma == std::string_view::npos) return true;
    line.remove_prefix(comma + 1);
  }
}

core::Error csv_error(std::size_t line, std::string detail) {
  return {core::ErrorCode::invalid_argument, "line " + std::to_string(line) + ": " + std::move(detail), {}};
}

}  // namespace

template <class T>
FastRead read_inputs(const std::string& body, std::size_t columns, std::vector<T>& flat) {
  thread_local ondemand::parser parser;
  thread_local std::string copy;
  static constexpr std::size_t kKeptBytesMax = 1u << 20;  // a thread keeps no larger buffers
  flat.clear();
  const std::string* source = &body;
  if (body.capacity() - body.size() < simdjson::SIMDJSON_PADDING) {
    copy.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    copy.assign(body);
    source = &copy;
  }
  ondemand::document document;
  const bool ok = !parser.iterate(source->data(), source->size(), source->capacity()).get(document) &&
                  read_document(document, columns, flat);
  if (copy.capacity() > kKeptBytesMax) std::string().swap(copy);
  if (parser.capacity() > kKeptBytesMax) parser = ondemand::parser();
  return ok ? FastRead::ok : FastRead::other;
}

template <class T>
core::Result<void> read_csv_inputs(std::string_view text, std::size_t columns, std::vector<T>& flat) {
  flat.clear();
  std::string wrong;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const auto end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    const std::size_t begin = flat.size();
    if (!read_line(line, flat, wrong)) {
      flat.resize(begin);
      if (line_number == 1) continue;
      return csv_error(line_number, "\"" + wrong + "\" is not a finite number");
    }
    if (flat.size() - begin != columns)
      return csv_error(line_number, "has " + std::to_string(flat.size() - begin) +
                                        " cells, but the network takes " + std::to_string(columns));
  }
  if (flat.empty()) return csv_error(1, "there are no rows of numbers");
  return {};
}

template FastRead read_inputs(const std::string&, std::size_t, std::vector<float>&);
template FastRead read_inputs(const std::string&, std::size_t, std::vector<double>&);
template core::Result<void> read_csv_inputs(std::string_view, std::size_t, std::vector<float>&);
template core::Result<void> read_csv_inputs(std::string_view, std::size_t, std::vector<double>&);

}  // namespace mlpd::api
