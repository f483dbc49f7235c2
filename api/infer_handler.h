#pragma once

#include "api/routes.h"

namespace mlpd::api {

Response infer(const Call& call);

}  // namespace mlpd::api
