#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/version_service.h"
#include "core/result.h"
#include "server/prediction_scores.h"

namespace mlpd::server {

/// What a network has published: versions/NAME/index.ndjson (docs/store-format.md).
struct VersionIndex {
  std::uint64_t next = 1;
  std::map<std::uint64_t, api::VersionView> versions;
  std::map<std::string, std::uint64_t> aliases;
  std::map<std::uint64_t, api::Idempotency> keys;  ///< of the versions that were published with one
  std::optional<Shadow> shadow;
  bool holds(std::uint64_t version) const;  ///< an alias or the shadow does
};

/// Sealed lines, each with its line break.
std::string write_version_index(const VersionIndex& index);
/// corrupted where a line is damaged or lost.
core::Result<VersionIndex> read_version_index(std::string_view text);

}  // namespace mlpd::server
