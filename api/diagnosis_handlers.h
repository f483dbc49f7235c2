#pragma once

#include "api/routes.h"

namespace mlpd::api {

/// Past states that one diagnosis examines at most, looking for the first step of a trouble.
inline constexpr std::size_t kReplaysMax = 40;
/// Parameters past which it doesn't look back, since each look costs too much: since_step is then the step
/// that was examined.
inline constexpr std::size_t kLookBackParametersMax = 100'000;

Response read_diagnosis(const Call& call);

}  // namespace mlpd::api
