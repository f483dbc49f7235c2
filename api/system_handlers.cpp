#include "api/system_handlers.h"

#include "api/backup_service.h"
#include "api/json_writer.h"
#include "api/metrics_service.h"
#include "api/negotiation.h"
#include "api/openapi.h"
#include "api/problem.h"
#include "core/activation.h"
#include "core/generator.h"
#include "core/initializer.h"
#include "core/layer_spec.h"
#include "core/loss.h"
#include "core/optimizer.h"
#include "core/schedule.h"

namespace mlpd::api {
namespace {

void write_fields(JsonWriter& out, std::span<const std::string_view> fields) {
  out.key("fields").values(fields);
}

void write_tables(JsonWriter& out) {
  out.key("layers").begin_array();
  for (const auto& row : core::layer_kinds()) {
    out.begin_object().field("name", row.name);
    write_fields(out, row.fields);
    out.end_object();
  }
  out.end_array().key("activations").begin_array();
  for (const auto& row : core::activations())
    out.begin_object().field("name", row.name).field("formula", row.formula).end_object();
  out.end_array().key("losses").begin_array();
  for (const auto& row : core::losses())
    out.begin_object().field("name", row.name).field("formula", row.formula).end_object();
  out.end_array().key("optimizers").begin_array();
  for (const auto& row : core::optimizers()) {
    out.begin_object().field("name", row.name);
    out.field("learning_rate", core::default_options(row.value).learning_rate);
    write_fields(out, row.fields);
    out.end_object();
  }
  out.end_array().key("schedules").begin_array();
  for (const auto& row : core::schedules()) {
    out.begin_object().field("name", row.name);
    write_fields(out, row.fields);
    out.end_object();
  }
  out.end_array().key("initializers").begin_array();
  for (const auto& row : core::initializers()) {
    out.begin_object().field("name", row.name);
    if (!row.parameter_name.empty()) out.field("parameter", row.parameter_name);
    out.end_object();
  }
  out.end_array().key("generators").begin_array();
  for (const auto& row : core::generators())
    out.begin_object().field("name", row.name).field("classes", row.classes).end_object();
  out.end_array().key("dtypes").values(std::vector<std::string_view>{"float32", "float64"});
}

void write_limits(JsonWriter& out, const NamedLimits& limits) {
  out.key("limits").begin_object();
  for (const auto& [name, value] : limits) out.field(name, value);
  out.field("wait_seconds", kWaitSecondsMax).end_object();
}

}  // namespace

Response live(const Call&) { return json_response("{\"live\":true}"); }

Response ready(const Call& call) {
  const bool is_ready = call.services.system.ready();
  Response response = json_response(
      is_ready ? "{\"live\":true,\"ready\":true}" : "{\"live\":true,\"ready\":false}", is_ready ? 200 : 503);
  if (!is_ready) response.set_header("Retry-After", "1");
  return response;
}

Response read_system(const Call& call) {
  SystemView system = call.services.system.system();
  if (call.services.metrics != nullptr) system.event_streams = call.services.metrics->event_streams();
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("version", system.version).field("build", system.build);
  out.field("instruction_set", system.instruction_set).field("uptime_s", system.uptime_s);
  out.field("networks", system.networks).field("jobs_queued", system.jobs_queued);
  out.field("jobs_running", system.jobs_running).field("event_streams", system.event_streams);
  out.field("disk_bytes", system.disk_bytes).field("memory_bytes", system.memory_bytes);
  out.key("quarantined").values(system.quarantined).end_object();
  return json_response(std::move(body));
}

Response read_capabilities(const Call& call) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  write_tables(out);
  write_limits(out, call.services.system.named_limits());
  out.end_object();
  return json_response(std::move(body));
}

Response read_openapi(const Call& call) {
  // A process has one table of routes, and making the text takes a millisecond.
  static const std::string document =
      make_openapi(make_routes(call.services), call.services.system.system().version);
  return json_response(document);
}

Response read_metrics(const Call& call) {
  return media_response(Media::metrics, call.services.metrics->exposition());
}

Response read_backup(const Call& call) {
  Response response;
  response.set_header("Content-Type", std::string(content_type(Media::tar)));
  response.set_header("Content-Disposition", "attachment; filename=\"mlpd.tar\"");
  response.set_header("Cache-Control", "no-store");
  if (call.request.method == "HEAD") return response;
  const auto stream = call.services.backups->start();
  if (!stream) return problem(stream.error(), call.request);
  response.stream = *stream;
  return response;
}

}  // namespace mlpd::api
