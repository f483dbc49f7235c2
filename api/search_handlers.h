#pragma once

#include "api/http_message.h"
#include "api/routes.h"

namespace mlpd::api {

Response create_search(const Call& call);
Response list_searches(const Call& call);
Response read_search(const Call& call);
Response cancel_search(const Call& call);
Response delete_search(const Call& call);

}  // namespace mlpd::api
