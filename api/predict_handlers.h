#pragma once

#include "api/routes.h"

namespace mlpd::api {

Response predict(const Call& call);
Response evaluate(const Call& call);
Response trace(const Call& call);

}  // namespace mlpd::api
