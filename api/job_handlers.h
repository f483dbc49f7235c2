#pragma once

#include "api/routes.h"

namespace mlpd::api {

Response train_network(const Call& call);
Response list_jobs(const Call& call);
Response read_job(const Call& call);
Response cancel_job(const Call& call);
Response pause_job(const Call& call);
Response resume_job(const Call& call);

}  // namespace mlpd::api
