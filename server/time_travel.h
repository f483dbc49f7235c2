#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/time_travel_service.h"
#include "server/engine_parts.h"
#include "server/network_keeper.h"
#include "server/network_start.h"
#include "server/replays.h"

namespace mlpd::server {

/// Checkpoints, going back and branching off, by journal and replay.
class TimeTravel final : public api::TimeTravelService {
 public:
  TimeTravel(EngineParts& parts, NetworkKeeper& keeper, Replays& replays)
      : parts_(parts), keeper_(keeper), replays_(replays) {}

  core::Result<api::CheckpointList> checkpoints(const std::string& network) override;
  core::Result<api::CheckpointView> save(const std::string& network) override;
  core::Result<api::NetworkView> restore(const std::string& network, const api::IfMatch& if_match,
                                         std::uint64_t step) override;
  core::Result<api::NetworkView> fork(const std::string& parent, const api::ForkNetwork& request) override;
  core::Result<std::optional<api::JobView>> long_replay(const std::string& network,
                                                        std::uint64_t step) override;

 private:
  using EntryPointer = Registry::EntryPointer;
  /// What a fork takes from its parent.
  struct Origin {
    core::Checkpoint checkpoint;
    std::shared_ptr<const JobAccepted> data;  ///< null: never trained
  };

  core::Result<EntryPointer> find(const std::string& name);
  core::Result<Origin> origin(NetworkEntry& entry, api::AtStep step);
  core::Result<void> apply_changes(NetworkEntry& parent, const api::ForkNetwork& request,
                                   core::Checkpoint& checkpoint, api::Labels& labels);
  core::Result<api::NetworkView> store_fork(NetworkEntry& parent, NetworkStart start);
  /// The caller holds `changes` and, by `lock`, training_mutex.
  core::Result<void> go_back(const EntryPointer& entry, NetworkKeeper::Past past,
                             std::unique_lock<FairMutex>& lock);

  EngineParts& parts_;
  NetworkKeeper& keeper_;
  Replays& replays_;
};

}  // namespace mlpd::server
