#include "api/openapi.h"

#include <cstdlib>
#include <fstream>
#include <set>

#include "api/routes.h"
#include "core/activation.h"
#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

using OpenapiTest = ApiTest;

TEST_F(OpenapiTest, CoversExactlyTheRoutes) {
  const auto response = get("/openapi.json");
  ASSERT_EQ(response.status, 200);
  // tests/conformance/openapi_lint.sh lints this very text.
  if (const char* path = std::getenv("MLPD_OPENAPI_FILE")) std::ofstream(path) << response.body;
  const Json document = json_of(response);
  std::set<std::string> described, routed;
  const Json* paths = document.find("paths");
  ASSERT_NE(paths, nullptr);
  for (const auto& [path, operations] : *paths->as<JsonObject>())
    for (const auto& operation : *operations.as<JsonObject>()) described.insert(operation.first + " " + path);
  for (const Route& route : make_routes(service.services())) {
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c | 0x20);
    routed.insert(method + " " + std::string(route.pattern));
  }
  EXPECT_EQ(described, routed);
}

TEST_F(OpenapiTest, EveryReferenceResolvesAndEverySchemaIsUsed) {
  const auto response = get("/openapi.json");
  const Json document = json_of(response);
  const Json schemas = at(document, "components/schemas");
  ASSERT_NE(schemas.as<JsonObject>(), nullptr);
  static const std::string kLead = "#/components/schemas/";
  std::set<std::string> referred, there;
  for (auto i = response.body.find(kLead); i != std::string::npos; i = response.body.find(kLead, i + 1))
    referred.insert(response.body.substr(i + kLead.size(), response.body.find('"', i) - i - kLead.size()));
  for (const auto& schema : *schemas.as<JsonObject>()) there.insert(schema.first);
  EXPECT_EQ(referred, there);
  for (const Schema& schema : openapi_schemas())
    EXPECT_EQ(there.count(std::string(schema.name)), 1u) << schema.name;
}

TEST_F(OpenapiTest, EveryRouteNamesSchemasThatExist) {
  std::set<std::string_view> known, operations;
  for (const Schema& schema : openapi_schemas()) known.insert(schema.name);
  for (const Route& route : make_routes(service.services())) {
    EXPECT_TRUE(operations.insert(route.operation).second) << route.operation;
    EXPECT_FALSE(route.answers.empty()) << route.pattern;
    if (!route.request_schema.empty()) {
      EXPECT_EQ(known.count(route.request_schema), 1u) << route.request_schema;
    }
    for (const Answer& answer : route.answers)
      if (!answer.schema.empty()) {
        EXPECT_EQ(known.count(answer.schema), 1u) << answer.schema;
      }
  }
}

TEST_F(OpenapiTest, EveryOperationListsWhatABrokenTargetGets) {
  const Json document = json_of(get("/openapi.json"));
  for (const auto& [path, operations] : *document.find("paths")->as<JsonObject>())
    for (const auto& [method, operation] : *operations.as<JsonObject>()) {
      EXPECT_NE(operation.find("responses")->find("400"), nullptr) << method << " " << path;
      const bool inference = path.rfind("/v2", 0) == 0;
      EXPECT_EQ(operation.find("responses")->find("422") == nullptr, inference) << method << " " << path;
      for (const Json& parameter : *operation.find("parameters")->as<JsonArray>()) {
        const Json* type = parameter.find("schema")->find("type");
        const bool flag = type && *type->as<std::string>() == "boolean";
        EXPECT_EQ(parameter.find("allowEmptyValue") != nullptr, flag) << method << " " << path;
      }
    }
}

TEST_F(OpenapiTest, NamesOfTablesAreFilledIn) {
  const Json document = json_of(get("/openapi.json"));
  const Json names = at(document, "components/schemas/Layer/properties/activation/enum");
  ASSERT_NE(names.as<JsonArray>(), nullptr);
  EXPECT_EQ(names.as<JsonArray>()->size(), core::activations().size());
}

}  // namespace
}  // namespace mlpd::api
