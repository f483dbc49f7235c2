#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mlpd::core {

/// A SHA-256 value.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  /// 64 lower-case hexadecimal digits.
  std::string hex() const;
  bool operator==(const Digest&) const = default;
};

/// What hex() wrote; nullopt for anything but 64 lower-case hexadecimal digits.
std::optional<Digest> digest_from_hex(std::string_view text);

/// Feeds values in a canonical, little-endian form into SHA-256. Each value carries its type, strings and
/// arrays their length, so that different sequences of calls never digest alike by accident.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  Hasher& add(std::string_view text);
  Hasher& add(const char*) = delete;  // would become a bool; pass a string_view
  Hasher& add(std::uint64_t value);
  Hasher& add(double value);
  Hasher& add(bool value);
  Hasher& add(std::span<const float> values);
  Hasher& add(std::span<const double> values);
  Digest finish();

  struct State;

 private:
  std::unique_ptr<State> state_;
};

/// SHA-256 of raw bytes.
Digest digest_bytes(std::string_view bytes);

}  // namespace mlpd::core
