#include "api/network_handlers.h"

#include <algorithm>
#include <functional>

#include "api/dataset_network.h"
#include "api/decode_network.h"
#include "api/encode_network.h"
#include "api/encode_trace.h"
#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "core/history.h"

namespace mlpd::api {
namespace {

std::function<std::string()> present_tag(const Call& call) {
  return [&call] {
    const auto network = call.services.networks.read(call.parameter("network"));
    return network ? network->etag : std::string();
  };
}

std::string networks_as_csv(const std::vector<NetworkView>& networks) {
  std::string body = "name,state,step,parameters,loss,created_at\n";
  for (const NetworkView& network : networks) {
    body += network.name + ',' + network.state + ',' + std::to_string(network.step) + ',' +
            std::to_string(network.parameters) + ',';
    if (network.last_record) append_number(body, network.last_record->loss);
    body += ',' + format_timestamp(network.created_at) + '\n';
  }
  return body;
}

// "?fields=step,loss" against the closed table of columns.
core::Result<core::HistoryQuery> history_query(const Request& request) {
  core::HistoryQuery query;
  const auto from = query_integer(request, "from_step");
  if (!from) return from.error();
  const auto to = query_integer(request, "to_step");
  if (!to) return to.error();
  const auto points = query_integer(request, "max_points");
  if (!points) return points.error();
  query.from_step = from->value_or(query.from_step);
  query.to_step = to->value_or(query.to_step);
  query.max_points = static_cast<std::size_t>(points->value_or(0));
  Faults faults;
  if (query.from_step > query.to_step) faults.add("?from_step", "must not be past to_step");
  if (*points && **points < 2) faults.add("?max_points", "must be at least 2: the first and the last record");
  const auto& known = core::record_fields();
  std::string_view rest = request.query_value("fields").value_or("");
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const auto near = nearest_name(name, known);
      faults.add("?fields", "\"" + std::string(name) + "\" is no column; " +
                                (near.empty() ? "known: " + list_names(known)
                                              : "did you mean \"" + std::string(near) + "\"?"));
    } else if (std::find(query.fields.begin(), query.fields.end(), name) == query.fields.end()) {
      query.fields.emplace_back(name);
    }
  }
  if (!faults.empty()) return faults.error();
  return query;
}

}  // namespace

Response create_network(const Call& call) {
  Response refused;
  const auto dry_run = query_flag(call.request, "dry_run");
  if (!dry_run) return problem(dry_run.error(), call.request);
  const auto key = idempotency(call.request);
  if (!key) return problem(key.error(), call.request);
  const auto json = read_json_body(call, refused);
  if (!json) return refused;
  const Limits& limits = call.services.system.limits();
  auto request = call.services.datasets != nullptr && json->find("dataset")
                     ? decode_create_over_dataset(*json, *call.services.datasets, limits)
                     : decode_create(*json, limits.network);
  if (!request) return problem(request.error(), call.request);
  request->idempotency = *key;
  if (*dry_run) {
    if (!request->name.empty() && call.services.networks.read(request->name))
      return problem({core::ErrorCode::already_exists, "a network named " + request->name + " exists", {}},
                     call.request);
    std::string body;
    JsonWriter out(body);
    write_network_preview(out, *request);
    return json_response(std::move(body));
  }
  const auto network = call.services.networks.create(*request);
  if (!network) return problem(network.error(), call.request);
  Response response = network_response(*network, 201);
  response.set_header("Location", "/v1/networks/" + network->name);
  return response;
}

Response list_networks(const Call& call) {
  static constexpr Media kOffered[] = {Media::json, Media::csv, Media::ndjson};
  const auto media = choose_media(call.request, kOffered);
  if (!media) return problem(406, media.error().message, call.request);
  const auto query = page_query(call.request, CursorForm::number);
  if (!query) return problem(query.error(), call.request);
  const auto page = call.services.networks.list(*query);
  std::string body;
  if (*media == Media::csv) return media_response(*media, networks_as_csv(page.items));
  if (*media == Media::ndjson) {
    for (const NetworkView& network : page.items) {
      JsonWriter out(body);
      write_network(out, network);
      body += '\n';
    }
    return media_response(*media, std::move(body));
  }
  JsonWriter out(body);
  out.begin_object().key("networks").begin_array();
  for (const NetworkView& network : page.items) write_network(out, network);
  out.end_array();
  if (!page.next_cursor.empty()) out.field("next_cursor", page.next_cursor);
  out.end_object();
  return json_response(std::move(body));
}

Response read_network(const Call& call) {
  auto network = call.services.networks.read(call.parameter("network"));
  if (!network) return problem(network.error(), call.request);
  const auto known = entity_tags(call.request, "If-None-Match");
  const bool unchanged = std::any_of(known.begin(), known.end(),
                                     [&](const auto& tag) { return tag == "*" || tag == network->etag; });
  if (!unchanged) {
    if (const auto bytes = call.services.networks.disk_bytes(network->name)) network->disk_bytes = *bytes;
    return network_response(*network);
  }
  Response response;
  response.status = 304;
  response.set_header("ETag", quoted_etag(network->etag));
  return response;
}

Response patch_network(const Call& call) {
  Response refused;
  const auto json = read_json_body(call, refused);
  if (!json) return refused;
  const auto merge = [&](const NetworkView& current) { return decode_patch(*json, current); };
  const auto network = call.services.networks.patch(call.parameter("network"),
                                                    if_match(call.request, present_tag(call)), merge);
  if (!network) return problem(network.error(), call.request);
  return network_response(*network);
}

Response delete_network(const Call& call) {
  const auto force = query_flag(call.request, "force");
  if (!force) return problem(force.error(), call.request);
  const auto removed = call.services.networks.remove(call.parameter("network"),
                                                     if_match(call.request, present_tag(call)), *force);
  if (!removed) return problem(removed.error(), call.request);
  Response response;
  response.status = 204;
  return response;
}

Response read_history(const Call& call) {
  static constexpr Media kOffered[] = {Media::json, Media::csv, Media::ndjson};
  const auto media = choose_media(call.request, kOffered);
  if (!media) return problem(406, media.error().message, call.request);
  const auto query = history_query(call.request);
  if (!query) return problem(query.error(), call.request);
  const auto columns = call.services.networks.history(call.parameter("network"), *query);
  if (!columns) return problem(columns.error(), call.request);
  if (*media == Media::csv) return media_response(*media, history_as_csv(*columns));
  if (*media == Media::ndjson) return media_response(*media, history_as_ndjson(*columns));
  std::string body;
  JsonWriter out(body);
  write_history_columns(out, *columns);
  return json_response(std::move(body));
}

}  // namespace mlpd::api
