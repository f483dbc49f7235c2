#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/service.h"
#include "core/digest.h"
#include "core/result.h"
#include "server/store/store.h"

/// What a network's journal says, record by record; docs/store-format.md lists the fields. A network's state
/// is its start plus these, replayed (timeline.h).
namespace mlpd::server {

/// Hyper-parameters apply from `step` on; labels and ttl don't touch the state.
struct SettingsChanged {
  std::uint64_t step = 0;
  std::optional<core::HyperParameters> hyper_parameters;
  std::optional<api::Labels> labels;
  std::optional<std::optional<std::uint64_t>> ttl_s;
  std::string state_sha256;  ///< after the change; empty inside a job
  api::Timestamp at{};
};

struct JobAccepted {
  std::string id;
  std::string request;  ///< api::write_train_request, steps resolved
  std::uint64_t steps = 0;
  std::string dataset;  ///< name of the stored data set that the rows come from; empty where there is none
  core::Digest data;
  std::string rows;  ///< api::write_dataset of small data; empty = kept by content in the store
  std::vector<std::string> class_labels;  ///< the network's from this job's start on, if it has none by then
  std::string idempotency_key;
  core::Digest request_digest;
  api::Timestamp at{};
};

/// The job's settings and data take effect at `step`.
struct JobStarted {
  std::string id;
  std::uint64_t step = 0;
  api::Timestamp at{};
  std::optional<core::HyperParameters> hyper_parameters;  ///< where the job changed them
};

enum class JobSteering { pause, resume, cancel };

struct JobSteered {
  std::string id;
  JobSteering steering = JobSteering::pause;
  api::Timestamp at{};
};

struct JobEnded {
  api::JobView job;
  bool cut_short = false;  ///< by the server (cancel, max_seconds, a failure), not by its plan
  std::optional<core::Record> last_record;
  std::string state_sha256;   ///< after the job; empty where it never started
  std::uint64_t step_ns = 0;  ///< computing of one step, measured
};

/// Checkpoints were thinned: time travel begins here.
struct TravelShortened {
  std::uint64_t from_step = 0;
};

/// The network went back to the moment (`step`, `sequence`): what the journal says after it, up to this
/// record, is no more.
struct Restored {
  std::uint64_t step = 0;
  std::uint64_t sequence = 0;
  core::HyperParameters hyper_parameters;  ///< in force at that moment
  std::optional<core::Record> last_record;
  std::string state_sha256;
  api::Timestamp at{};
};

/// What a journal record did to the numbers.
enum class EventKind { settings, job_started, job_ended, restored };

/// In the place of all records up to its own number: what still follows from them. What lies before `base`
/// can't be replayed any more.
struct Folded {
  /// A job whose record is kept.
  struct Job {
    JobAccepted accepted;  ///< without request and rows where no replay will need them
    api::JobView view;
    bool started = false;
    bool cancel_requested = false;
    bool listed = true;  ///< false: only replay knows it
    std::uint64_t step_ns = 0;
  };
  /// A TimelineEvent (timeline.h); the job by its id.
  struct Event {
    std::uint64_t sequence = 0;
    EventKind kind = EventKind::settings;
    std::uint64_t step = 0;
    std::optional<core::HyperParameters> hyper_parameters;
    std::string job;
    std::uint64_t steps_done = 0;
    bool cut_short = false;
    bool failed = false;
  };

  CheckpointKey base;  ///< all zero: the network's beginning
  std::uint64_t replayable_from = 0;
  std::uint64_t restored_sequence = 0;
  std::uint64_t step = 0;
  core::HyperParameters hyper_parameters;
  std::optional<core::Record> last_record;
  std::string state_sha256;
  std::vector<std::string> class_labels;  ///< the network's at `base`
  api::Labels labels;
  std::optional<std::uint64_t> ttl_s;
  api::Timestamp updated_at{};
  std::string data;       ///< the job whose data was used last; empty: none, or what the network began with
  std::vector<Job> jobs;  ///< in order
  std::vector<Event> events;
};

using JournalRecord = std::variant<SettingsChanged, JobAccepted, JobStarted, JobSteered, JobEnded,
                                   TravelShortened, Restored, Folded>;

std::string write_record(const JournalRecord& record);
core::Result<JournalRecord> read_record(std::string_view text);

/// What a network is from its first moment: network.json.
struct NetworkIdentity {
  std::string name;
  std::string incarnation;  ///< random; tells this network from a former one of the same name
  core::NetworkSpec spec;   ///< at creation
  api::Labels labels;
  std::optional<std::uint64_t> ttl_s;
  api::Timestamp created_at{};
  std::string idempotency_key;
  core::Digest request_digest;
  std::optional<std::pair<std::string, std::uint64_t>> forked_from;
  std::shared_ptr<const JobAccepted> data;  ///< a fork's: what its parent was trained on, as its job says
  /// Imported and forked networks, and those with preprocessing, start from a stored checkpoint.
  std::optional<std::uint64_t> start_step;
  bool preprocessed = false;  ///< the network has a Preprocess, in its checkpoints
  std::string state_sha256;
};

/// Format of the whole network folder; a newer one is refused by name.
inline constexpr std::uint64_t kStoreFormatVersion = 1;

std::string write_identity(const NetworkIdentity& identity);
core::Result<NetworkIdentity> read_identity(std::string_view text);

/// A checkpoint with the job it was taken in.
struct StoredState {
  core::Checkpoint checkpoint;
  std::string job;  ///< empty between jobs
  std::optional<core::TrainingProgress> progress;
};

std::string write_state(const StoredState& state);
core::Result<StoredState> read_state(std::string_view text);

/// history.json: the history up to the moment `key`; in an addition without its first `kept` records, which
/// are those of before.
std::string write_stored_history(CheckpointKey key, const core::History::State& history,
                                 std::size_t kept = 0);
/// From the text and its additions.
core::Result<std::pair<CheckpointKey, core::History::State>> read_stored_history(
    const std::vector<std::string>& texts);

/// Any text, as JSON, and read back; empty where it is damaged.
std::string write_idempotency_key(const std::string& key);
std::string read_idempotency_key(std::string_view text);

/// Digits read back, false where they are not a SHA-256.
bool parse_digest(std::string_view hex, core::Digest& digest);

}  // namespace mlpd::server
