#pragma once

#include <vector>

#include "api/routes.h"

namespace mlpd::api {

Response read_inference_server(const Call& call);
Response read_model_metadata(const Call& call);
Response read_model_ready(const Call& call);
Response read_model_config(const Call& call);
Response read_model_statistics(const Call& call);
Response read_all_statistics(const Call& call);
Response index_repository(const Call& call);
Response load_model(const Call& call);
Response unload_model(const Call& call);

/// The rows of the Open Inference Protocol, health apart. They need services.inference.
std::vector<Route> inference_v2_routes();

}  // namespace mlpd::api
