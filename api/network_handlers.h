#pragma once

#include "api/routes.h"

namespace mlpd::api {

Response create_network(const Call& call);
Response list_networks(const Call& call);
Response read_network(const Call& call);
Response patch_network(const Call& call);
Response delete_network(const Call& call);
Response read_history(const Call& call);

}  // namespace mlpd::api
