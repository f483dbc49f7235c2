#include "core/initializer.h"

#include <array>
#include <cmath>

#include "core/random.h"

namespace mlpd::core {
namespace {

constexpr std::array<InitializerRow, 9> kInitializers = {{
    {Initializer::xavier_uniform, "xavier_uniform", ""},
    {Initializer::xavier_normal, "xavier_normal", ""},
    {Initializer::he_uniform, "he_uniform", ""},
    {Initializer::he_normal, "he_normal", ""},
    {Initializer::lecun_uniform, "lecun_uniform", ""},
    {Initializer::lecun_normal, "lecun_normal", ""},
    {Initializer::uniform, "uniform", "limit"},
    {Initializer::normal, "normal", "deviation"},
    {Initializer::zeros, "zeros", ""},
}};

/// A law with mean 0: uniform on ±scale, or normal with deviation scale.
struct Law {
  bool is_normal;
  double scale;
};

Law law_of(const InitializerOptions& options, double fan_in, double fan_out) {
  switch (options.kind) {
    case Initializer::xavier_uniform:
      return {false, std::sqrt(6 / (fan_in + fan_out))};
    case Initializer::xavier_normal:
      return {true, std::sqrt(2 / (fan_in + fan_out))};
    case Initializer::he_uniform:
      return {false, std::sqrt(6 / fan_in)};
    case Initializer::he_normal:
      return {true, std::sqrt(2 / fan_in)};
    case Initializer::lecun_uniform:
      return {false, std::sqrt(3 / fan_in)};
    case Initializer::lecun_normal:
      return {true, std::sqrt(1 / fan_in)};
    case Initializer::uniform:
      return {false, options.parameter};
    case Initializer::normal:
      return {true, options.parameter};
    case Initializer::zeros:
      return {false, 0};
  }
  return {false, 0};
}

}  // namespace

std::span<const InitializerRow> initializers() { return kInitializers; }

template <class T>
void initialize(const InitializerOptions& options, std::span<T> weights, std::size_t fan_in,
                std::size_t fan_out, std::uint64_t seed, std::uint64_t stream) {
  const Law law = law_of(options, static_cast<double>(fan_in), static_cast<double>(fan_out));
  Random random(seed, stream);
  for (T& weight : weights) {
    const double value = law.is_normal ? law.scale * random.normal() : law.scale * (2 * random.uniform() - 1);
    weight = static_cast<T>(value);
  }
}

template void initialize(const InitializerOptions&, std::span<float>, std::size_t, std::size_t, std::uint64_t,
                         std::uint64_t);
template void initialize(const InitializerOptions&, std::span<double>, std::size_t, std::size_t,
                         std::uint64_t, std::uint64_t);

}  // namespace mlpd::core
