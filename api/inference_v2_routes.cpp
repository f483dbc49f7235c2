#include "api/infer_handler.h"
#include "api/inference_v2_handlers.h"

namespace mlpd::api {
namespace {

std::vector<Route> repository_routes() {
  return {{.method = "GET",
           .pattern = "/v2",
           .handler = read_inference_server,
           .operation = "readInferenceServer",
           .summary = "Name, version and extensions of the Open Inference Protocol",
           .answers = {{200, "InferenceServer", "the server"}}},
          {.method = "GET",
           .pattern = "/v2/models/stats",
           .handler = read_all_statistics,
           .operation = "readAllStatistics",
           .summary = "Inference statistics of all networks",
           .answers = {{200, "InferenceStatistics", "the statistics"}}},
          {.method = "POST",
           .pattern = "/v2/repository/index",
           .handler = index_repository,
           .operation = "indexRepository",
           .summary = "All networks and whether they are ready",
           .scope = Scope::predict,
           .limit = BodyLimit::body,
           .request_schema = "RepositoryIndexRequest",
           .body_required = false,
           .answers = {{200, "RepositoryIndex", "the networks"}},
           .problems = {400, 413}},
          {.method = "POST",
           .pattern = "/v2/repository/models/{network}/load",
           .handler = load_model,
           .operation = "loadModel",
           .summary = "Answer inference requests again",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "RepositoryRequest",
           .body_required = false,
           .answers = {{200, "RepositoryAnswer", "it is loaded"}},
           .problems = {400, 404, 413}},
          {.method = "POST",
           .pattern = "/v2/repository/models/{network}/unload",
           .handler = unload_model,
           .operation = "unloadModel",
           .summary = "Answer no inference requests until it is loaded; /v1 goes on",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "RepositoryRequest",
           .body_required = false,
           .answers = {{200, "RepositoryAnswer", "it is unloaded"}},
           .problems = {400, 404, 413}}};
}

/// The routes of one model; each is there with and without a version.
struct ModelRoute {
  std::string_view pattern;
  std::string_view version_pattern;
  std::string_view operation;
  std::string_view version_operation;
  std::string_view summary;
  RouteHandler handler;
  std::string_view schema;
};
constexpr ModelRoute kModelRoutes[] = {
    {"/v2/models/{network}", "/v2/models/{network}/versions/{version}", "readModelMetadata",
     "readVersionMetadata", "Names, datatypes and shapes of the tensors", read_model_metadata,
     "ModelMetadata"},
    {"/v2/models/{network}/ready", "/v2/models/{network}/versions/{version}/ready", "readModelReady",
     "readVersionReady", "Inference requests are welcome", read_model_ready, "ModelReady"},
    {"/v2/models/{network}/config", "/v2/models/{network}/versions/{version}/config", "readModelConfig",
     "readVersionConfig", "The tensors as a Triton model configuration", read_model_config, "ModelConfig"},
    {"/v2/models/{network}/stats", "/v2/models/{network}/versions/{version}/stats", "readModelStatistics",
     "readVersionStatistics", "Counts and times of inference requests", read_model_statistics,
     "InferenceStatistics"},
    {"/v2/models/{network}/infer", "/v2/models/{network}/versions/{version}/infer", "infer", "inferVersion",
     "Outputs of tensors, JSON or binary", infer, "InferenceResponse"},
};

Route model_route(const ModelRoute& row, bool versioned) {
  Route route;
  route.method = "GET";
  route.pattern = versioned ? row.version_pattern : row.pattern;
  route.handler = row.handler;
  route.operation = versioned ? row.version_operation : row.operation;
  route.summary = row.summary;
  route.answers = {{200, row.schema, "the answer"}};
  route.problems = {404, 503};
  if (row.handler == read_model_ready) route.answers.push_back({503, row.schema, "it was unloaded"});
  if (row.handler != infer) return route;
  route.method = "POST";
  route.scope = Scope::predict;
  route.limit = BodyLimit::body;
  route.request_schema = "InferenceRequest";
  route.problems = {400, 404, 413, 503};
  route.headers = {"Inference-Header-Content-Length"};
  route.request_media = {Media::json, Media::binary};
  route.answer_media = {Media::json, Media::binary};
  return route;
}

}  // namespace

std::vector<Route> inference_v2_routes() {
  std::vector<Route> routes = repository_routes();
  for (const ModelRoute& row : kModelRoutes)
    for (const bool versioned : {false, true}) routes.push_back(model_route(row, versioned));
  return routes;
}

}  // namespace mlpd::api
