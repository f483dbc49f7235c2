#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "api/version_service.h"
#include "server/engine_parts.h"
#include "server/network_keeper.h"
#include "server/store/file_system.h"

namespace mlpd::server {

/// Versions and aliases, in a folder beside the networks:
///
///     versions/NAME/index.ndjson     next number, versions, aliases; sealed lines, replaced as a whole
///     versions/NAME/NUMBER.json      a sealed state; one that the index doesn't name is no version
class Versions final : public api::VersionService {
 public:
  Versions(EngineParts& parts, NetworkKeeper& keeper, std::filesystem::path folder,
           std::shared_ptr<FileSystem> files)
      : parts_(parts), keeper_(keeper), folder_(std::move(folder)), files_(std::move(files)) {}

  /// Called once, after the networks are registered.
  core::Result<void> recover();
  /// Runs `act` while the network's versions and aliases stay as they are.
  void while_unchanged(const std::string& network, const std::function<void()>& act);
  /// The network was removed; its name is still reserved.
  void forget(const std::string& network);

  core::Result<api::VersionList> list(const std::string& network) override;
  core::Result<api::VersionView> read(const std::string& network, std::uint64_t version) override;
  core::Result<api::VersionView> publish(const std::string& network, api::AtStep step) override;
  /// Publishes the state that a job ended in, and lets the alias name it, in one step. Doing it again for the
  /// same job answers the same version. The caller keeps the network from being removed.
  core::Result<api::VersionView> publish_from(const std::string& network, core::Checkpoint checkpoint,
                                              const std::string& job, const std::string& alias);
  /// The version that this job published; nullopt = none.
  std::optional<api::VersionView> published_by(const std::string& network, const std::string& job);
  /// A learner in the state of a version.
  core::Result<std::unique_ptr<core::Learner>> learner(const std::string& network, std::uint64_t version);
  core::Result<void> remove(const std::string& network, std::uint64_t version) override;
  core::Result<std::pair<std::uint64_t, bool>> set_alias(const std::string& network, const std::string& alias,
                                                         std::uint64_t version) override;
  core::Result<std::uint64_t> read_alias(const std::string& network, const std::string& alias) override;
  core::Result<void> remove_alias(const std::string& network, const std::string& alias) override;
  core::Result<api::ResolvedVersion> resolve(const std::string& network,
                                             const std::optional<std::string>& wanted) override;

 private:
  using SnapshotPointer = std::shared_ptr<const core::Snapshot>;
  struct Index {
    std::uint64_t next = 1;
    std::map<std::uint64_t, api::VersionView> versions;
    std::map<std::string, std::uint64_t> aliases;
  };
  /// One network's. `changing` is held while the disk works; `mutex` is short, and taken after it.
  struct Set {
    std::mutex changing;
    std::mutex mutex;
    Index index;                                     ///< changed with both held
    std::map<std::uint64_t, SnapshotPointer> ready;  ///< those with an alias, and the last one used
  };
  using SetPointer = std::shared_ptr<Set>;

  /// The network's set, not_found where there is no such network; empty before its first version.
  core::Result<SetPointer> find(const std::string& network);
  std::filesystem::path folder_of(const std::string& network) const { return folder_ / "versions" / network; }
  core::Result<void> write_index(const std::string& network, const Index& index);
  core::Result<Index> read_index(const std::string& network);
  core::Result<api::VersionView> add(const std::string& network, core::Checkpoint checkpoint,
                                     const std::string& job, const std::string& alias);
  core::Result<SnapshotPointer> load(const std::string& network, Set& set, std::uint64_t version);
  /// Writes the index, then makes it the present one. The caller holds `changing`.
  core::Result<void> commit_index(const std::string& network, Set& set, Index index);
  void recover_network(const std::string& network);

  EngineParts& parts_;
  NetworkKeeper& keeper_;
  const std::filesystem::path folder_;
  const std::shared_ptr<FileSystem> files_;
  std::shared_mutex mutex_;
  std::unordered_map<std::string, SetPointer> sets_;  ///< guarded by mutex_
};

}  // namespace mlpd::server
