#include "api/routes.h"

#include "api/boundary_handlers.h"
#include "api/dataset_handlers.h"
#include "api/diagnosis_handlers.h"
#include "api/event_handlers.h"
#include "api/feedback_handlers.h"
#include "api/inference_v2_handlers.h"
#include "api/job_handlers.h"
#include "api/learning_rate_handlers.h"
#include "api/model_handlers.h"
#include "api/network_handlers.h"
#include "api/predict_handlers.h"
#include "api/recipe_handlers.h"
#include "api/search_handlers.h"
#include "api/system_handlers.h"
#include "api/time_travel_handlers.h"
#include "api/version_handlers.h"

namespace mlpd::api {
namespace {

constexpr std::string_view kBoolean = R"({"type":"boolean"})";
constexpr std::string_view kCount = R"({"type":"integer","minimum":0})";
constexpr std::string_view kPoints = R"({"type":"integer","minimum":2})";
constexpr std::string_view kText = R"({"type":"string"})";
constexpr std::string_view kPage = R"({"type":"integer","minimum":1,"maximum":1000})";

constexpr QueryParameter kLimit{"limit", kPage, "entries of a page, 100 by default"};
constexpr QueryParameter kCursor{"cursor", kText, "next_cursor of the page before"};
constexpr QueryParameter kFormat{"format", R"({"type":"string","enum":["json","csv","ndjson"]})",
                                 "in place of Accept"};
constexpr QueryParameter kModelFormat{"format", R"({"type":"string","enum":["json","onnx"]})",
                                      "in place of Accept"};
constexpr QueryParameter kStep{"step", kCount, "answer for the parameters of this past step"};
constexpr QueryParameter kDryRun{"dry_run", kBoolean,
                                 "check everything, answer what would be, change nothing"};
const std::vector<Media> kTables{Media::json, Media::csv, Media::ndjson};

// The rows of one room each. A room whose service is optional is added in make_routes.
std::vector<Route> network_routes() {
  return {{.method = "POST",
           .pattern = "/v1/networks",
           .handler = create_network,
           .operation = "createNetwork",
           .summary = "Create a network from a spec",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "NetworkCreate",
           .answers = {{201, "Network", "created; Location names it"},
                       {200, "NetworkPreview", "of ?dry_run=true"}},
           .problems = {400, 409, 413, 415, 422, 429},
           .query = {kDryRun},
           .headers = {"Idempotency-Key"}},
          {.method = "GET",
           .pattern = "/v1/networks",
           .handler = list_networks,
           .operation = "listNetworks",
           .summary = "List networks, newest first",
           .answers = {{200, "NetworkList", "a page"}},
           .problems = {406},
           .query = {kLimit, kCursor, kFormat},
           .answer_media = kTables},
          {.method = "GET",
           .pattern = "/v1/networks/{network}",
           .handler = read_network,
           .operation = "readNetwork",
           .summary = "Read a network",
           .answers = {{200, "Network", "the network"}, {304, "", "If-None-Match names its ETag"}},
           .problems = {404},
           .headers = {"If-None-Match"}},
          {.method = "PATCH",
           .pattern = "/v1/networks/{network}",
           .handler = patch_network,
           .operation = "patchNetwork",
           .summary = "Change labels, ttl and, from the next step on, hyper-parameters (RFC 7396)",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "NetworkPatch",
           .answers = {{200, "Network", "the changed network"}},
           .problems = {400, 404, 409, 412, 413, 415},
           .headers = {"If-Match"}},
          {.method = "DELETE",
           .pattern = "/v1/networks/{network}",
           .handler = delete_network,
           .operation = "deleteNetwork",
           .summary = "Delete a network",
           .scope = Scope::train,
           .answers = {{204, "", "deleted"}},
           .problems = {404, 409, 412},
           .query = {{"force", kBoolean, "cancel its jobs first"}},
           .headers = {"If-Match"}},
          {.method = "POST",
           .pattern = "/v1/networks/{network}/train",
           .handler = train_network,
           .operation = "trainNetwork",
           .summary = "Train: a job, waited for as long as Prefer says",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "TrainRequest",
           .body_required = false,
           .answers = {{200, "JobOrPreview", "the finished job, or what ?dry_run=true found"},
                       {202, "Job", "accepted; Location names it"}},
           .problems = {400, 404, 409, 413, 415, 429},
           .query = {kDryRun},
           .headers = {"Prefer", "Idempotency-Key"}},
          {.method = "POST",
           .pattern = "/v1/networks/{network}/predict",
           .handler = predict,
           .operation = "predict",
           .summary = "Outputs, and classes where it classifies, of rows",
           .scope = Scope::predict,
           .limit = BodyLimit::body,
           .request_schema = "PredictRequest",
           .answers = {{200, "Prediction", "one row of outputs for each row"}},
           .problems = {400, 404, 406, 413, 415},
           .query = {kStep,
                     {"version", kText, "answer from this published version"},
                     {"alias", kText, "answer from the version that this alias names"},
                     {"prediction_id", kBoolean, "give the id by which feedback may name the prediction"},
                     kFormat},
           .request_media = kTables,
           .answer_media = kTables},
          {.method = "POST",
           .pattern = "/v1/networks/{network}/evaluate",
           .handler = evaluate,
           .operation = "evaluate",
           .summary = "Loss, metrics, confusion matrix and importance of columns on given data",
           .scope = Scope::predict,
           .limit = BodyLimit::body,
           .request_schema = "EvaluateRequest",
           .body_required = false,
           .answers = {{200, "Evaluation", "the numbers"}},
           .problems = {400, 404, 409, 413, 415},
           .query = {kStep}}};
}

std::vector<Route> model_routes() {
  return {{.method = "POST",
           .pattern = "/v1/networks/{network}/trace",
           .handler = trace,
           .operation = "trace",
           .summary = "Every matrix of one training step on given rows; changes nothing",
           .scope = Scope::predict,
           .limit = BodyLimit::body,
           .request_schema = "DataRequest",
           .body_required = false,
           .answers = {{200, "Trace", "the glass box"}},
           .problems = {400, 404, 409, 413, 415},
           .query = {kStep}},
          {.method = "GET",
           .pattern = "/v1/networks/{network}/history",
           .handler = read_history,
           .operation = "readHistory",
           .summary = "The training's records as columns",
           .answers = {{200, "History", "columns of equal length"}},
           .problems = {404, 406},
           .query = {{"from_step", kCount, "first step"},
                     {"to_step", kCount, "last step"},
                     {"max_points", kPoints, "thin to at most so many records"},
                     {"fields", kText, "column names with commas between"},
                     kFormat},
           .answer_media = kTables},
          {.method = "GET",
           .pattern = "/v1/networks/{network}/model",
           .handler = export_model,
           .operation = "exportModel",
           .summary = "Export the whole model",
           .answers = {{200, "Model", "the model document"}},
           .problems = {404, 406, 409},
           .query = {kStep, {"history", kBoolean, "add the training's records"}, kModelFormat},
           .answer_media = {Media::json, Media::onnx}},
          {.method = "PUT",
           .pattern = "/v1/networks/{network}/model",
           .handler = import_model,
           .operation = "importModel",
           .summary = "Import a model: create or replace the network",
           .scope = Scope::train,
           .limit = BodyLimit::model,
           .streams_body = true,
           .request_schema = "Model",
           .answers = {{200, "Network", "replaced"}, {201, "Network", "created; Location names it"}},
           .problems = {400, 409, 412, 413, 429},
           .headers = {"If-Match", "If-None-Match"},
           .request_media = {Media::json, Media::onnx}}};
}

std::vector<Route> insight_routes() {
  return {
      {.method = "GET",
       .pattern = "/v1/networks/{network}/boundary",
       .handler = read_boundary,
       .operation = "readBoundary",
       .summary = "The decision surface over two inputs: a grid, PNG or SVG",
       .answers = {{200, "Boundary", "the surface"}},
       .problems = {404, 406},
       .query = {{"x", kText, "name or index of the input along x; 0 by default"},
                 {"y", kText, "name or index of the input along y; 1 by default"},
                 {"resolution", R"({"type":"integer","minimum":2,"maximum":512})",
                  "cells of a side, 64 by default"},
                 {"output", kCount, "which output is the value where there are no classes"},
                 {"points", kBoolean, "lay the last training data over it"},
                 kStep,
                 {"format", R"({"type":"string","enum":["json","png","svg"]})", "in place of Accept"}},
       .answer_media = {Media::json, Media::png, Media::svg}},
      {.method = "GET",
       .pattern = "/v1/networks/{network}/diagnosis",
       .handler = read_diagnosis,
       .operation = "readDiagnosis",
       .summary = "Health of the gradients by layer, what it means, and remedies ready to send",
       .answers = {{200, "Diagnosis", "the diagnosis"}},
       .problems = {404},
       .query = {kStep}},
      {.method = "POST",
       .pattern = "/v1/networks/{network}/learning_rate_test",
       .handler = learning_rate_test,
       .operation = "testLearningRates",
       .summary = "Loss against rising learning rates on a private copy, and a suggestion; changes nothing",
       .scope = Scope::train,
       .limit = BodyLimit::body,
       .request_schema = "RateTestRequest",
       .body_required = false,
       .answers = {{200, "RateTest", "the curve"}},
       .problems = {400, 404, 409, 413, 415}}};
}

std::vector<Route> recipe_routes() {
  return {{.method = "GET",
           .pattern = "/v1/recipes",
           .handler = list_recipes,
           .operation = "listRecipes",
           .summary = "Experiments that one call starts",
           .answers = {{200, "RecipeList", "all of them"}}},
          {.method = "POST",
           .pattern = "/v1/recipes/{recipe}",
           .handler = start_recipe,
           .operation = "startRecipe",
           .summary = "Create a recipe's network and start its training",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "RecipeRequest",
           .body_required = false,
           .answers = {{201, "RecipeStarted", "the network and its job; Location names the network"}},
           .problems = {400, 404, 409, 413, 415, 429},
           .headers = {"Idempotency-Key"}}};
}

std::vector<Route> job_routes() {
  return {{.method = "GET",
           .pattern = "/v1/jobs",
           .handler = list_jobs,
           .operation = "listJobs",
           .summary = "List jobs, newest first",
           .answers = {{200, "JobList", "a page"}},
           .problems = {406},
           .query = {kLimit, kCursor, {"network", kText, "only this network's"}, kFormat},
           .answer_media = kTables},
          {.method = "GET",
           .pattern = "/v1/jobs/{job}",
           .handler = read_job,
           .operation = "readJob",
           .summary = "Read a job",
           .answers = {{200, "Job", "the job"}},
           .problems = {404}},
          {.method = "POST",
           .pattern = "/v1/jobs/{job}/cancel",
           .handler = cancel_job,
           .operation = "cancelJob",
           .summary = "Cancel a job; an ended one stays as it is",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .answers = {{200, "Job", "the job"}},
           .problems = {404}},
          {.method = "POST",
           .pattern = "/v1/jobs/{job}/pause",
           .handler = pause_job,
           .operation = "pauseJob",
           .summary = "Pause a job",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .answers = {{200, "Job", "the job"}},
           .problems = {404, 409}},
          {.method = "POST",
           .pattern = "/v1/jobs/{job}/resume",
           .handler = resume_job,
           .operation = "resumeJob",
           .summary = "Resume a paused job",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .answers = {{200, "Job", "the job"}},
           .problems = {404, 409}}};
}

std::vector<Route> system_routes() {
  return {{.method = "GET",
           .pattern = "/v2/health/live",
           .handler = live,
           .operation = "live",
           .summary = "The process is alive",
           .scope = Scope::none,
           .answers = {{200, "Live", "alive"}}},
          {.method = "GET",
           .pattern = "/v2/health/ready",
           .handler = ready,
           .operation = "ready",
           .summary = "Requests are welcome",
           .scope = Scope::none,
           .answers = {{200, "Ready", "ready"}, {503, "Ready", "starting or draining"}}},
          {.method = "GET",
           .pattern = "/openapi.json",
           .handler = read_openapi,
           .operation = "readOpenapi",
           .summary = "This document",
           .scope = Scope::none,
           .answers = {{200, "OpenApi", "OpenAPI 3.1"}}},
          {.method = "GET",
           .pattern = "/v1/capabilities",
           .handler = read_capabilities,
           .operation = "readCapabilities",
           .summary = "All tables and limits",
           .answers = {{200, "Capabilities", "tables and limits"}}},
          {.method = "GET",
           .pattern = "/v1/system",
           .handler = read_system,
           .operation = "readSystem",
           .summary = "Version, build, queues, disk",
           .answers = {{200, "System", "the process"}}}};
}

std::vector<Route> dataset_routes() {
  return {{.method = "POST",
           .pattern = "/v1/datasets",
           .handler = create_dataset,
           .operation = "createDataset",
           .summary = "Upload rows (CSV, NDJSON, JSON) or generate them",
           .scope = Scope::train,
           .limit = BodyLimit::dataset,
           .streams_body = true,
           .request_schema = "DatasetCreate",
           .answers = {{201, "Dataset", "stored; Location names it"}},
           .problems = {400, 408, 409, 413, 415, 429},
           .query = {{"name", kText, "of the data set; generated where there is none"},
                     {"target", kText, "the column to predict; the last one by default"},
                     {"types", kText, "overrides what is inferred: age:number,sex:category,note:ignored"},
                     {"delimiter", kText, "of CSV: comma, semicolon, tab or bar; detected by default"},
                     {"header", kBoolean, "whether CSV's first row names the columns; detected by default"}},
           .request_media = kTables},
          {.method = "GET",
           .pattern = "/v1/datasets",
           .handler = list_datasets,
           .operation = "listDatasets",
           .summary = "List data sets, newest first",
           .answers = {{200, "DatasetList", "a page"}},
           .query = {kLimit, kCursor}},
          {.method = "GET",
           .pattern = "/v1/datasets/{dataset}",
           .handler = read_dataset,
           .operation = "readDataset",
           .summary = "Read a data set's schema, statistics and first rows",
           .answers = {{200, "Dataset", "the data set"}},
           .problems = {404}},
          {.method = "GET",
           .pattern = "/v1/datasets/{dataset}/rows",
           .handler = read_dataset_rows,
           .operation = "readDatasetRows",
           .summary = "Read a data set's rows, page by page",
           .answers = {{200, "DatasetRows", "a page"}},
           .problems = {404, 406},
           .query = {kLimit, kCursor, kFormat},
           .answer_media = kTables},
          {.method = "DELETE",
           .pattern = "/v1/datasets/{dataset}",
           .handler = delete_dataset,
           .operation = "deleteDataset",
           .summary = "Delete a data set",
           .scope = Scope::train,
           .answers = {{204, "", "it is gone"}},
           .problems = {404, 409},
           .query = {{"force", kBoolean, "also where networks were trained on it"}}}};
}

std::vector<Route> search_routes() {
  return {{.method = "POST",
           .pattern = "/v1/searches",
           .handler = create_search,
           .operation = "createSearch",
           .summary = "Search spec and training fields for the best network on a data set",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "SearchCreate",
           .answers = {{201, "Search", "accepted; Location names it"}, {200, "Search", "of ?dry_run=true"}},
           .problems = {400, 409, 413, 415, 429},
           .query = {kDryRun},
           .headers = {"Idempotency-Key"}},
          {.method = "GET",
           .pattern = "/v1/searches",
           .handler = list_searches,
           .operation = "listSearches",
           .summary = "List searches, newest first, without their leaderboards",
           .answers = {{200, "SearchList", "a page"}},
           .query = {kLimit, kCursor}},
          {.method = "GET",
           .pattern = "/v1/searches/{search}",
           .handler = read_search,
           .operation = "readSearch",
           .summary = "Read a search and its leaderboard",
           .answers = {{200, "Search", "the search"}},
           .problems = {404}},
          {.method = "POST",
           .pattern = "/v1/searches/{search}/cancel",
           .handler = cancel_search,
           .operation = "cancelSearch",
           .summary = "End a search; what was tried stays on its leaderboard. Idempotent",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .answers = {{200, "Search", "the search"}},
           .problems = {404}},
          {.method = "DELETE",
           .pattern = "/v1/searches/{search}",
           .handler = delete_search,
           .operation = "deleteSearch",
           .summary = "Forget an ended search; its networks stay",
           .scope = Scope::train,
           .answers = {{204, "", "it is forgotten"}},
           .problems = {404, 409}}};
}

Route metrics_route() {
  return {.method = "GET",
          .pattern = "/metrics",
          .handler = read_metrics,
          .operation = "readMetrics",
          .summary = "Everything measured, for Prometheus",
          .answers = {{200, "Metrics", "Prometheus's text format"}},
          .answer_media = {Media::metrics}};
}

Route backup_route() {
  return {.method = "GET",
          .pattern = "/v1/backup",
          .handler = read_backup,
          .operation = "readBackup",
          .summary = "An archive of the whole store; unpacked into an empty folder, it is a data folder",
          .scope = Scope::admin,
          .answers = {{200, "Backup", "a tar archive"}},
          .problems = {409, 503},
          .answer_media = {Media::tar}};
}

}  // namespace

std::vector<Route> make_routes(const Services& services) {
  std::vector<Route> routes;
  for (const auto& room : {network_routes(), model_routes(), insight_routes(), job_routes(), system_routes()})
    routes.insert(routes.end(), room.begin(), room.end());
  if (services.metrics != nullptr) routes.push_back(metrics_route());
  if (services.backups != nullptr) routes.push_back(backup_route());
  if (services.datasets != nullptr) {
    const std::vector<Route> room = dataset_routes();
    routes.insert(routes.end(), room.begin(), room.end());
  }
  if (services.datasets != nullptr && services.searches != nullptr) {
    const std::vector<Route> room = search_routes();
    routes.insert(routes.end(), room.begin(), room.end());
  }
  if (services.events != nullptr) {
    const std::vector<Route> room = event_routes();
    routes.insert(routes.end(), room.begin(), room.end());
  }
  if (services.versions != nullptr) {
    const std::vector<Route> room = version_routes();
    routes.insert(routes.end(), room.begin(), room.end());
  }
  if (services.feedback != nullptr) {
    const std::vector<Route> room = feedback_routes();
    routes.insert(routes.end(), room.begin(), room.end());
  }
  if (services.time_travel != nullptr) {  // half of the recipes branch off
    for (const auto& room : {time_travel_routes(), recipe_routes()})
      routes.insert(routes.end(), room.begin(), room.end());
  }
  if (services.inference != nullptr) {
    const std::vector<Route> room = inference_v2_routes();
    routes.insert(routes.end(), room.begin(), room.end());
  }
  if (services.time_travel == nullptr) return routes;
  for (Route& route : routes) {
    const auto is_step = [](const QueryParameter& parameter) { return parameter.name == kStep.name; };
    if (std::none_of(route.query.begin(), route.query.end(), is_step)) continue;
    route.answers.push_back(kLongReplay);
    route.problems.push_back(429);
  }
  return routes;
}

}  // namespace mlpd::api
