#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "server/engine_parts.h"
#include "server/network_entry.h"
#include "server/timeline.h"

namespace mlpd::server {

/// Brings networks from the store into memory and back: loading on first use, past states, checkpoints within
/// their budget. Thread-safe.
class NetworkKeeper {
 public:
  explicit NetworkKeeper(EngineParts& parts) : parts_(parts) {}

  /// The learner and history are in memory afterwards. The caller holds training_mutex. A job that was cut
  /// off is where its newest checkpoint has it.
  core::Result<void> load(NetworkEntry& entry);
  /// The same for callers without the mutex; cheap once loaded.
  core::Result<void> ensure_loaded(NetworkEntry& entry);

  /// What turns raw rows into numbers is known afterwards; only the state holds it.
  core::Result<void> ensure_preprocess(NetworkEntry& entry);

  /// The state at a step boundary: the live one, or that of a past step.
  core::Result<core::Checkpoint> checkpoint(NetworkEntry& entry, api::AtStep step);
  core::Result<std::shared_ptr<const core::Snapshot>> snapshot(NetworkEntry& entry, api::AtStep step);

  /// The state of a step that is not the live one, and the moment that this means.
  struct Past {
    std::unique_ptr<core::Learner> learner;
    CheckpointKey moment;
  };
  core::Result<Past> past(NetworkEntry& entry, std::uint64_t step);
  /// What past() would do; nothing for the live step. Errors of moment_of_step().
  core::Result<ReplayLength> replay_length(NetworkEntry& entry, std::uint64_t step);
  /// Replays to a step and stores its state as a checkpoint, so that past() begins there. `go_on` as in
  /// ReplaySource. conflict where the network went back meanwhile.
  core::Result<void> store_past(const std::shared_ptr<NetworkEntry>& entry, std::uint64_t step,
                                const std::function<bool(std::uint64_t)>& go_on);

  /// Makes the beginning of the present job durable where it isn't yet; where the disk refuses, it goes with
  /// the next record. The caller holds training_mutex.
  void write_start(const std::shared_ptr<NetworkEntry>& entry);

  /// Makes the live state and history durable, then thins checkpoints to the budget. The caller holds `lock`
  /// on training_mutex; it is given up while the disk works. A failure is logged too: only a later replay
  /// gets longer.
  core::Result<CheckpointKey> store_state(const std::shared_ptr<NetworkEntry>& entry,
                                          std::unique_lock<FairMutex>& lock);

  /// Folds the journal where it has grown past its limit, and stores the state before where much of the
  /// journal is newer than the newest checkpoint. The caller holds `lock` on training_mutex; it is given up
  /// meanwhile. A failure is logged and tried again once the journal has grown further.
  void fold_when_due(const std::shared_ptr<NetworkEntry>& entry, std::unique_lock<FairMutex>& lock);
  /// Whether so much of the journal is newer than the newest checkpoint that its replay would take long.
  static bool journal_wants_checkpoint(const NetworkEntry& entry);

  /// Where replay gets its numbers for this network.
  ReplaySource source(const NetworkEntry& entry);

 private:
  CheckpointKey load_history(NetworkEntry& entry);
  static void cut_history(const NetworkEntry& entry, core::History& history, CheckpointKey& until);
  core::Result<void> fold_journal(const std::shared_ptr<NetworkEntry>& entry);
  core::Result<std::pair<TrainingState, CheckpointKey>> replay_past(
      NetworkEntry& entry, std::uint64_t step, const std::function<bool(std::uint64_t)>& go_on);
  /// The caller holds `storing`; `asked_for` stays, whatever it takes.
  void thin(const std::shared_ptr<NetworkEntry>& entry, std::optional<CheckpointKey> asked_for);
  void note_checkpoint(NetworkEntry& entry, CheckpointKey key, std::uint64_t bytes);
  /// What has to be written of a history: without the records that the store has for good.
  struct HistoryPart {
    core::History::State state;
    std::size_t kept = 0;     ///< records left out
    std::size_t settled = 0;  ///< records, with those, that later parts may leave out
  };
  static HistoryPart part_to_store(NetworkEntry& entry);
  core::Result<void> write_history(NetworkEntry& entry, CheckpointKey key, const HistoryPart& part);
  core::Result<void> write_state_of(NetworkEntry& entry, CheckpointKey key, const StoredState& state,
                                    const HistoryPart& history);

  EngineParts& parts_;
};

/// Drops the records from `step` on: record k describes the parameters before update k+1, so that a state at
/// `step` has those before it.
void truncate_before(core::History& history, std::uint64_t step);

}  // namespace mlpd::server
