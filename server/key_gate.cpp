#include "server/key_gate.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mlpd::server {
namespace {

using Time = std::chrono::steady_clock::time_point;

constexpr std::string_view kChallenge = "Bearer realm=\"mlpd\"";

/// Names under which clients of other servers send keys in the query, where every proxy logs them.
constexpr std::array<std::string_view, 5> kQueryNames = {"access_token", "api_key", "apikey", "key", "token"};

/// Routes that name no network in the path and show none.
constexpr std::array<std::string_view, 4> kWithoutNetworks = {"/v1/capabilities", "/v1/recipes", "/v2",
                                                              "/v2/"};

bool is_key_in_query(const std::pair<std::string, std::string>& field) {
  return looks_like_key(field.second) ||
         std::find(kQueryNames.begin(), kQueryNames.end(), field.first) != kQueryNames.end();
}

/// The key of "Bearer KEY"; nullopt where the header is missing or of another scheme.
std::optional<std::string_view> bearer(const api::Request& head) {
  constexpr std::string_view kScheme = "bearer ";
  const auto header = head.header("Authorization");
  if (!header || header->size() < kScheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < kScheme.size(); ++i)
    if (((*header)[i] | 0x20) != kScheme[i]) return std::nullopt;
  auto key = header->substr(kScheme.size());
  key.remove_prefix(std::min(key.find_first_not_of(' '), key.size()));
  return key;
}

/// A body that names another network (fork) can't be held to a prefix before it is read.
bool is_within(std::string_view prefix, const api::RouteInfo& route) {
  if (prefix.empty()) return true;
  if (route.network.empty())
    return std::find(kWithoutNetworks.begin(), kWithoutNetworks.end(), route.pattern) !=
           kWithoutNetworks.end();
  return route.network.starts_with(prefix) && !route.pattern.ends_with("/fork");
}

/// A bucket of as many requests as a second allows (one at least), refilled as time goes by.
struct Bucket {
  std::mutex mutex;
  double tokens = 0;
  Time filled_at{};
};

}  // namespace

struct KeyGate::Ring {
  Ring(std::vector<Key> given, Time now) : keys(std::move(given)), buckets(keys.size()) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      buckets[i].tokens = std::max(1.0, keys[i].requests_per_second);
      buckets[i].filled_at = now;
    }
  }

  /// Seconds until the key may ask again; 0 takes a request from its bucket.
  double seconds_to_wait(const Key& key, Time now) {
    if (key.requests_per_second <= 0) return 0;
    Bucket& bucket = buckets[static_cast<std::size_t>(&key - keys.data())];
    const std::lock_guard lock(bucket.mutex);
    const double passed = std::chrono::duration<double>(now - bucket.filled_at).count();
    const double room = std::max(1.0, key.requests_per_second);
    bucket.tokens = std::min(room, bucket.tokens + std::max(0.0, passed) * key.requests_per_second);
    bucket.filled_at = now;
    if (bucket.tokens < 1) return (1 - bucket.tokens) / key.requests_per_second;
    bucket.tokens -= 1;
    return 0;
  }

  const std::vector<Key> keys;
  std::vector<Bucket> buckets;
};

KeyGate::KeyGate(const api::Handler& handler, Clock now)
    : handler_(handler), now_(std::move(now)), ring_(std::make_shared<Ring>(std::vector<Key>{}, now_())) {}

KeyGate::~KeyGate() = default;

void KeyGate::use(std::vector<Key> keys) {
  auto ring = std::make_shared<Ring>(std::move(keys), now_());
  const std::lock_guard lock(mutex_);
  ring_ = std::move(ring);
}

bool KeyGate::has_keys() const {
  const std::lock_guard lock(mutex_);
  return !ring_->keys.empty();
}

api::Response KeyGate::refuse(int status, const api::Request& head, const std::string& detail,
                              std::string_view challenge) const {
  api::Response response = handler_.refuse(status, head.path, detail, head.request_id);
  if (!challenge.empty()) response.set_header("WWW-Authenticate", std::string(challenge));
  return response;
}

std::optional<api::Response> KeyGate::operator()(const api::RouteInfo& route, api::Request& head) const {
  if (!route.found || route.scope == api::Scope::none) return std::nullopt;
  std::shared_ptr<Ring> ring;
  {
    const std::lock_guard lock(mutex_);
    ring = ring_;
  }
  if (ring->keys.empty()) return std::nullopt;
  if (std::any_of(head.query.begin(), head.query.end(), is_key_in_query))
    return refuse(401, head,
                  "A key belongs into the header Authorization: Bearer KEY, never into the address, which is "
                  "logged on its way; revoke a key that was sent so.",
                  std::string(kChallenge) + ", error=\"invalid_request\"");
  const auto presented = bearer(head);
  if (!presented)
    return refuse(401, head, "This needs a key: send the header Authorization: Bearer KEY.", kChallenge);
  const Key* key = find_key(ring->keys, *presented);
  if (key == nullptr)
    return refuse(401, head, "This key is not known here, or it was revoked.",
                  std::string(kChallenge) + ", error=\"invalid_token\"");
  head.key_id = key->id;
  if (const double seconds = ring->seconds_to_wait(*key, now_()); seconds > 0) {
    auto response = refuse(429, head, "The key " + key->id + " has used up its requests per second.", "");
    response.set_header("Retry-After", std::to_string(static_cast<long>(std::ceil(seconds))));
    return response;
  }
  const std::string needed(name_of(route.scope));
  if (key->scope < route.scope)
    return refuse(403, head,
                  "This needs the scope " + needed + "; the key " + key->id + " has " +
                      std::string(name_of(key->scope)) + ".",
                  std::string(kChallenge) + ", error=\"insufficient_scope\", scope=\"" + needed + "\"");
  if (!is_within(key->network_prefix, route))
    return refuse(403, head,
                  "The key " + key->id + " is for networks whose names begin with " + key->network_prefix +
                      ", named in the path.",
                  "");
  return std::nullopt;
}

}  // namespace mlpd::server
