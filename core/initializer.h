#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mlpd::core {

/// How weights start. fan_in and fan_out are a layer's inputs and units.
/// xavier_uniform U(±√(6/(fan_in+fan_out))), xavier_normal N(0, 2/(fan_in+fan_out)); he_* with 2/fan_in
/// (uniform ±√(6/fan_in)); lecun_* with 1/fan_in (uniform ±√(3/fan_in)); uniform U(±limit); normal N(0,
/// deviation²); zeros.
enum class Initializer {
  xavier_uniform,
  xavier_normal,
  he_uniform,
  he_normal,
  lecun_uniform,
  lecun_normal,
  uniform,
  normal,
  zeros,
};

/// `parameter` is `limit` for uniform and `deviation` for normal (both > 0 and finite); unused otherwise.
struct InitializerOptions {
  Initializer kind = Initializer::xavier_uniform;
  double parameter = 0;
  bool operator==(const InitializerOptions&) const = default;
};

/// `parameter_name` is the field that carries `parameter` on the wire, empty where there is none.
struct InitializerRow {
  Initializer value;
  std::string_view name;
  std::string_view parameter_name;
};

std::span<const InitializerRow> initializers();

/// Fills weights (fan_in × fan_out, row-major) with draws of Random(seed, stream), one per weight in order,
/// computed in float64 and narrowed, so that both dtypes start from the same numbers. weights.size() =
/// fan_in·fan_out ≥ 1. T is float or double.
template <class T>
void initialize(const InitializerOptions& options, std::span<T> weights, std::size_t fan_in,
                std::size_t fan_out, std::uint64_t seed, std::uint64_t stream);

}  // namespace mlpd::core
