#pragma once

#include <cstddef>
#include <string_view>
#include <variant>
#include <vector>

namespace mlpd::core {

/// The floating-point type in which a network computes and is kept.
enum class Dtype { float32, float64 };

/// "float32" or "float64".
constexpr std::string_view name_of(Dtype dtype) { return dtype == Dtype::float32 ? "float32" : "float64"; }

/// Numbers in their native type: alternative 0 is float32, alternative 1 float64.
using NumberArray = std::variant<std::vector<float>, std::vector<double>>;

inline Dtype dtype_of(const NumberArray& array) {
  return array.index() == 0 ? Dtype::float32 : Dtype::float64;
}
inline std::size_t size_of(const NumberArray& array) {
  return std::visit([](const auto& values) { return values.size(); }, array);
}

}  // namespace mlpd::core
