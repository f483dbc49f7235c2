#pragma once

#include <atomic>
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
#include "server/prediction_scores.h"
#include "server/store/file_system.h"
#include "server/version_index.h"

namespace mlpd::server {

/// Versions and aliases, in a folder beside the networks:
///
///     versions/NAME/index.ndjson     next number, number of lines, versions, aliases, shadow; sealed lines,
///                                    replaced as a whole
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
  core::Result<api::VersionView> publish(const std::string& network, api::AtStep step,
                                         const api::Idempotency& idempotency) override;
  /// Publishes the state that a job ended in, and lets the alias name it, in one step. The caller knows that
  /// the job published nothing before, and keeps the network from being removed.
  core::Result<api::VersionView> publish_from(const std::string& network, core::Checkpoint checkpoint,
                                              const std::string& job, const std::string& alias);
  /// The version that this job published; nullopt = none.
  std::optional<api::VersionView> published_by(const std::string& network, const std::string& job);
  /// A learner in the state of a version. A damaged one is set aside and `corrupted`.
  core::Result<std::unique_ptr<core::Learner>> learner(const std::string& network, std::uint64_t version);
  core::Result<void> remove(const std::string& network, std::uint64_t version) override;
  core::Result<std::pair<std::uint64_t, bool>> set_alias(const std::string& network, const std::string& alias,
                                                         std::uint64_t version) override;
  /// Durable when it returns; true in `second` where there was none. not_found where there is no such
  /// version.
  core::Result<std::pair<Shadow, bool>> set_shadow(const std::string& network, api::VersionNumber version);
  /// Nearly free as long as this process has seen no shadow at all.
  std::optional<Shadow> shadow(const std::string& network);
  core::Result<void> remove_shadow(const std::string& network);
  core::Result<std::uint64_t> read_alias(const std::string& network, const std::string& alias) override;
  core::Result<void> remove_alias(const std::string& network, const std::string& alias) override;
  core::Result<api::ResolvedVersion> resolve(const std::string& network,
                                             const std::optional<std::string>& wanted) override;

 private:
  using SnapshotPointer = std::shared_ptr<const core::Snapshot>;
  /// What a version was published for; all may be empty.
  struct Reason {
    std::string job;
    std::string alias;
    api::Idempotency idempotency{};
  };
  using Index = VersionIndex;
  /// One network's. `changing` is held while the disk works; `mutex` is short, and taken after it.
  struct Set {
    std::mutex changing;
    std::mutex mutex;
    Index index;                                     ///< changed with both held
    std::map<std::uint64_t, SnapshotPointer> ready;  ///< those that are held, and the last one used
  };
  using SetPointer = std::shared_ptr<Set>;

  /// The network's set, not_found where there is no such network; empty before its first version.
  core::Result<SetPointer> find(const std::string& network);
  std::filesystem::path folder_of(const std::string& network) const { return folder_ / "versions" / network; }
  core::Result<api::VersionView> add(const std::string& network, core::Checkpoint checkpoint,
                                     const Reason& reason);
  /// The version that this key made, nullopt where it is new; conflict where it made another.
  static core::Result<std::optional<api::VersionView>> find_published(const Index& index,
                                                                      const api::Idempotency& wanted);
  /// The network's set, made where it has none; the caller keeps the network from being removed.
  SetPointer make_set(const std::string& network);
  core::Result<SnapshotPointer> load(const std::string& network, Set& set, std::uint64_t version);
  /// Writes the index, then makes it the present one. The caller holds `changing`.
  core::Result<void> commit_index(const std::string& network, Set& set, Index index);
  core::Result<void> recover_network(const std::string& network);
  core::Result<void> make_folder(const std::string& network);

  EngineParts& parts_;
  NetworkKeeper& keeper_;
  const std::filesystem::path folder_;
  const std::shared_ptr<FileSystem> files_;
  std::atomic<bool> has_shadows_{false};
  std::shared_mutex mutex_;
  std::unordered_map<std::string, SetPointer> sets_;  ///< guarded by mutex_
};

}  // namespace mlpd::server
