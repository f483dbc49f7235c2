#pragma once

#include <memory>

#include "api/http_message.h"
#include "api/service.h"

namespace mlpd::api {

/// The whole HTTP contract over the given services: routes.cpp's table, decoding, encoding, problems.
std::unique_ptr<Handler> make_handler(Services services);

}  // namespace mlpd::api
