#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json.h"
#include "core/named_table.h"
#include "core/nearest_name.h"
#include "core/result.h"

namespace mlpd::api {

using core::nearest_name;

/// Most faults that one answer lists; more are counted, not shown.
inline constexpr std::size_t kFaultsMax = 100;

/// Collects every fault of a body with its JSON pointer.
class Faults {
 public:
  void add(std::string pointer, std::string detail);
  /// Takes over the faults of a validation further in, under `prefix` ("#" or "#/then").
  void merge(const core::Error& error);
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  /// invalid_argument with all of them; the message is the first fault or their number.
  core::Error error() const;

 private:
  std::vector<core::FieldError> fields_;
  std::size_t count_ = 0;
};

/// `pointer` + "/" + name, escaped as RFC 6901 wants.
std::string child(std::string_view pointer, std::string_view name);
std::string child(std::string_view pointer, std::size_t index);

/// `"a", "b" or "c"`.
std::string list_names(std::span<const std::string_view> names);

/// Reads the fields of one JSON object. A getter returns nullopt where the field is absent, or has the wrong
/// type: then it adds a fault. finish() adds a fault for each field that no getter asked for.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string pointer, Faults& faults);

  /// False where the value is no object (a fault is added): all getters return nullopt.
  bool is_object() const { return fields_ != nullptr; }
  /// The raw field; null where absent. Counts as asked for.
  const Json* find(std::string_view name);
  std::optional<double> number(std::string_view name);
  /// A whole number from 0 to 2^64 − 1; 1e3 and 1000.0 are whole too.
  std::optional<std::uint64_t> integer(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::string> string(std::string_view name);
  std::optional<std::vector<std::string>> strings(std::string_view name);
  /// A name out of a closed table.
  template <class Row>
  auto choice(std::string_view name, std::span<const Row> table) -> std::optional<decltype(Row::value)> {
    const auto text = string(name);
    if (!text) return std::nullopt;
    return choose(pointer(name), *text, table);
  }
  template <class Row>
  auto choose(const std::string& at, std::string_view text, std::span<const Row> table)
      -> std::optional<decltype(Row::value)> {
    if (const Row* row = core::find_by_name(table, text)) return row->value;
    std::vector<std::string_view> names;
    for (const Row& row : table) names.push_back(row.name);
    unknown_name(at, text, names);
    return std::nullopt;
  }

  void require(std::string_view name);
  void fault(std::string_view name, std::string detail) { faults_.add(pointer(name), std::move(detail)); }
  std::string pointer(std::string_view name) const { return child(pointer_, name); }
  const std::string& pointer() const { return pointer_; }
  Faults& faults() { return faults_; }
  /// `owner` is named in the message, e.g. `optimizer "adam"`.
  void finish(std::string_view owner = {});

 private:
  void unknown_name(const std::string& at, std::string_view text, std::span<const std::string_view> names);
  void wrong_type(std::string_view name, std::string_view wanted, const Json& json);

  const JsonObject* fields_;
  std::string pointer_;
  Faults& faults_;
  std::vector<std::string_view> known_;
};

/// A whole number from 0 to 2^64 − 1, or nullopt.
std::optional<std::uint64_t> as_integer(const Json& json);

/// The float32 that a decimal means: `value` is its float64. Exact for the shortest decimal of every float32.
inline float to_float32(double value) {
  // The one shortest float32 decimal whose float64 rounds to a neighbour (found by trying all 2^32).
  constexpr double kException = 7.038531e-26;
  if (std::abs(value) == kException) [[unlikely]]
    return std::copysign(std::bit_cast<float>(0x15ae43fdU), static_cast<float>(value));
  return static_cast<float>(value);
}

}  // namespace mlpd::api
