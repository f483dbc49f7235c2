#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/service.h"

namespace mlpd::api {

/// Appends the shortest decimal that reads back to the same bits; -0 stays -0. Non-finite numbers, which JSON
/// lacks, become null.
void append_number(std::string& out, float value);
void append_number(std::string& out, double value);
void append_number(std::string& out, std::uint64_t value);

/// Appends a quoted JSON string. Bytes that are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);

/// Writes compact JSON into a string; commas by itself. The caller keeps keys, values and brackets in order.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& null();
  template <std::same_as<bool> Bool>
  JsonWriter& value(Bool flag) {
    return text(flag ? "true" : "false");
  }
  template <std::unsigned_integral Count>
  requires(!std::same_as<Count, bool>) JsonWriter& value(Count count) {
    separate();
    append_number(out_, static_cast<std::uint64_t>(count));
    return *this;
  }
  JsonWriter& value(int number);
  JsonWriter& value(double number);
  JsonWriter& value(float number);
  JsonWriter& value(std::string_view string);
  JsonWriter& value(const char* string) { return value(std::string_view(string)); }
  JsonWriter& value(const std::string& string) { return value(std::string_view(string)); }
  /// RFC 3339, UTC, milliseconds: "2026-11-23T20:38:00.000Z".
  JsonWriter& value(Timestamp time);
  template <class T>
  JsonWriter& values(std::span<const T> list) {
    begin_array();
    for (const T& item : list) value(item);
    return end_array();
  }
  JsonWriter& values(std::span<const float> numbers);
  JsonWriter& values(std::span<const double> numbers);
  template <class T>
  JsonWriter& values(const std::vector<T>& list) {
    return values(std::span<const T>(list));
  }
  /// rows × columns as an array of arrays.
  template <class T>
  JsonWriter& rows(const T* numbers, std::size_t row_count, std::size_t columns) {
    begin_array();
    for (std::size_t r = 0; r < row_count; ++r) values(std::span<const T>(numbers + r * columns, columns));
    return end_array();
  }

  /// key and value at once.
  template <class T>
  JsonWriter& field(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }
  /// Left out where there is none.
  template <class T>
  JsonWriter& optional_field(std::string_view name, const std::optional<T>& v) {
    return v ? field(name, *v) : *this;
  }
  /// A ready JSON text as the next value.
  JsonWriter& text(std::string_view json);

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }

  std::string& out_;
  bool comma_ = false;
};

/// RFC 3339, UTC, milliseconds.
std::string format_timestamp(Timestamp time);
/// What format_timestamp wrote; nullopt for any other form.
std::optional<Timestamp> parse_timestamp(std::string_view text);

/// The same JSON text indented for people: arrays without objects or arrays in them stay on one line.
std::string prettify(std::string_view json);

}  // namespace mlpd::api
