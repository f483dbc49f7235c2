#pragma once

#include "api/routes.h"

namespace mlpd::api {

/// Cells of a side where ?resolution isn't given.
inline constexpr std::size_t kBoundaryResolutionDefault = 64;
/// Most rows of data that ?points=true lays over the surface; of more, evenly spaced ones are taken.
inline constexpr std::size_t kBoundaryPointsMax = 2'000;

Response read_boundary(const Call& call);

}  // namespace mlpd::api
