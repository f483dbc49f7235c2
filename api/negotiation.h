#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"
#include "api/json.h"
#include "api/routes.h"
#include "api/service.h"

/// What a request says about its answer and conditions, and answers' envelopes.
namespace mlpd::api {

/// Longest wait that `Prefer: wait=S` may ask for; a longer one is answered after this many seconds.
inline constexpr std::uint64_t kWaitSecondsMax = 600;
inline constexpr std::uint64_t kWaitSecondsDefault = 30;
inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;

/// ?format= or Accept, among what the route offers (its first is the default). Fails where none fits: answer
/// 406 with the message.
core::Result<Media> choose_media(const Request& request, std::span<const Media> offered);
std::string_view content_type(Media media);

/// 200 with a JSON body unless said otherwise.
Response json_response(std::string body, int status = 200);
Response media_response(Media media, std::string body);

/// The parsed JSON body, or a 400 / 415 in `refused`. An empty body is {} where `empty_is_object`.
std::optional<Json> read_json_body(const Call& call, Response& refused, bool empty_is_object = false);
/// Whether the body is CSV by its content type.
bool is_csv(const Request& request);
bool is_ndjson(const Request& request);

/// `?name=` as a whole number; faults name the parameter.
core::Result<std::optional<std::uint64_t>> query_integer(const Request& request, std::string_view name);
/// `?name`, `?name=true`, `?name=false`; anything else fails.
core::Result<bool> query_flag(const Request& request, std::string_view name);
/// What a list's cursors look like: others are refused, not taken for the first page.
enum class CursorForm { number, text };
core::Result<PageQuery> page_query(const Request& request, CursorForm form);

/// The entity tags of If-Match or If-None-Match without their quotes and W/; "*" stays. Empty where absent.
std::vector<std::string> entity_tags(const Request& request, std::string_view header);
/// What a change is conditional on. Of several tags, the one that `present` (the resource's tag now) equals,
/// else the first, which then fails.
IfMatch if_match(const Request& request, const std::function<std::string()>& present);
/// Quoted, for the ETag header.
std::string quoted_etag(std::string_view etag);

/// Idempotency-Key with the digest of method, path, query and body.
core::Result<Idempotency> idempotency(const Request& request);

struct Preference {
  std::chrono::milliseconds wait{};
  std::string applied;  ///< for Preference-Applied; empty where no preference was given
};
core::Result<Preference> preference(const Request& request);

}  // namespace mlpd::api
