#pragma once

#include "api/routes.h"

namespace mlpd::api {

Response list_recipes(const Call& call);
Response start_recipe(const Call& call);

}  // namespace mlpd::api
