#pragma once

#include <vector>

#include "api/routes.h"

namespace mlpd::api {

/// GET …/events.
std::vector<Route> event_routes();

}  // namespace mlpd::api
