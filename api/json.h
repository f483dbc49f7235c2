#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"

namespace mlpd::api {

/// A JSON number. `value` is the nearest float64; whole numbers below 2^64 written as digits alone keep
/// `integer` too.
struct JsonNumber {
  double value = 0;
  std::uint64_t integer = 0;
  bool is_integer = false;
};

class Json;
using JsonArray = std::vector<Json>;
using JsonObject = std::vector<std::pair<std::string, Json>>;
/// An array of numbers alone: [1, 2, 3], also [].
using JsonNumbers = std::vector<double>;
/// An array of arrays of numbers alone, flat: row r ends before values[ends[r]].
struct JsonRows {
  std::vector<double> values;
  std::vector<std::size_t> ends;

  std::size_t rows() const { return ends.size(); }
  std::size_t begin_of(std::size_t row) const { return row == 0 ? 0 : ends[row - 1]; }
  std::size_t length_of(std::size_t row) const { return ends[row] - begin_of(row); }
};

/// A parsed JSON value. Arrays of numbers and of rows of numbers, which may be large, are kept flat.
class Json {
 public:
  using Value = std::variant<std::monostate, bool, JsonNumber, std::string, JsonNumbers, JsonRows, JsonArray,
                             JsonObject>;
  Json() = default;
  explicit Json(Value v) : value(std::move(v)) {}
  Value value;

  bool is_null() const { return std::holds_alternative<std::monostate>(value); }
  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
  bool is_array() const { return as<JsonNumbers>() || as<JsonRows>() || as<JsonArray>(); }
  /// "an object", "a number", … for messages.
  std::string_view kind_name() const;
  /// The field of an object; null where it is not one or lacks it.
  const Json* find(std::string_view name) const;
};

/// Bounds of one document; past them it is refused before memory is taken.
struct JsonLimits {
  std::size_t depth = 32;
  std::size_t values =
      2'000'000;  ///< strings, objects, literals, mixed arrays; numbers in flat arrays are free
};

/// Parses one strict JSON text: UTF-8, no duplicate keys, no NaN, Infinity or numbers past float64, nothing
/// after the value. The error is invalid_argument and its message names line and column (both from 1).
core::Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

/// Where a JSON text stops being JSON: "line 3, column 7: expected ',' or '}'". For texts that another parser
/// refused; `fallback` is the sentence where this one finds nothing wrong.
std::string describe_syntax_error(std::string_view text, std::string_view fallback);

/// RFC 7396: `patch` onto `target`. Not recursive into arrays; null removes.
void merge_patch(Json& target, const Json& patch);

}  // namespace mlpd::api
