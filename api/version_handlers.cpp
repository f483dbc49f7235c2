#include "api/version_handlers.h"

#include <charconv>

#include "api/decode_network.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "api/time_travel_handlers.h"
#include "api/version_service.h"

namespace mlpd::api {
namespace {

void write_version(JsonWriter& out, const VersionView& version) {
  out.begin_object().field("version", version.version).field("step", version.step);
  out.field("state_sha256", version.state_sha256).field("bytes", version.bytes);
  if (!version.job.empty()) out.field("job", version.job);
  out.field("created_at", version.created_at).key("aliases").values(version.aliases).end_object();
}

Response version_response(const VersionView& version, int status) {
  std::string body;
  JsonWriter out(body);
  write_version(out, version);
  return json_response(std::move(body), status);
}

Response alias_response(const std::string& alias, std::uint64_t version, int status) {
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("alias", alias).field("version", version).end_object();
  return json_response(std::move(body), status);
}

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

/// The number in the path; what isn't one names no version.
core::Result<std::uint64_t> version_of(const Call& call) {
  const std::string& text = call.parameter("version");
  std::uint64_t version = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (code == std::errc() && end == text.data() + text.size()) return version;
  return core::Error{core::ErrorCode::not_found, "there is no version '" + text + "'", {}};
}

Response list_versions(const Call& call) {
  const auto list = call.services.versions->list(call.parameter("network"));
  if (!list) return problem(list.error(), call.request);
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("versions").begin_array();
  for (const VersionView& version : list->versions) write_version(out, version);
  out.end_array().key("aliases").begin_object();
  for (const auto& [alias, version] : list->aliases) out.field(alias, version);
  out.end_object().end_object();
  return json_response(std::move(body));
}

Response publish_version(const Call& call) {
  Response refused;
  const auto json = read_json_body(call, refused, true);
  if (!json) return refused;
  Faults faults;
  ObjectReader body(*json, "#", faults);
  const AtStep step = body.integer("step");
  body.finish();
  if (!faults.empty()) return problem(faults.error(), call.request);
  const auto key = idempotency(call.request);
  if (!key) return problem(key.error(), call.request);
  const std::string& network = call.parameter("network");
  if (step) {
    if (auto later = long_replay(call, *step)) return *std::move(later);
  }
  const auto version = call.services.versions->publish(network, step, *key);
  if (!version) return problem(version.error(), call.request);
  Response response = version_response(*version, 201);
  response.set_header("Location",
                      "/v1/networks/" + network + "/versions/" + std::to_string(version->version));
  return response;
}

Response read_version(const Call& call) {
  const auto number = version_of(call);
  if (!number) return problem(number.error(), call.request);
  const auto version = call.services.versions->read(call.parameter("network"), *number);
  return version ? version_response(*version, 200) : problem(version.error(), call.request);
}

Response delete_version(const Call& call) {
  const auto number = version_of(call);
  if (!number) return problem(number.error(), call.request);
  const auto removed = call.services.versions->remove(call.parameter("network"), *number);
  return removed ? no_content() : problem(removed.error(), call.request);
}

Response put_alias(const Call& call) {
  Response refused;
  const auto json = read_json_body(call, refused);
  if (!json) return refused;
  const std::string& alias = call.parameter("alias");
  Faults faults;
  ObjectReader body(*json, "#", faults);
  body.require("version");
  const auto version = body.integer("version");
  body.finish();
  if (!is_valid_alias(alias)) faults.add("#", "the alias in the path: " + alias_rule());
  if (!faults.empty()) return problem(faults.error(), call.request);
  const auto set = call.services.versions->set_alias(call.parameter("network"), alias, *version);
  if (!set) return problem(set.error(), call.request);
  return alias_response(alias, set->first, set->second ? 201 : 200);
}

Response read_alias(const Call& call) {
  const std::string& alias = call.parameter("alias");
  const auto version = call.services.versions->read_alias(call.parameter("network"), alias);
  return version ? alias_response(alias, *version, 200) : problem(version.error(), call.request);
}

Response delete_alias(const Call& call) {
  const auto removed =
      call.services.versions->remove_alias(call.parameter("network"), call.parameter("alias"));
  return removed ? no_content() : problem(removed.error(), call.request);
}

}  // namespace

std::vector<Route> version_routes() {
  return {{.method = "GET",
           .pattern = "/v1/networks/{network}/versions",
           .handler = list_versions,
           .operation = "listVersions",
           .summary = "List published versions, newest first, and the aliases",
           .answers = {{200, "VersionList", "the versions"}},
           .problems = {404}},
          {.method = "POST",
           .pattern = "/v1/networks/{network}/versions",
           .handler = publish_version,
           .operation = "publishVersion",
           .summary = "Publish the live network, or a past step, as an immutable version",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "VersionPublish",
           .body_required = false,
           .answers = {{201, "Version", "published; Location names it"}, kLongReplay},
           .problems = {400, 404, 409, 413, 415, 429},
           .headers = {"Idempotency-Key"}},
          {.method = "GET",
           .pattern = "/v1/networks/{network}/versions/{version}",
           .handler = read_version,
           .operation = "readVersion",
           .summary = "Read a version",
           .answers = {{200, "Version", "the version"}},
           .problems = {404}},
          {.method = "DELETE",
           .pattern = "/v1/networks/{network}/versions/{version}",
           .handler = delete_version,
           .operation = "deleteVersion",
           .summary = "Delete a version that no alias names",
           .scope = Scope::train,
           .answers = {{204, "", "deleted"}},
           .problems = {404, 409}},
          {.method = "GET",
           .pattern = "/v1/networks/{network}/aliases/{alias}",
           .handler = read_alias,
           .operation = "readAlias",
           .summary = "Read which version an alias names",
           .answers = {{200, "Alias", "the alias"}},
           .problems = {404}},
          {.method = "PUT",
           .pattern = "/v1/networks/{network}/aliases/{alias}",
           .handler = put_alias,
           .operation = "putAlias",
           .summary = "Let an alias name a version, in one instant; `default` is what inference uses",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "AliasPut",
           .answers = {{200, "Alias", "moved"}, {201, "Alias", "created"}},
           .problems = {400, 404, 413, 415, 429}},
          {.method = "DELETE",
           .pattern = "/v1/networks/{network}/aliases/{alias}",
           .handler = delete_alias,
           .operation = "deleteAlias",
           .summary = "Delete an alias",
           .scope = Scope::train,
           .answers = {{204, "", "deleted"}},
           .problems = {404}}};
}

}  // namespace mlpd::api
