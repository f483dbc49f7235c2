#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "api/routes.h"

namespace mlpd::api {

/// GET / POST …/checkpoints, POST …/restore, POST …/fork.
std::vector<Route> time_travel_routes();

/// What every route says that goes to a past step.
inline constexpr Answer kLongReplay{202, "Job",
                                    "a long replay: Location names its job; ask again when it has succeeded"};

/// 202 where going to this step of the call's {network} takes a job first; nullopt where it doesn't, and
/// where the step is not to be had, which the handler itself says.
std::optional<Response> long_replay(const Call& call, std::uint64_t step);

}  // namespace mlpd::api
