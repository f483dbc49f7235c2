#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/routes.h"

namespace mlpd::api {

/// The OpenAPI 3.1 document: paths from the routes table, schemas from openapi_schemas.cpp. Only schemas that
/// the routes reach are in it.
std::string make_openapi(std::span<const Route> routes, std::string_view version);

/// A named JSON schema. In `json`, "@activations" and the like stand for the names of core's closed tables.
struct Schema {
  std::string_view name;
  std::string_view json;
};
std::span<const Schema> openapi_schemas();

}  // namespace mlpd::api
