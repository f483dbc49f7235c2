#pragma once

#include "api/routes.h"

namespace mlpd::api {

Response live(const Call& call);
Response ready(const Call& call);
Response read_system(const Call& call);
Response read_capabilities(const Call& call);
Response read_openapi(const Call& call);
Response read_metrics(const Call& call);
Response read_backup(const Call& call);

}  // namespace mlpd::api
