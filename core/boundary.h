#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/dataset.h"
#include "core/result.h"
#include "core/snapshot.h"

namespace mlpd::core {

/// Cells of one side of a decision surface.
inline constexpr std::size_t kBoundaryResolutionMin = 2;
inline constexpr std::size_t kBoundaryResolutionMax = 512;
/// Cells × parameters of one surface: a few seconds of one core.
inline constexpr std::uint64_t kBoundaryOperationsMax = 20'000'000'000;

/// One input of the network over a range, in the network's own (preprocessed) units.
struct BoundaryAxis {
  std::size_t input = 0;
  double from = -1;
  double to = 1;
};

/// Which plane of the input space is looked at, and how.
struct BoundaryPlane {
  BoundaryAxis x;
  BoundaryAxis y;
  std::size_t resolution = 64;  ///< cells of each side
  std::vector<double> others;   ///< spec().inputs numbers: where all other inputs stand still
  std::size_t output = 0;       ///< which output is the value where the network doesn't classify
  bool classifies = false;
};

/// What a network answers over a plane, at the centres of resolution × resolution cells. Row r is y's r-th
/// cell from `from` upwards.
struct Boundary {
  std::vector<double> values;  ///< two classes: (1 + h₁ − h₀)/2, which for softmax is the second one's
                               ///< share; one output: h; more classes: the largest output
  std::vector<std::size_t> classes;  ///< empty where the network doesn't classify
  double minimum = 0;                ///< of values
  double maximum = 0;
};

/// The plane of inputs x and y: ranges are those of the data plus a tenth on both sides, −1 … 1 where `data`
/// is null; the other inputs stand at the data's means, or 0.
BoundaryPlane make_plane(const NetworkSpec& spec, const Dataset* data, std::size_t x, std::size_t y);

/// The centre of cell i of an axis.
double cell_centre(const BoundaryAxis& axis, std::size_t resolution, std::size_t i);

/// Predicts every cell. invalid_argument past the limits above, for an input or output that isn't there, for
/// x = y, and where the network overflows.
Result<Boundary> make_boundary(const Snapshot& snapshot, const BoundaryPlane& plane);

}  // namespace mlpd::core
