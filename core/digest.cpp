#include "core/digest.h"

#include <openssl/evp.h>

#include <bit>
#include <cstring>
#include <new>

namespace mlpd::core {

static_assert(std::endian::native == std::endian::little, "digests feed native bytes as little-endian");

std::optional<Digest> digest_from_hex(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  Digest digest;
  if (text.size() != 2 * digest.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto value = kDigits.find(text[i]);
    if (value == std::string_view::npos) return std::nullopt;
    digest.bytes[i / 2] = static_cast<std::uint8_t>(digest.bytes[i / 2] << 4 | value);
  }
  return digest;
}

std::string Digest::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() {
    if (context == nullptr || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void bytes(const void* data, std::size_t size) { EVP_DigestUpdate(context, data, size); }
  void tagged(char type, std::uint64_t value) {
    bytes(&type, 1);
    bytes(&value, sizeof value);
  }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher& Hasher::add(std::string_view text) {
  state_->tagged('t', text.size());
  state_->bytes(text.data(), text.size());
  return *this;
}

Hasher& Hasher::add(std::uint64_t value) {
  state_->tagged('u', value);
  return *this;
}

Hasher& Hasher::add(double value) {
  state_->tagged('d', std::bit_cast<std::uint64_t>(value));
  return *this;
}

Hasher& Hasher::add(bool value) {
  state_->tagged('b', value ? 1 : 0);
  return *this;
}

Hasher& Hasher::add(std::span<const float> values) {
  state_->tagged('4', values.size());
  state_->bytes(values.data(), values.size_bytes());
  return *this;
}

Hasher& Hasher::add(std::span<const double> values) {
  state_->tagged('8', values.size());
  state_->bytes(values.data(), values.size_bytes());
  return *this;
}

Digest Hasher::finish() {
  Digest digest;
  EVP_DigestFinal_ex(state_->context, digest.bytes.data(), nullptr);
  return digest;
}

Digest digest_bytes(std::string_view bytes) {
  Hasher::State state;
  state.bytes(bytes.data(), bytes.size());
  Digest digest;
  EVP_DigestFinal_ex(state.context, digest.bytes.data(), nullptr);
  return digest;
}

}  // namespace mlpd::core
