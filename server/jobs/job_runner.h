#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "server/engine_parts.h"
#include "server/jobs/scheduler.h"
#include "server/network_keeper.h"
#include "server/versions.h"

namespace mlpd::server {

/// Trains: takes a network's turn on a trainer thread, in slices between which everyone else gets at the
/// network.
class JobRunner {
 public:
  /// `others_wait` says that this thread is wanted elsewhere.
  JobRunner(EngineParts& parts, NetworkKeeper& keeper, Versions& versions, std::function<bool()> others_wait)
      : parts_(parts), keeper_(keeper), versions_(versions), others_wait_(std::move(others_wait)) {}

  Scheduler::Next take_turn(const std::shared_ptr<NetworkEntry>& entry);

 private:
  using Lock = std::unique_lock<FairMutex>;
  using Clock = NetworkEntry::Clock;
  /// How a job comes to its end.
  struct End {
    core::StopReason reason = core::StopReason::completed;
    bool cut_short = false;
    std::optional<core::Error> error;
    bool broken = false;  ///< the state in memory can't be trusted
  };
  struct SliceLimit {
    std::uint64_t steps = 0;  ///< 0: not before `resume_at`
    Clock::time_point resume_at{};
  };

  std::shared_ptr<Job> next_job(NetworkEntry& entry);
  bool claim(NetworkEntry& entry, const std::shared_ptr<Job>& job);
  std::optional<End> begin(const std::shared_ptr<NetworkEntry>& entry, const std::shared_ptr<Job>& job);
  std::optional<End> slice(NetworkEntry& entry, Job& job, std::uint64_t steps);
  SliceLimit limit_slice(NetworkEntry& entry);
  void publish(NetworkEntry& entry, bool now);
  void store_when_due(const std::shared_ptr<NetworkEntry>& entry, Lock& lock, bool now);
  bool end(const std::shared_ptr<NetworkEntry>& entry, const std::shared_ptr<Job>& job, const End& how);
  api::JobView final_view(NetworkEntry& entry, const Job& job, const End& how);

  EngineParts& parts_;
  NetworkKeeper& keeper_;
  Versions& versions_;
  std::function<bool()> others_wait_;
};

}  // namespace mlpd::server
