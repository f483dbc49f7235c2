#pragma once

#include <string>
#include <vector>

#include "api/http_message.h"

namespace mlpd::server {

/// Adds the CORS fields (Fetch standard) that let a page of one of `origins` make this request and see its
/// answer; with another origin or none, and with no origins at all, adds only what caches must know. Never
/// allows cookies.
void add_cross_origin_fields(const std::vector<std::string>& origins, const api::Request& request,
                             api::Response& response);

}  // namespace mlpd::server
