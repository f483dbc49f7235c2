#include "api/negotiation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "api/json_reader.h"
#include "api/problem.h"
#include "core/digest.h"

namespace mlpd::api {
namespace {

struct MediaRow {
  Media media;
  std::string_view format;
  std::string_view type;
};
constexpr MediaRow kMedia[] = {
    {Media::json, "json", "application/json"},
    {Media::csv, "csv", "text/csv"},
    {Media::ndjson, "ndjson", "application/x-ndjson"},
    {Media::png, "png", "image/png"},
    {Media::svg, "svg", "image/svg+xml"},
    {Media::onnx, "onnx", "application/x-onnx"},
    {Media::binary, "binary", "application/octet-stream"},
    {Media::metrics, "metrics", "text/plain; version=0.0.4"},
    {Media::event_stream, "events", "text/event-stream"},
    {Media::tar, "tar", "application/x-tar"},
};

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(separator);
    if (const auto part = trim(text.substr(0, at)); !part.empty()) parts.push_back(part);
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

// Whether Content-Type begins with this, which is in lower case.
bool has_type(const Request& request, std::string_view type) {
  const auto given = request.header("Content-Type");
  return given && given->size() >= type.size() &&
         std::equal(type.begin(), type.end(), given->begin(), [](char a, char b) { return a == lower(b); });
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

core::Error query_error(std::string_view name, std::string detail) {
  Faults faults;
  faults.add("?" + std::string(name), std::move(detail));
  return faults.error();
}

// How well an Accept range fits a type: its q, or −1 where it doesn't.
double quality(std::string_view range, std::string_view type) {
  const auto parts = split(range, ';');
  if (parts.empty()) return -1;
  const std::string name = lower(parts[0]);
  const std::string group = std::string(type.substr(0, type.find('/'))) + "/*";
  if (name != "*/*" && name != group && name != type) return -1;
  for (std::string_view part : parts) {
    if (part.rfind("q=", 0) != 0) continue;
    double q = 1;
    std::from_chars(part.data() + 2, part.data() + part.size(), q);
    return q;
  }
  return 1;
}

// A preference as RFC 7240 writes it, without its parameters, spaces around "=" and quotes: `wait="5"; x=y`.
std::string preference_token(std::string_view part) {
  std::string token;
  for (const char c : lower(part.substr(0, part.find(';'))))
    if (c != ' ' && c != '\t' && c != '"') token += c;
  return token;
}

std::string offered_names(std::span<const Media> offered) {
  std::vector<std::string_view> names;
  for (Media media : offered) names.push_back(content_type(media));
  return list_names(names);
}

}  // namespace

std::string_view content_type(Media media) {
  for (const MediaRow& row : kMedia)
    if (row.media == media) return row.type;
  return {};
}

core::Result<Media> choose_media(const Request& request, std::span<const Media> offered) {
  if (const auto format = request.query_value("format")) {
    for (const MediaRow& row : kMedia)
      if (row.format == *format && std::find(offered.begin(), offered.end(), row.media) != offered.end())
        return row.media;
    return core::Error{
        core::ErrorCode::invalid_argument,
        "format \"" + std::string(*format) + "\" is not offered here; offered: " + offered_names(offered)};
  }
  const auto accept = request.header("Accept");
  if (!accept || trim(*accept).empty()) return offered.front();
  double best = 0;
  std::optional<Media> chosen;
  for (Media media : offered)
    for (std::string_view range : split(*accept, ',')) {
      const double q = quality(range, content_type(media));
      if (q > best) {
        best = q;
        chosen = media;
      }
    }
  if (chosen) return *chosen;
  return core::Error{core::ErrorCode::invalid_argument,
                     "Accept matches none of what is offered here: " + offered_names(offered)};
}

Response json_response(std::string body, int status) {
  Response response = media_response(Media::json, std::move(body));
  response.status = status;
  return response;
}

Response media_response(Media media, std::string body) {
  Response response;
  response.body = std::move(body);
  response.headers.emplace_back("Content-Type", content_type(media));
  return response;
}

bool is_csv(const Request& request) { return has_type(request, "text/csv"); }
bool is_ndjson(const Request& request) { return has_type(request, "application/x-ndjson"); }

std::optional<Json> read_json_body(const Call& call, Response& refused, bool empty_is_object) {
  static constexpr std::string_view kOtherForms[] = {"text/csv",   "application/x-ndjson",
                                                     "multipart/", "application/xml",
                                                     "text/xml",   "application/octet-stream"};
  const Request& request = call.request;
  const std::string type = lower(request.header("Content-Type").value_or(""));
  for (std::string_view form : kOtherForms)
    if (type.rfind(form, 0) == 0) {
      refused = problem(415, "the body must be JSON here, not " + type, request);
      return std::nullopt;
    }
  if (empty_is_object && request.body.find_first_not_of(" \t\r\n") == std::string::npos)
    return Json{JsonObject{}};
  JsonLimits limits;
  limits.depth = call.services.system.limits().json_depth_max;
  auto json = parse_json(request.body, limits);
  if (json) return std::move(*json);
  refused = problem(400, json.error().message, request);
  return std::nullopt;
}

core::Result<std::optional<std::uint64_t>> query_integer(const Request& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text) return std::optional<std::uint64_t>{};
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc{} && stop == text->data() + text->size()) return std::optional<std::uint64_t>{value};
  return query_error(name, "must be a whole number from 0 to 18446744073709551615");
}

