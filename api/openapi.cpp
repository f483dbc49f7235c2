#include "api/openapi.h"

#include <algorithm>
#include <map>
#include <set>

#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/tensor_codec.h"
#include "core/activation.h"
#include "core/generator.h"
#include "core/history.h"
#include "core/initializer.h"
#include "core/layer_spec.h"
#include "core/loss.h"
#include "core/optimizer.h"
#include "core/schedule.h"
#include "core/table_profile.h"

namespace mlpd::api {
namespace {

template <class Table>
std::string names_of(const Table& table) {
  std::string text;
  JsonWriter out(text);
  out.begin_array();
  for (const auto& row : table) out.value(row.name);
  out.end_array();
  return text;
}

std::string replace_tables(std::string_view json) {
  static const std::map<std::string, std::string, std::less<>> kTables = {
      {"@activations", names_of(core::activations())},
      {"@losses", names_of(core::losses())},
      {"@initializers", names_of(core::initializers())},
      {"@optimizers", names_of(core::optimizers())},
      {"@schedules", names_of(core::schedules())},
      {"@layers", names_of(core::layer_kinds())},
      {"@generators", names_of(core::generators())},
      {"@datatypes", names_of(datatypes())},
      {"@column_types", names_of(core::column_types())},
      {"@scalings", names_of(core::scalings())},
      {"@parts", names_of(core::part_names())},
      {"@missing_policies", names_of(core::missing_policies())},
      {"@unseen_policies", names_of(core::unseen_policies())},
  };
  std::string out;
  while (true) {
    const auto begin = json.find("\"@");
    out += json.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    const auto end = json.find('"', begin + 1);
    out += kTables.find(json.substr(begin + 1, end - begin - 1))->second;
    json.remove_prefix(end + 1);
  }
}

const Schema* find_schema(std::string_view name) {
  for (const Schema& schema : openapi_schemas())
    if (schema.name == name) return &schema;
  return nullptr;
}

// `name` and every schema that it refers to.
void collect(std::string_view name, std::set<std::string_view>& found) {
  static constexpr std::string_view kReference = "#/components/schemas/";
  const Schema* schema = find_schema(name);
  if (!schema || !found.insert(schema->name).second) return;
  std::string_view rest = schema->json;
  for (auto at = rest.find(kReference); at != std::string_view::npos; at = rest.find(kReference)) {
    rest.remove_prefix(at + kReference.size());
    collect(rest.substr(0, rest.find('"')), found);
  }
}

std::string reference(std::string_view schema) {
  return "{\"$ref\":\"#/components/schemas/" + std::string(schema) + "\"}";
}

std::string_view tag_of(const Route& route) {
  std::string_view path = route.pattern;
  if (path.rfind("/v2", 0) == 0) return path.rfind("/v2/health", 0) == 0 ? "system" : "inference";
  if (path.rfind("/v1/", 0) != 0) return "system";
  path.remove_prefix(4);
  const std::string_view noun = path.substr(0, path.find('/'));
  return noun == "capabilities" || noun == "backup" ? "system" : noun;
}

void write_content(JsonWriter& out, std::string_view schema, std::span<const Media> media) {
  out.key("content").begin_object();
  for (Media form : media) {
    out.key(content_type(form)).begin_object().key("schema");
    out.text(form == Media::json ? reference(schema) : R"({"type":"string"})").end_object();
  }
  out.end_object();
}

constexpr std::string_view kFlag = R"({"type":"boolean"})";

void write_query_parameter(JsonWriter& out, const QueryParameter& parameter) {
  out.begin_object().field("name", parameter.name).field("in", "query");
  out.field("description", parameter.about);
  if (parameter.schema == kFlag) out.field("allowEmptyValue", true);  // "?pretty" is "?pretty=true"
  out.key("schema").text(parameter.schema).end_object();
}

void write_parameters(JsonWriter& out, const Route& route) {
  out.key("parameters").begin_array();
  std::string_view rest = route.pattern;
  for (auto at = rest.find('{'); at != std::string_view::npos; at = rest.find('{')) {
    rest.remove_prefix(at + 1);
    const std::string_view name = rest.substr(0, rest.find('}'));
    out.begin_object().field("name", name).field("in", "path").field("required", true).key("schema");
    out.text(name == "network" ? reference("Name") : R"({"type":"string","minLength":1})").end_object();
  }
  for (const QueryParameter& parameter : route.query) write_query_parameter(out, parameter);
  write_query_parameter(out, {"pretty", kFlag, "indent JSON for people"});
  for (std::string_view header : route.headers) {
    out.begin_object().field("name", header).field("in", "header").key("schema");
    out.text(R"({"type":"string"})").end_object();
  }
  out.end_array();
}

void write_answers(JsonWriter& out, const Route& route) {
  const bool inference = route.pattern.rfind("/v2", 0) == 0;
  out.key("responses").begin_object();
  std::set<int> successes;
  for (const Answer& answer : route.answers) {
    successes.insert(answer.status);
    out.key(std::to_string(answer.status)).begin_object().field("description", answer.about);
    if (!answer.schema.empty()) write_content(out, answer.schema, route.answer_media);
    out.end_object();
  }
  std::set<int> problems(route.problems.begin(), route.problems.end());
  problems.insert(400);                  // a broken escape in the target
  if (!inference) problems.insert(422);  // an unknown query parameter
  if (route.scope != Scope::none) problems.insert({401, 403});
  const auto write_problem = [&](const std::string& key, std::string_view about) {
    out.key(key).begin_object().field("description", about).key("content").begin_object();
    out.key(inference ? "application/json" : "application/problem+json").begin_object().key("schema");
    out.text(reference(inference ? "InferenceError" : "Problem")).end_object().end_object().end_object();
  };
  for (int status : problems)
    if (!successes.count(status)) write_problem(std::to_string(status), "see `detail` and `errors`");
  write_problem("default", "any other problem");
  out.end_object();
}

constexpr std::string_view name_of(Scope scope) {
  constexpr std::string_view kNames[] = {"none", "read", "predict", "train", "admin"};
  return kNames[static_cast<std::size_t>(scope)];
}

void write_operation(JsonWriter& out, const Route& route) {
  std::string method(route.method);
  std::transform(method.begin(), method.end(), method.begin(),
                 [](char c) { return static_cast<char>(c | 0x20); });
  out.key(method).begin_object().field("operationId", route.operation).field("summary", route.summary);
  out.key("tags").begin_array().value(tag_of(route)).end_array();
  out.key("security").begin_array();
  if (route.scope != Scope::none) {
    out.begin_object().end_object();  // a server without keys
    out.begin_object().key("bearer").begin_array().value(name_of(route.scope)).end_array().end_object();
  }
  out.end_array();
  write_parameters(out, route);
  if (!route.request_schema.empty()) {
    out.key("requestBody").begin_object().field("required", route.body_required);
    write_content(out, route.request_schema, route.request_media);
    out.end_object();
  }
  write_answers(out, route);
  out.end_object();
}

}  // namespace

std::string make_openapi(std::span<const Route> routes, std::string_view version) {
  std::string text;
  JsonWriter out(text);
  out.begin_object().field("openapi", "3.1.0").key("info").begin_object().field("title", "mlpd");
  out.field("version", version).field("description", "Trains and serves multilayer perceptrons over HTTP.");
  out.key("license").text(R"({"name":"MIT","identifier":"MIT"})").end_object();
  out.key("servers").text(R"([{"url":"/"}])");

  std::map<std::string_view, std::vector<const Route*>> paths;
  std::set<std::string_view> tags, schemas;
  for (const Route& route : routes) {
    paths[route.pattern].push_back(&route);
    tags.insert(tag_of(route));
    collect(route.request_schema, schemas);
    for (const Answer& answer : route.answers) collect(answer.schema, schemas);
    collect(route.pattern.rfind("/v2", 0) == 0 ? "InferenceError" : "Problem", schemas);
  }
  collect("Name", schemas);
  out.key("tags").begin_array();
  for (std::string_view tag : tags)
    out.begin_object()
        .field("name", tag)
        .field("description", "Routes about " + std::string(tag))
        .end_object();
  out.end_array().key("paths").begin_object();
  for (const auto& [pattern, operations] : paths) {
    out.key(pattern).begin_object();
    for (const Route* route : operations) write_operation(out, *route);
    out.end_object();
  }
  out.end_object().key("components").begin_object().key("securitySchemes");
  out.text(R"({"bearer":{"type":"http","scheme":"bearer"}})").key("schemas").begin_object();
  for (std::string_view name : schemas) out.key(name).text(replace_tables(find_schema(name)->json));
  out.end_object().end_object().end_object();
  return text;
}

}  // namespace mlpd::api
