#include "api/inference_v2_handlers.h"

#include <algorithm>

#include "api/feedback_handlers.h"
#include "api/inference_model.h"
#include "api/inference_service.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "api/version_service.h"

namespace mlpd::api {
namespace {

constexpr std::string_view kExtensions[] = {"binary_tensor_data", "classification", "model_repository",
                                            "statistics", "model_configuration"};

void write_tensor(JsonWriter& out, const TensorMetadata& tensor, std::string_view datatype_key,
                  std::string_view datatype_prefix, std::string_view shape_key) {
  out.begin_object().field("name", tensor.name);
  out.field(datatype_key, std::string(datatype_prefix) + std::string(tensor.datatype));
  out.key(shape_key).begin_array();
  for (const std::int64_t size : tensor.shape) out.value(static_cast<int>(size));
  out.end_array().end_object();
}

// Calls visit(name) for every network, newest first.
template <class Visit>
void for_each_network(const Call& call, Visit&& visit) {
  PageQuery query;
  query.limit = 1'000;
  while (true) {
    const auto page = call.services.networks.list(query);
    for (const NetworkView& network : page.items) visit(network.name);
    if (page.next_cursor.empty()) return;
    query.cursor = page.next_cursor;
  }
}

// Newest first; empty where the network is gone meanwhile.
std::vector<std::uint64_t> versions_of(const Call& call, const std::string& network) {
  std::vector<std::uint64_t> numbers;
  if (call.services.versions == nullptr) return numbers;
  if (const auto list = call.services.versions->list(network); list.ok())
    for (const VersionView& version : list->versions) numbers.push_back(version.version);
  return numbers;
}

void write_duration(JsonWriter& out, std::string_view name, const InferenceDuration& duration) {
  out.key(name).begin_object().field("count", duration.count).field("ns", duration.ns).end_object();
}

void write_statistics(JsonWriter& out, const std::string& network, const InferenceStatistics& statistics,
                      const std::vector<VersionScore>& scores) {
  out.begin_object().field("name", network).field("version", statistics.version);
  out.field("last_inference", statistics.last_inference_ms);
  out.field("inference_count", statistics.inference_count);
  out.field("execution_count", statistics.execution_count).key("inference_stats").begin_object();
  write_duration(out, "success", statistics.success);
  write_duration(out, "fail", statistics.fail);
  write_duration(out, "queue", {});
  write_duration(out, "compute_input", statistics.compute_input);
  write_duration(out, "compute_infer", statistics.compute_infer);
  write_duration(out, "compute_output", statistics.compute_output);
  write_duration(out, "cache_hit", {});
  write_duration(out, "cache_miss", {});
  out.end_object().key("batch_stats").begin_array().end_array();
  for (const VersionScore& scored : scores)
    if (version_name(scored.version) == statistics.version) write_score(out.key("feedback"), scored.score);
  out.end_object();
}

// The version alone where one is given, which may not have been asked yet; else all that were asked or, as
// shadows, judged.
core::Result<void> write_statistics_of(JsonWriter& out, const Call& call, const std::string& network,
                                       const std::string& version) {
  auto asked = call.services.inference->statistics(network);
  if (!asked) return asked.error();
  std::vector<VersionScore> scores;
  if (call.services.feedback != nullptr) {
    auto judged = call.services.feedback->scores(network);
    if (!judged) return judged.error();
    scores = std::move(*judged);
  }
  const auto add_unasked = [&](std::string_view name) {
    const auto same = [&](const auto& statistics) { return statistics.version == name; };
    if (std::any_of(asked->begin(), asked->end(), same)) return;
    asked->emplace_back().version = name;
  };
  for (const VersionScore& scored : scores) add_unasked(version_name(scored.version));
  if (!version.empty())
    add_unasked(version);
  else if (asked->empty())
    add_unasked(kLiveVersion);
  for (const InferenceStatistics& statistics : *asked)
    if (version.empty() || statistics.version == version) write_statistics(out, network, statistics, scores);
  return {};
}

// The parameters of load and unload. Nothing depends on a network; what would change one is refused.
bool read_repository_body(const Call& call, Response& refused) {
  const auto json = read_json_body(call, refused, true);
  if (!json) return false;
  Faults faults;
  ObjectReader body(*json, "#", faults);
  if (const Json* parameters = body.find("parameters")) {
    ObjectReader reader(*parameters, "#/parameters", faults);
    reader.boolean("unload_dependents");
    reader.finish();
  }
  body.finish();
  if (faults.empty()) return true;
  refused = problem(faults.error(), call.request);
  return false;
}

Response set_loaded(const Call& call, bool loaded) {
  const auto set = call.services.inference->set_loaded(call.parameter("network"), loaded);
  return set ? json_response("{}") : problem(set.error(), call.request);
}

}  // namespace

Response read_inference_server(const Call& call) {
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("name", "mlpd").field("version", call.services.system.system().version);
  out.key("extensions").values(std::span<const std::string_view>(kExtensions)).end_object();
  return json_response(std::move(body));
}

Response read_model_metadata(const Call& call) {
  const auto model = find_inference_model(call);
  if (!model) return problem(model.error(), call.request);
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("name", model->name);
  out.key("versions").begin_array().value(kLiveVersion);
  for (const std::uint64_t version : versions_of(call, model->name)) out.value(std::to_string(version));
  out.end_array();
  out.field("platform", kPlatform).key("inputs").begin_array();
  for (const TensorMetadata& tensor : input_tensors(*model->snapshot))
    write_tensor(out, tensor, "datatype", "", "shape");
  out.end_array().key("outputs").begin_array();
  write_tensor(out, output_tensor(*model->snapshot), "datatype", "", "shape");
  out.end_array().end_object();
  return json_response(std::move(body));
}

Response read_model_ready(const Call& call) {
  const auto model = find_inference_model(call);
  const bool unloaded = !model && model.error().code == core::ErrorCode::unavailable;
  if (!model && !unloaded) return problem(model.error(), call.request);
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("name", call.parameter("network")).field("ready", !unloaded).end_object();
  return json_response(std::move(body), unloaded ? 503 : 200);
}

Response read_model_config(const Call& call) {
  const auto model = find_inference_model(call);
  if (!model) return problem(model.error(), call.request);
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("name", model->name).field("platform", kPlatform).field("backend", "mlpd");
  out.field("max_batch_size", 0).key("input").begin_array();
  for (TensorMetadata tensor : input_tensors(*model->snapshot)) {
    if (tensor.datatype == "BYTES") tensor.datatype = "STRING";
    write_tensor(out, tensor, "data_type", "TYPE_", "dims");
  }
  out.end_array().key("output").begin_array();
  write_tensor(out, output_tensor(*model->snapshot), "data_type", "TYPE_", "dims");
  out.end_array().end_object();
  return json_response(std::move(body));
}

Response read_model_statistics(const Call& call) {
  const auto version = find_inference_version(call);
  if (!version) return problem(version.error(), call.request);
  const bool named =
      std::any_of(call.path.begin(), call.path.end(), [](const auto& p) { return p.first == "version"; });
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("model_stats").begin_array();
  const auto written = write_statistics_of(out, call, call.parameter("network"), named ? *version : "");
  if (!written) return problem(written.error(), call.request);
  out.end_array().end_object();
  return json_response(std::move(body));
}

Response read_all_statistics(const Call& call) {
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("model_stats").begin_array();
  // A network that is deleted meanwhile is left out.
  for_each_network(call, [&](const std::string& name) { (void)write_statistics_of(out, call, name, ""); });
  out.end_array().end_object();
  return json_response(std::move(body));
}

Response index_repository(const Call& call) {
  Response refused;
  const auto json = read_json_body(call, refused, true);
  if (!json) return refused;
  Faults faults;
  ObjectReader reader(*json, "#", faults);
  const bool only_ready = reader.boolean("ready").value_or(false);
  reader.finish();
  if (!faults.empty()) return problem(faults.error(), call.request);
  std::string body;
  JsonWriter out(body);
  out.begin_array();
  for_each_network(call, [&](const std::string& name) {
    const auto loaded = call.services.inference->is_loaded(name);
    if (!loaded || (only_ready && !*loaded)) return;
    const auto write_version = [&](std::string_view version) {
      out.begin_object().field("name", name).field("version", version);
      out.field("state", *loaded ? "READY" : "UNAVAILABLE").field("reason", *loaded ? "" : "unloaded");
      out.end_object();
    };
    write_version(kLiveVersion);
    for (const std::uint64_t version : versions_of(call, name)) write_version(std::to_string(version));
  });
  out.end_array();
  return json_response(std::move(body));
}

// A network is always in the repository: loading one only takes back its unloading.
Response load_model(const Call& call) {
  Response refused;
  if (!read_repository_body(call, refused)) return refused;
  return set_loaded(call, true);
}

Response unload_model(const Call& call) {
  Response refused;
  if (!read_repository_body(call, refused)) return refused;
  return set_loaded(call, false);
}

}  // namespace mlpd::api
