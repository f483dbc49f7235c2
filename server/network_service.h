#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "server/engine_parts.h"
#include "server/network_keeper.h"

namespace mlpd::server {

/// Networks over the store. Predictions' way in, snapshot(), takes two short locks and nothing else.
class NetworkServiceImplementation final : public api::NetworkService {
 public:
  NetworkServiceImplementation(EngineParts& parts, NetworkKeeper& keeper) : parts_(parts), keeper_(keeper) {}

  core::Result<api::NetworkView> create(const api::CreateNetwork& request) override;
  api::Page<api::NetworkView> list(const api::PageQuery& query) override;
  core::Result<api::NetworkView> read(const std::string& name) override;
  core::Result<std::uint64_t> disk_bytes(const std::string& name) override;
  core::Result<api::NetworkView> patch(const std::string& name, const api::IfMatch& if_match,
                                       const Merge& merge) override;
  core::Result<void> remove(const std::string& name, const api::IfMatch& if_match, bool force) override;
  core::Result<std::shared_ptr<const core::Snapshot>> snapshot(const std::string& name,
                                                               api::AtStep step) override;
  core::Result<core::Checkpoint> checkpoint(const std::string& name, api::AtStep step) override;
  core::Result<std::unique_ptr<core::Learner>> learner(const std::string& name, api::AtStep step) override;
  core::Result<std::shared_ptr<const core::Dataset>> data(
      const std::string& name, const std::optional<api::DataSource>& source) override;
  core::Result<core::HistoryColumns> history(const std::string& name,
                                             const core::HistoryQuery& query) override;
  core::Result<api::ModelExport> export_model(const std::string& name, api::AtStep step,
                                              bool with_history) override;
  core::Result<std::pair<api::NetworkView, bool>> import_model(const std::string& name,
                                                               const api::IfMatch& if_match,
                                                               api::ModelExport model,
                                                               bool only_new) override;

  /// Removes networks whose ttl has passed without use.
  void remove_expired();

 private:
  using EntryPointer = Registry::EntryPointer;

  core::Result<EntryPointer> find(const std::string& name);
  core::Result<api::NetworkView> create_reserved(const api::CreateNetwork& request, const std::string& name);
  core::Result<api::NetworkView> patch_trained(const EntryPointer& entry, const api::PatchNetwork& patch);
  /// Takes the entry out of use: no job is left and none comes. The caller holds `changes`.
  core::Result<void> retire(const EntryPointer& entry, const api::IfMatch& if_match, bool force);
  /// The reverse of retire(), where the disk refused.
  void keep_after_all(const EntryPointer& entry);
  void forget(const EntryPointer& entry);
  core::Result<void> remove_retired(const EntryPointer& entry);

  EngineParts& parts_;
  NetworkKeeper& keeper_;
};

/// The rows that a source means for this network, with its shape.
core::Result<std::shared_ptr<const core::Dataset>> resolve_data(EngineParts& parts, NetworkKeeper& keeper,
                                                                NetworkEntry& entry,
                                                                const std::optional<api::DataSource>& source);

/// failed_precondition where the network's ETag is another one. The caller holds `mutex`.
core::Result<void> check_match(const NetworkEntry& entry, const api::IfMatch& if_match);

/// The answer where no network has this name.
core::Error no_network(const std::string& name);

}  // namespace mlpd::server
