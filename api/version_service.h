#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/service.h"
#include "core/result.h"
#include "core/snapshot.h"

namespace mlpd::api {

/// Most versions of one network, and most aliases.
inline constexpr std::size_t kVersionsMax = 1'000;
inline constexpr std::size_t kAliasesMax = 100;

/// A published, immutable state of a network.
struct VersionView {
  std::uint64_t version = 0;  ///< from 1; a number is never used again
  std::uint64_t step = 0;
  std::string state_sha256;
  std::uint64_t bytes = 0;
  Timestamp created_at{};
  std::string job;                   ///< that published it by publish_if; empty = none
  std::vector<std::string> aliases;  ///< that name it now
};

struct VersionList {
  std::vector<VersionView> versions;  ///< newest first
  std::map<std::string, std::uint64_t> aliases;
};

/// What answers a prediction: no version where it is the live network.
struct ResolvedVersion {
  std::shared_ptr<const core::Snapshot> snapshot;
  std::optional<std::uint64_t> version;
};

/// Versions and the aliases that move between them. Thread-safe; what changes something returns only when the
/// change is durable. A network's versions go with it when it is deleted, and stay when it is replaced.
class VersionService {
 public:
  virtual ~VersionService() = default;

  virtual core::Result<VersionList> list(const std::string& network) = 0;
  virtual core::Result<VersionView> read(const std::string& network, std::uint64_t version) = 0;
  /// The live state, or that of a past step. A key is known as long as its version is there.
  virtual core::Result<VersionView> publish(const std::string& network, AtStep step,
                                            const Idempotency& idempotency) = 0;
  /// conflict while an alias names it.
  virtual core::Result<void> remove(const std::string& network, std::uint64_t version) = 0;
  /// Moves the alias in one instant; true in `second` where it is new.
  virtual core::Result<std::pair<std::uint64_t, bool>> set_alias(const std::string& network,
                                                                 const std::string& alias,
                                                                 std::uint64_t version) = 0;
  virtual core::Result<std::uint64_t> read_alias(const std::string& network, const std::string& alias) = 0;
  virtual core::Result<void> remove_alias(const std::string& network, const std::string& alias) = 0;

  /// `wanted`: a version's number or an alias; none = what the alias `default` names, else the live network.
  virtual core::Result<ResolvedVersion> resolve(const std::string& network,
                                                const std::optional<std::string>& wanted) = 0;
};

}  // namespace mlpd::api
