#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/service.h"
#include "core/result.h"

namespace mlpd::api {

/// A stored state of a network: replay begins at the nearest one before the step that is asked for.
struct CheckpointView {
  std::uint64_t step = 0;
  std::uint64_t bytes = 0;
  Timestamp created_at{};
};

/// GET …/checkpoints, newest first, with what time travel takes of its budget.
struct CheckpointList {
  std::vector<CheckpointView> checkpoints;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_max = 0;
  std::uint64_t disk_bytes = 0;       ///< the network's files: these, journal and history
  std::uint64_t step = 0;             ///< the live one
  std::uint64_t replayable_from = 0;  ///< first step that can be gone back to
};

/// A branch of a network at a step. Data, history and preprocessing go along; the journal does not.
struct ForkNetwork {
  std::string name;  ///< empty = generated
  AtStep step;       ///< none = the live one
  /// Merged by the caller onto the parent as it was at that step; hyper-parameters apply from the next step.
  NetworkService::Merge changes;
  Idempotency idempotency;
};

/// Going back to any step of a network's life, by its journal. Thread-safe; what changes state returns only
/// when the change is durable. Checkpoints are spaced so that a replay takes about a second at most; for a
/// longer one ask long_replay() first.
class TimeTravelService {
 public:
  virtual ~TimeTravelService() = default;

  virtual core::Result<CheckpointList> checkpoints(const std::string& network) = 0;
  /// Stores the live state now, also in the middle of a job.
  virtual core::Result<CheckpointView> save(const std::string& network) = 0;
  /// Makes the state of `step` the live one; later steps are no more (fork first to keep them). conflict
  /// while a job has not ended, not_found past the live step, failed_precondition before replayable_from.
  virtual core::Result<NetworkView> restore(const std::string& network, const IfMatch& if_match,
                                            std::uint64_t step) = 0;
  /// A new network that starts from the state of a step.
  virtual core::Result<NetworkView> fork(const std::string& parent, const ForkNetwork& request) = 0;

  /// Where going to `step` would take longer than a request should wait: the job that stores the state of
  /// that step, after which it is there at once; the same job for everybody who asks. nullopt where no job is
  /// needed; errors as restore(), resource_exhausted where too many wait. JobService has it from then on; its
  /// record goes when the server stops.
  virtual core::Result<std::optional<JobView>> long_replay(const std::string& network,
                                                           std::uint64_t step) = 0;
};

}  // namespace mlpd::api
