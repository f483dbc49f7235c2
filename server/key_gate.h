#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"
#include "server/keys.h"

namespace mlpd::server {

/// Decides by the bearer key who may do what (a RequestGate). Without any key everybody may do everything.
/// Thread-safe.
class KeyGate {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  /// `handler` gives refusals their form and outlives the gate.
  explicit KeyGate(const api::Handler& handler, Clock now = std::chrono::steady_clock::now);
  ~KeyGate();

  /// From here on these keys hold; what was asked with the old ones counts no longer.
  void use(std::vector<Key> keys);
  bool has_keys() const;

  /// nullopt admits the request and sets its key_id. Otherwise 401 with WWW-Authenticate (no key, a wrong or
  /// revoked one, or one in the query), 403 (scope or network prefix) or 429 with Retry-After (rate). Public
  /// routes, and paths that are no route, need no key.
  std::optional<api::Response> operator()(const api::RouteInfo& route, api::Request& head) const;

 private:
  struct Ring;

  api::Response refuse(int status, const api::Request& head, const std::string& detail,
                       std::string_view challenge) const;

  const api::Handler& handler_;
  const Clock now_;
  mutable std::mutex mutex_;  ///< guards ring_
  std::shared_ptr<Ring> ring_;
};

}  // namespace mlpd::server
