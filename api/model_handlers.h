#pragma once

#include "api/routes.h"

namespace mlpd::api {

Response export_model(const Call& call);
Response import_model(const Call& call);

}  // namespace mlpd::api
