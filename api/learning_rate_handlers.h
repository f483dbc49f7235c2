#pragma once

#include "api/routes.h"

namespace mlpd::api {

Response learning_rate_test(const Call& call);

}  // namespace mlpd::api
