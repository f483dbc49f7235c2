#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "api/version_service.h"

namespace mlpd::api {

/// One version, 1, of every fake network, and one alias, `stable`, that names it.
class FakeVersions final : public VersionService {
 public:
  explicit FakeVersions(NetworkService& networks) : networks_(networks) {}

  core::Result<VersionList> list(const std::string& network) override {
    const auto view = read(network, 1);
    if (!view) return view.error();
    return VersionList{{*view}, {{"stable", 1}}};
  }
  core::Result<VersionView> read(const std::string& network, std::uint64_t version) override {
    const auto view = networks_.read(network);
    if (!view) return view.error();
    if (version != 1) return missing();
    return VersionView{1, view->step, view->state_sha256, 100, Timestamp{}, {}, {"stable"}};
  }
  core::Result<VersionView> publish(const std::string& network, AtStep,
                                    const Idempotency& idempotency) override {
    last_key = idempotency.key;
    return read(network, 1);
  }
  core::Result<void> remove(const std::string& network, std::uint64_t version) override {
    const auto view = read(network, version);
    if (!view) return view.error();
    return core::Error{core::ErrorCode::conflict, "an alias names it", {}};
  }
  core::Result<std::pair<std::uint64_t, bool>> set_alias(const std::string& network, const std::string& alias,
                                                         std::uint64_t version) override {
    const auto view = read(network, version);
    if (!view) return view.error();
    return std::pair(version, alias != "stable");
  }
  core::Result<std::uint64_t> read_alias(const std::string& network, const std::string& alias) override {
    const auto view = networks_.read(network);
    if (!view) return view.error();
    if (alias != "stable") return missing();
    return std::uint64_t{1};
  }
  core::Result<void> remove_alias(const std::string& network, const std::string& alias) override {
    const auto version = read_alias(network, alias);
    if (!version) return version.error();
    return {};
  }
  core::Result<ResolvedVersion> resolve(const std::string& network,
                                        const std::optional<std::string>& wanted) override {
    if (wanted && *wanted != "1" && *wanted != "stable") return missing();
    auto snapshot = networks_.snapshot(network, std::nullopt);
    if (!snapshot) return snapshot.error();
    return ResolvedVersion{*snapshot, wanted ? std::optional<std::uint64_t>(1) : std::nullopt};
  }

  std::string last_key;

 private:
  static core::Error missing() { return {core::ErrorCode::not_found, "there is no such version", {}}; }

  NetworkService& networks_;
};

}  // namespace mlpd::api
