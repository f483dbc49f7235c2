#pragma once

#include <vector>

#include "api/routes.h"

namespace mlpd::api {

/// GET / POST …/checkpoints, POST …/restore, POST …/fork.
std::vector<Route> time_travel_routes();

}  // namespace mlpd::api