core::Result<bool> query_flag(const Request& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text || *text == "false" || *text == "0") return false;
  if (text->empty() || *text == "true" || *text == "1") return true;
  return query_error(name, "must be true or false");
}

core::Result<PageQuery> page_query(const Request& request, CursorForm form) {
  static constexpr std::uint64_t kPageMax = 1'000;
  PageQuery query;
  auto limit = query_integer(request, "limit");
  if (!limit) return limit.error();
  if (*limit && (**limit == 0 || **limit > kPageMax))
    return query_error("limit", "must be 1 to " + std::to_string(kPageMax));
  if (*limit) query.limit = static_cast<std::size_t>(**limit);
  query.cursor = request.query_value("cursor").value_or("");
  static constexpr std::size_t kCursorBytesMax = 256;
  const bool number = !query.cursor.empty() && query_integer(request, "cursor").ok();
  if (query.cursor.size() > kCursorBytesMax || !is_printable(query.cursor) ||
      (form == CursorForm::number && !query.cursor.empty() && !number))
    return query_error("cursor", "must be the next_cursor of the page before");
  return query;
}

std::vector<std::string> entity_tags(const Request& request, std::string_view header) {
  std::vector<std::string> tags;
  for (std::string_view tag : split(request.header(header).value_or(""), ',')) {
    if (tag.rfind("W/", 0) == 0) tag.remove_prefix(2);
    if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') tag = tag.substr(1, tag.size() - 2);
    tags.emplace_back(tag);
  }
  return tags;
}

IfMatch if_match(const Request& request, const std::function<std::string()>& present) {
  if (!request.header("If-Match")) return std::nullopt;
  const auto tags = entity_tags(request, "If-Match");
  if (tags.empty()) return std::string();  // matches nothing
  if (tags.size() == 1) return tags.front();
  const std::string now = present();
  return std::find(tags.begin(), tags.end(), now) == tags.end() ? tags.front() : now;
}

std::string quoted_etag(std::string_view etag) { return '"' + std::string(etag) + '"'; }

core::Result<Idempotency> idempotency(const Request& request) {
  Idempotency out;
  const auto key = request.header("Idempotency-Key");
  if (!key) return out;
  if (key->empty() || key->size() > kIdempotencyKeyBytesMax || !is_printable(*key))
    return core::Error{core::ErrorCode::invalid_argument, "Idempotency-Key must be 1 to " +
                                                              std::to_string(kIdempotencyKeyBytesMax) +
                                                              " printable ASCII characters"};
  out.key = std::string(*key);
  core::Hasher hasher;
  hasher.add(std::string_view(request.method)).add(std::string_view(request.path));
  for (const auto& [name, value] : request.query)
    hasher.add(std::string_view(name)).add(std::string_view(value));
  out.request_digest = hasher.add(std::string_view(request.body)).finish();
  return out;
}

core::Result<Preference> preference(const Request& request) {
  Preference out;
  out.wait = std::chrono::seconds(kWaitSecondsDefault);
  for (const auto& [name, value] : request.headers) {
    if (lower(name) != "prefer") continue;
    for (std::string_view part : split(value, ',')) {
      const std::string token = preference_token(part);
      if (token == "respond-async") {
        out.wait = std::chrono::seconds(0);
        out.applied = "respond-async";
        return out;
      }
      if (token.rfind("wait=", 0) != 0) continue;  // RFC 7240: unknown preferences are passed over
      std::uint64_t seconds = 0;
      const auto [stop, error] = std::from_chars(token.data() + 5, token.data() + token.size(), seconds);
      if (error != std::errc{} || stop != token.data() + token.size())
        return core::Error{core::ErrorCode::invalid_argument,
                           "Prefer: wait= must be a whole number of seconds"};
      seconds = std::min(seconds, kWaitSecondsMax);
      out.wait = std::chrono::seconds(seconds);
      out.applied = "wait=" + std::to_string(seconds);
    }
  }
  return out;
}

}  // namespace mlpd::api
