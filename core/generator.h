#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/dataset.h"
#include "core/result.h"

namespace mlpd::core {

/// Seeded data sets of two inputs (sine: one). Same options, same bits on every machine.
/// xor: standard normal points, class 1 where exactly one coordinate is positive. circles: radius 1 against
/// 0.5. moons: two half circles that interlock. spirals: two arms of 1.75 turns. blobs: `classes` normal
/// clouds of deviation 0.5, evenly on a circle of radius 4. checkerboard: unit squares over [−2, 2)². plane:
/// 0.5 + 2x₀ − x₁ over [−1, 1)². sine: sin x over [−π, π). Where classes alternate, row r has class r mod
/// classes.
enum class Generator { xor_, circles, moons, spirals, blobs, checkerboard, plane, sine };

struct GeneratorOptions {
  Generator kind = Generator::xor_;
  std::size_t rows = 300;  ///< 1 … 1,000,000
  double noise = 0;  ///< standard deviation of what is added to the inputs (targets for plane and sine); ≥ 0
  std::uint64_t seed = 0;
  std::size_t classes = 3;  ///< blobs: 2 … 16
  bool operator==(const GeneratorOptions&) const = default;
};

struct GeneratorRow {
  Generator value;
  std::string_view name;  ///< "xor", "circles", …
  bool classes;           ///< one-hot targets; otherwise one number
};

std::span<const GeneratorRow> generators();

/// Classification targets are one-hot with labels "0", "1", …
Result<Dataset> generate(const GeneratorOptions& options);

/// The article's 300 points with one-hot targets [class 0, class 1] (numpy RandomState(0).randn(300, 2)).
const Dataset& article_xor();

}  // namespace mlpd::core
