#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/service.h"
#include "core/history.h"
#include "core/snapshot.h"
#include "server/fair_mutex.h"
#include "server/inference_service.h"
#include "server/jobs/job.h"
#include "server/past_limits.h"
#include "server/prediction_scores.h"
#include "server/store/store.h"
#include "server/timeline.h"

namespace mlpd::server {

/// What a record takes in the journal besides its text: number, checksum, line break.
inline constexpr std::uint64_t kSealBytes = 110;

/// One network in memory. Locks, in the order in which they may be taken: `changes`, `training_mutex`, then
/// one of `mutex`, `history_mutex`, `snapshot_mutex` (short; nothing is computed, waited for or called under
/// them).
class NetworkEntry {
 public:
  using Clock = std::chrono::steady_clock;

  NetworkEntry(NetworkIdentity of, std::uint64_t entry_ordinal, std::size_t history_capacity,
               const PastLimits& past_limits, JobCounts& job_counts);

  const std::string& name() const { return identity->name; }

  const std::shared_ptr<const NetworkIdentity> identity;
  std::uint64_t ordinal;  ///< order of creation; set before the entry is shared
  const PastLimits& limits;
  JobCounts& counts;

  /// One change at a time: patch, remove, replace. Held while waiting for the disk.
  std::mutex changes;

  /// Held while checkpoints and history are written, and while the network's files are removed. Taken with
  /// none of the others but `changes` held.
  std::mutex storing;

  /// What the trainer works on; a worker holds the mutex for one slice at a time.
  struct Training {
    TrainingState state;                 ///< learner is null until first use
    std::uint64_t applied_sequence = 0;  ///< newest journal record that is in `state`
    std::optional<JobStarted> unwritten_start;
    double seconds_since_stored = 0;     ///< computing that a replay would repeat
    double store_seconds = 0;            ///< what the last checkpoint took to write
    double job_seconds = 0;              ///< what the present job has run since it began or was resumed,
                                         ///< waiting for its pace included, pauses not
    std::uint64_t job_steps_before = 0;  ///< steps that it had done before those seconds
    Clock::time_point clock{};           ///< up to when job_seconds counts
    std::uint64_t slice_steps = 1;
    Clock::time_point running_since{};           ///< since when the present job runs without a pause
    std::optional<std::uint64_t> running_steps;  ///< steps that it had done then; known once it is loaded
    Clock::time_point published{};
    Clock::duration publish_cost{};
  };
  FairMutex training_mutex;
  Training training;
  std::atomic<bool> loaded{false};

  mutable std::mutex mutex;
  std::condition_variable changed;  ///< a job ended, an accept finished, or the engine stops
  struct Facts {
    core::NetworkSpec spec;  ///< with the hyper-parameters in force
    std::uint64_t step = 0;
    std::optional<core::Record> last_record;
    std::string state_sha256;
    api::Labels labels;
    std::optional<std::uint64_t> ttl_s;
    api::Timestamp updated_at{};
    std::uint64_t sequence = 0;                  ///< of the last journal record
    std::uint64_t replayable_from = 0;           ///< may be past `step` where the journal was folded
    CheckpointKey base;                          ///< where the journal was folded; all zero: nowhere
    std::vector<std::string> base_class_labels;  ///< the network's at `base`
    std::uint64_t restored_sequence = 0;      ///< of the last record by which the network went back; 0: none
    std::shared_ptr<const JobAccepted> data;  ///< what it was trained on last; null: nothing yet
    std::vector<std::string> datasets;        ///< stored data sets that jobs named
    std::vector<TimelineEvent> events;
    std::vector<StoredCheckpoint> checkpoints;
    std::deque<std::shared_ptr<Job>> queue;   ///< jobs not ended, in order; the first one may run
    std::deque<std::shared_ptr<Job>> jobs;    ///< on record, in order: not ended, and the newest that ended
    std::deque<std::shared_ptr<Job>> former;  ///< ended ones that the journal alone still knows, in order
    std::vector<std::shared_ptr<Job>> forgotten;  ///< just gone from `jobs`: for the registry
    std::unordered_map<std::string, std::shared_ptr<Job>> by_key;  ///< those of `jobs`
    std::uint64_t journal_bytes = 0;                               ///< what the journal takes, roughly
    std::uint64_t unstored_bytes = 0;  ///< what came into it since the last checkpoint
    std::uint64_t fold_bytes = 0;      ///< past these the journal is folded
    std::size_t accepting = 0;         ///< train calls that wait for the disk
    std::unordered_map<std::string, core::Digest> accepting_keys;
    bool removing = false;  ///< being removed or replaced: no new job
    bool removed = false;
  };
  Facts facts;  ///< guarded by `mutex`

  mutable std::mutex history_mutex;
  core::History history;  ///< guarded by history_mutex; complete once loaded
  /// What the store has of the history, since it was written as a whole; guarded by history_mutex.
  struct StoredHistory {
    CheckpointKey until;
    std::uint64_t stride = 1;
    std::size_t settled = 0;        ///< its records, from the first on, that an addition need not repeat
    std::uint64_t bytes = 0;        ///< with the additions
    std::uint64_t whole_bytes = 0;  ///< without
  };
  std::optional<StoredHistory> stored_history;  ///< none: it is to be written as a whole

  mutable std::mutex snapshot_mutex;
  std::shared_ptr<const core::Snapshot> snapshot;  ///< guarded by snapshot_mutex; null until loaded

  InferenceCounters inference;
  PredictionScores scores;
  std::atomic<std::int64_t> used_at_ms{0};             ///< for ttl_s
  std::shared_ptr<const core::Preprocess> preprocess;  ///< set before the entry is shared, or at loading

  enum class Turn { none, waiting, running, running_again };
  Turn turn = Turn::none;  ///< guarded by the scheduler's mutex

  std::shared_ptr<const core::Snapshot> live_snapshot() const;
  void publish(std::shared_ptr<const core::Snapshot> fresh);
  Timeline timeline() const;

  /// Puts a durable record into the facts; the caller holds `mutex`, records come in order. Returns the job
  /// that it concerns. corrupted where it makes no sense.
  core::Result<std::shared_ptr<Job>> apply(std::uint64_t sequence, const JournalRecord& record,
                                           std::uint64_t job_ordinal);
  /// Counts bytes that came into the journal; the caller holds `mutex`. True where it has to be folded.
  bool count_journal_bytes(std::uint64_t bytes);
  /// These hold for a caller who holds `mutex`.
  void note_dataset(const JobAccepted& accepted);
  void set_state(Job& job, api::JobState state);
  api::NetworkView view() const;
  std::string etag() const;
  std::uint64_t replayable_from() const { return std::min(facts.replayable_from, facts.step); }
  /// The network's labels at a moment that the events know.
  std::vector<std::string> class_labels_at(std::uint64_t sequence) const;
  /// The network's labels, or those that a waiting job brings.
  const std::vector<std::string>& class_labels() const;
};

}  // namespace mlpd::server
