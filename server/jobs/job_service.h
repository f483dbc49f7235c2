#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "server/engine_parts.h"
#include "server/jobs/job.h"
#include "server/network_keeper.h"
#include "server/replays.h"

namespace mlpd::server {

/// Train jobs: accepting, following, steering. Replays are followed and cancelled alike. Nothing here waits
/// for a trainer's slice.
class JobServiceImplementation final : public api::JobService {
 public:
  JobServiceImplementation(EngineParts& parts, NetworkKeeper& keeper, Replays& replays)
      : parts_(parts), keeper_(keeper), replays_(replays) {}

  core::Result<api::JobView> train(const std::string& network, const api::TrainRequest& request) override;
  core::Result<api::JobView> wait(const std::string& id, std::chrono::milliseconds timeout) override;
  api::Page<api::JobView> list(const api::PageQuery& query, const std::string& network) override;
  core::Result<api::JobView> read(const std::string& id) override;
  core::Result<api::JobView> cancel(const std::string& id) override;
  core::Result<api::JobView> pause(const std::string& id) override;
  core::Result<api::JobView> resume(const std::string& id) override;

 private:
  using Found = Registry::FoundJob;

  core::Result<Found> find(const std::string& id);
  /// What the request comes to for this network: steps counted, data resolved, everything checked.
  core::Result<api::TrainRequest> plan(NetworkEntry& entry, const api::TrainRequest& request,
                                       std::shared_ptr<const core::Dataset>& rows);
  /// The job that this key made already; nullopt where the key is new.
  core::Result<std::optional<api::JobView>> replayed(NetworkEntry& entry, const api::Idempotency& key);
  core::Result<api::JobView> accept(const std::shared_ptr<NetworkEntry>& entry, JobAccepted accepted);
  core::Result<api::JobView> steer(const std::string& id, JobSteering steering);
  core::Result<api::JobView> steer_replay(const std::string& id, JobSteering steering);

  EngineParts& parts_;
  NetworkKeeper& keeper_;
  Replays& replays_;
  std::atomic<std::size_t> requests_waiting_{0};
};

}  // namespace mlpd::server
