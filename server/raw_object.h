#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mlpd::server {

/// The fields of a JSON object that mlpd itself wrote (sealed by a checksum, so never hostile), each value as
/// the raw text it is. A document nested in another one goes to its reader as it stands, bit for bit, without
/// a second JSON library here. Borrows the text.
class RawObject {
 public:
  /// nullopt where `text` is not one object.
  static std::optional<RawObject> parse(std::string_view text);

  /// The raw value, empty where the field is absent.
  std::string_view raw(std::string_view name) const;
  bool has(std::string_view name) const { return !raw(name).empty(); }
  /// A string of plain characters (ids, names, hexadecimal) without its quotes; empty where absent.
  std::string plain(std::string_view name) const;
  /// 0 where absent.
  std::uint64_t number(std::string_view name) const;
  bool flag(std::string_view name) const { return raw(name) == "true"; }
  /// The elements of an array, raw; none where absent.
  std::vector<std::string_view> items(std::string_view name) const;

 private:
  std::vector<std::pair<std::string_view, std::string_view>> fields_;
};

/// Writes what RawObject reads; add fields, then take the text.
class RawObjectWriter {
 public:
  RawObjectWriter& raw(std::string_view name, std::string_view value);
  RawObjectWriter& plain(std::string_view name, std::string_view value);
  RawObjectWriter& number(std::string_view name, std::uint64_t value);
  /// Left out where false.
  RawObjectWriter& flag(std::string_view name, bool value);
  RawObjectWriter& items(std::string_view name, const std::vector<std::string>& values);
  std::string finish() { return std::move(text_ += '}'); }

 private:
  std::string text_ = "{";
};

}  // namespace mlpd::server
