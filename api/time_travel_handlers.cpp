#include "api/time_travel_handlers.h"

#include "api/decode_network.h"
#include "api/encode_job.h"
#include "api/encode_network.h"
#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "api/time_travel_service.h"

namespace mlpd::api {
namespace {

void write_checkpoint(JsonWriter& out, const CheckpointView& checkpoint) {
  out.begin_object().field("step", checkpoint.step).field("bytes", checkpoint.bytes);
  out.field("created_at", checkpoint.created_at).end_object();
}

struct ForkBody {
  std::string name;
  AtStep step;
  PatchNetwork changes;
};

core::Result<ForkBody> decode_fork(const Json& json, const NetworkView& parent) {
  Faults faults;
  ObjectReader body(json, "#", faults);
  if (!body.is_object()) return faults.error();
  ForkBody fork;
  if (const auto name = body.string("name")) {
    fork.name = *name;
    if (!is_valid_name(*name)) body.fault("name", name_rule());
  }
  fork.step = body.integer("step");
  fork.changes.hyper_parameters = decode_changed_hyper_parameters(body, parent.spec.hyper_parameters);
  if (const Json* labels = body.find("labels"))
    fork.changes.labels = decode_labels(*labels, body.pointer("labels"), faults);
  body.finish();
  if (!faults.empty()) return faults.error();
  return fork;
}

Response list_checkpoints(const Call& call) {
  const auto list = call.services.time_travel->checkpoints(call.parameter("network"));
  if (!list) return problem(list.error(), call.request);
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("checkpoints").begin_array();
  for (const CheckpointView& checkpoint : list->checkpoints) write_checkpoint(out, checkpoint);
  out.end_array().field("bytes", list->bytes).field("bytes_max", list->bytes_max);
  out.field("disk_bytes", list->disk_bytes);
  out.field("step", list->step).field("replayable_from", list->replayable_from).end_object();
  return json_response(std::move(body));
}

Response save_checkpoint(const Call& call) {
  Response refused;
  const auto json = read_json_body(call, refused, true);
  if (!json) return refused;
  Faults faults;
  ObjectReader fields(*json, "#", faults);
  fields.finish();
  if (!faults.empty()) return problem(faults.error(), call.request);
  const auto saved = call.services.time_travel->save(call.parameter("network"));
  if (!saved) return problem(saved.error(), call.request);
  std::string body;
  JsonWriter out(body);
  write_checkpoint(out, *saved);
  return json_response(std::move(body), 201);
}

Response restore_network(const Call& call) {
  Response refused;
  const auto json = read_json_body(call, refused);
  if (!json) return refused;
  Faults faults;
  ObjectReader body(*json, "#", faults);
  body.require("step");
  const auto step = body.integer("step");
  body.finish();
  if (!faults.empty()) return problem(faults.error(), call.request);
  if (auto later = long_replay(call, *step)) return *std::move(later);
  const std::string& name = call.parameter("network");
  const auto present = [&] {
    const auto network = call.services.networks.read(name);
    return network ? network->etag : std::string();
  };
  const auto network = call.services.time_travel->restore(name, if_match(call.request, present), *step);
  if (!network) return problem(network.error(), call.request);
  return network_response(*network);
}

Response fork_network(const Call& call) {
  Response refused;
  const auto key = idempotency(call.request);
  if (!key) return problem(key.error(), call.request);
  const auto parent = call.services.networks.read(call.parameter("network"));
  if (!parent) return problem(parent.error(), call.request);
  const auto json = read_json_body(call, refused, true);
  if (!json) return refused;
  const auto body = decode_fork(*json, *parent);
  if (!body) return problem(body.error(), call.request);
  if (body->step) {
    if (auto later = long_replay(call, *body->step)) return *std::move(later);
  }
  ForkNetwork request;
  request.name = body->name;
  request.step = body->step;
  request.idempotency = *key;
  request.changes = [&](const NetworkView& at_step) -> core::Result<PatchNetwork> {
    auto fork = decode_fork(*json, at_step);
    if (!fork) return fork.error();
    return std::move(fork->changes);
  };
  const auto network = call.services.time_travel->fork(parent->name, request);
  if (!network) return problem(network.error(), call.request);
  Response response = network_response(*network, 201);
  response.set_header("Location", "/v1/networks/" + network->name);
  return response;
}

}  // namespace

std::optional<Response> long_replay(const Call& call, std::uint64_t step) {
  if (call.services.time_travel == nullptr) return std::nullopt;
  const auto job = call.services.time_travel->long_replay(call.parameter("network"), step);
  if (!job) {
    if (job.error().code == core::ErrorCode::resource_exhausted) return problem(job.error(), call.request);
    return std::nullopt;
  }
  if (!*job) return std::nullopt;
  std::string body;
  JsonWriter out(body);
  write_job_view(out, **job);
  Response response = json_response(std::move(body), 202);
  response.set_header("Location", "/v1/jobs/" + (*job)->id);
  return response;
}

std::vector<Route> time_travel_routes() {
  return {{.method = "GET",
           .pattern = "/v1/networks/{network}/checkpoints",
           .handler = list_checkpoints,
           .operation = "listCheckpoints",
           .summary = "List stored states, newest first, and what time travel takes of its budget",
           .answers = {{200, "CheckpointList", "the checkpoints"}},
           .problems = {404}},
          {.method = "POST",
           .pattern = "/v1/networks/{network}/checkpoints",
           .handler = save_checkpoint,
           .operation = "saveCheckpoint",
           .summary = "Store the live state now, also in the middle of a job",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .answers = {{201, "Checkpoint", "stored"}},
           .problems = {400, 404, 413, 415}},
          {.method = "POST",
           .pattern = "/v1/networks/{network}/restore",
           .handler = restore_network,
           .operation = "restoreNetwork",
           .summary = "Go back to a step; later ones are no more (fork first to keep them)",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "Restore",
           .answers = {{200, "Network", "the network, at that step"}, kLongReplay},
           .problems = {400, 404, 409, 412, 413, 415, 429},
           .headers = {"If-Match"}},
          {.method = "POST",
           .pattern = "/v1/networks/{network}/fork",
           .handler = fork_network,
           .operation = "forkNetwork",
           .summary = "Branch off at a step, with changed settings where given",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "Fork",
           .body_required = false,
           .answers = {{201, "Network", "the fork; Location names it"}, kLongReplay},
           .problems = {400, 404, 409, 413, 415, 429},
           .headers = {"Idempotency-Key"}}};
}

}  // namespace mlpd::api
