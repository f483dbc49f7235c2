#pragma once

#include <vector>

#include "api/routes.h"

namespace mlpd::api {

/// GET / POST …/versions, GET / DELETE …/versions/{version}, GET / PUT / DELETE …/aliases/{alias}.
std::vector<Route> version_routes();

}  // namespace mlpd::api
