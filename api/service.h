#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/dataset_service.h"
#include "core/checkpoint.h"
#include "core/generator.h"
#include "core/history.h"
#include "core/learner.h"
#include "core/metrics.h"
#include "core/network_spec.h"
#include "core/result.h"
#include "core/snapshot.h"
#include "core/trace.h"
#include "core/trainer.h"

/// What the HTTP contract asks of the process, in native types only. server/ implements it; tests of api/ use
/// a fake. All methods may be called from any thread; whatever changes state returns only when the change is
/// durable.
namespace mlpd::api {

class MetricsService;

/// Seconds since the Unix epoch, UTC; shown as RFC 3339 with milliseconds.
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;
using Labels = std::map<std::string, std::string>;

/// A page of a list, newest first.
template <class T>
struct Page {
  std::vector<T> items;
  std::string next_cursor;  ///< empty on the last page
};
struct PageQuery {
  std::size_t limit = 100;  ///< 1 … 1,000
  std::string cursor;       ///< from the page before; empty = the newest
};

/// If-Match of a change: nullopt = none given, "*" = any existing one.
using IfMatch = std::optional<std::string>;

/// Idempotency-Key of a POST that creates or trains: the same key with the same request answers the same
/// thing again (also after a restart); with another request it is a conflict. `request_digest` identifies the
/// body.
struct Idempotency {
  std::string key;  ///< empty = none given
  core::Digest request_digest;
};

enum class JobState { queued, running, paused, succeeded, failed, cancelled };

/// What became of a job's publish_if.
struct Publication {
  std::string alias;
  std::string metric;
  std::optional<double> value;           ///< of the job's final parameters
  std::optional<double> incumbent;       ///< of the version that the alias named; none = it named nothing
  std::optional<std::uint64_t> version;  ///< that was published, and that the alias names now
  std::string reason;                    ///< why none was published; empty where one was
};

/// A train job as GET /v1/jobs/{id} shows it; a durable record that outlives restarts.
struct JobView {
  std::string id;
  std::string network;
  bool replay = false;  ///< it stores the state of a past step (TimeTravelService), and trains nothing
  JobState state = JobState::queued;
  std::uint64_t steps_done = 0;
  std::uint64_t steps_total = 0;
  std::uint64_t step = 0;  ///< global step reached
  std::optional<core::Evaluation>
      evaluation;              ///< of the final parameters on the whole training set, once ended
  std::optional<double> loss;  ///< evaluation's, or the last record's while running
  std::optional<core::StopReason> stop_reason;
  std::optional<std::uint64_t> best_step;  ///< where keep = best adopted an earlier step
  std::optional<core::Error> error;        ///< of a failed job, in full
  std::optional<Publication> publication;  ///< of a job with publish_if that has succeeded
  double steps_per_second = 0;
  Timestamp created_at{};
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> finished_at;
};

/// A network as GET /v1/networks/{n} shows it.
struct NetworkView {
  std::string name;
  core::NetworkSpec spec;
  std::shared_ptr<const core::Preprocess> preprocess;
  std::uint64_t step = 0;
  std::size_t parameters = 0;
  std::string state;  ///< idle, queued, training, paused
  std::optional<core::Record> last_record;
  std::optional<JobView> last_job;
  std::string state_sha256;  ///< hex
  std::string etag;          ///< changes with every change of the resource
  Labels labels;
  std::optional<std::uint64_t> ttl_s;
  Timestamp created_at{};
  Timestamp updated_at{};
  std::optional<std::pair<std::string, std::uint64_t>> forked_from;  ///< parent and step
  std::uint64_t replayable_from = 0;                                 ///< first step that time travel reaches
  std::optional<std::uint64_t> disk_bytes;                           ///< where they were asked for
  std::vector<std::string> datasets;  ///< stored data sets that it was trained on, in order of first use
};

struct CreateNetwork {
  std::string name;  ///< empty = generated
  core::NetworkSpec spec;
  std::shared_ptr<const core::Preprocess> preprocess;
  Labels labels;
  std::optional<std::uint64_t> ttl_s;
  Idempotency idempotency;
};

/// PATCH, already merged (RFC 7396) by the caller onto a NetworkView's changeable part.
struct PatchNetwork {
  std::optional<core::HyperParameters> hyper_parameters;
  std::optional<Labels> labels;
  std::optional<std::optional<std::uint64_t>> ttl_s;
};

/// Rows given in a body, a generator, or a stored data set by name.
using DataSource = std::variant<std::shared_ptr<const core::Dataset>, core::GeneratorOptions, std::string>;

/// Publish a version when a job ends, if it is better than the one that the alias names (or that names none).
struct PublishIf {
  std::string metric = "validation_loss";  ///< one of core::judged_metrics()
  double better_by = 0;                    ///< ≥ 0: by more than this it must be better
  std::string alias = "default";           ///< moved to the new version
};

struct TrainRequest {
  std::optional<DataSource> data;                         ///< none = the data used before
  std::vector<std::string> class_labels;                  ///< of given rows: the network's, or what it takes
  core::TrainingPlan plan;                                ///< steps already computed, or from `epochs`
  std::optional<std::uint64_t> epochs;                    ///< in place of plan.steps
  std::optional<core::HyperParameters> hyper_parameters;  ///< from here on
  std::optional<double> max_seconds;
  std::optional<double> pace_steps_per_second;
  std::optional<std::uint64_t> checkpoint_every;
  std::optional<PublishIf> publish_if;
  Idempotency idempotency;
};

/// A network's whole state with what travels beside it: GET / PUT …/model.
struct ModelExport {
  std::string name;
  core::Checkpoint checkpoint;
  std::optional<core::History::State> history;
  Labels labels;
};

/// Which parameters answer a read: the live ones, or those of a past step (`?step=K`).
using AtStep = std::optional<std::uint64_t>;

class NetworkService {
 public:
  virtual ~NetworkService() = default;

  virtual core::Result<NetworkView> create(const CreateNetwork& request) = 0;
  virtual Page<NetworkView> list(const PageQuery& query) = 0;
  virtual core::Result<NetworkView> read(const std::string& name) = 0;
  /// What the network's files take: checkpoints, journal, history; not its training data, which others share.
  virtual core::Result<std::uint64_t> disk_bytes(const std::string& name) = 0;
  /// The caller merges the patch onto `current` and returns what changes; runs under the network's write
  /// lock.
  using Merge = std::function<core::Result<PatchNetwork>(const NetworkView& current)>;
  virtual core::Result<NetworkView> patch(const std::string& name, const IfMatch& if_match,
                                          const Merge& merge) = 0;
  /// conflict while a job runs, unless forced: then it is cancelled first.
  virtual core::Result<void> remove(const std::string& name, const IfMatch& if_match, bool force) = 0;

  /// The parameters that predictions use now (or used at a past step); cheap and lock-free for the live ones.
  virtual core::Result<std::shared_ptr<const core::Snapshot>> snapshot(const std::string& name,
                                                                       AtStep step) = 0;
  /// The training state at a step boundary; for evaluate, trace, diagnosis and export.
  virtual core::Result<core::Checkpoint> checkpoint(const std::string& name, AtStep step) = 0;
  /// A learner holding that state, private to the caller.
  virtual core::Result<std::unique_ptr<core::Learner>> learner(const std::string& name, AtStep step) = 0;
  /// Resolves rows, generator or stored data set for this network's shape; nullopt = what it trained on last.
  virtual core::Result<std::shared_ptr<const core::Dataset>> data(
      const std::string& name, const std::optional<DataSource>& source) = 0;

  virtual core::Result<core::HistoryColumns> history(const std::string& name,
                                                     const core::HistoryQuery& query) = 0;
  virtual core::Result<ModelExport> export_model(const std::string& name, AtStep step, bool with_history) = 0;
  /// Creates or replaces (under If-Match) the network; true in `second` where it was created. With `only_new`
  /// (If-None-Match: *) failed_precondition where there is one.
  virtual core::Result<std::pair<NetworkView, bool>> import_model(const std::string& name,
                                                                  const IfMatch& if_match, ModelExport model,
                                                                  bool only_new = false) = 0;
};

class JobService {
 public:
  virtual ~JobService() = default;

  /// Accepts a job: durable, queued behind the network's other jobs.
  virtual core::Result<JobView> train(const std::string& network, const TrainRequest& request) = 0;
  /// Waits until the job has ended or the time is up; at most `requests waiting` callers wait at once, one
  /// more gets its answer at once.
  virtual core::Result<JobView> wait(const std::string& id, std::chrono::milliseconds timeout) = 0;
  virtual Page<JobView> list(const PageQuery& query, const std::string& network) = 0;
  virtual core::Result<JobView> read(const std::string& id) = 0;
  /// Idempotent, never blocks; an ended job stays as it is.
  virtual core::Result<JobView> cancel(const std::string& id) = 0;
  /// failed_precondition for a job that has ended, and for a replay.
  virtual core::Result<JobView> pause(const std::string& id) = 0;
  virtual core::Result<JobView> resume(const std::string& id) = 0;
};

/// Every limit of the contract with its configured value.
struct Limits {
  std::size_t body_bytes_max = 64u << 20;
  std::size_t model_body_bytes_max = 512u << 20;
  std::size_t dataset_body_bytes_max = 2u << 30;  ///< CSV and NDJSON; a JSON body has body_bytes_max
  std::size_t json_depth_max = 32;
  core::NetworkLimits network;
  std::size_t networks_max = 100'000;
  std::uint64_t job_steps_max = 1'000'000'000;
  std::size_t jobs_waiting_max = 1'000;
  std::size_t searches_max = 1'000;         ///< records kept
  std::size_t searches_waiting_max = 100;   ///< not yet ended
  std::size_t search_networks_max = 1'000;  ///< candidates of one
  std::size_t requests_waiting_max = 64;
  std::size_t event_streams_max = 1'000;
  std::size_t history_records_max = 100'000;
  core::TraceLimits trace;
  std::uint64_t time_travel_bytes_max = 256u << 20;
  std::size_t feedback_numbers_max = 100'000;  ///< answers of predictions that feedback can name
  std::size_t shadow_numbers_max = 1'000'000;  ///< inputs and answers that wait for shadows
};

/// Names and values that /v1/capabilities shows: the limits above and those of the process, such as times for
/// connections, that the contract itself never asks for.
using NamedLimits = std::vector<std::pair<std::string, std::uint64_t>>;

/// What the process says about itself.
struct SystemView {
  std::string version;
  std::string build;  ///< compiler and type of build
  std::string instruction_set;
  double uptime_s = 0;
  std::size_t networks = 0;
  std::size_t jobs_queued = 0;
  std::size_t jobs_running = 0;
  std::size_t event_streams = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t commits = 0;  ///< journal writes made durable since start, and their bytes
  std::uint64_t committed_bytes = 0;
  std::uint64_t memory_bytes = 0;
  std::vector<std::string> quarantined;  ///< files that recovery set aside, with the reason
};

class SystemService {
 public:
  virtual ~SystemService() = default;
  virtual const Limits& limits() const = 0;
  virtual const NamedLimits& named_limits() const = 0;
  virtual SystemView system() = 0;
  /// True while requests should come here: recovered, and not draining.
  virtual bool ready() const = 0;
  virtual std::string new_id() = 0;  ///< a fresh random name, for jobs and unnamed networks
};

class BackupService;      // api/backup_service.h
class TimeTravelService;  // api/time_travel_service.h
class EventService;       // api/event_service.h
class VersionService;     // api/version_service.h
class InferenceService;   // api/inference_service.h
class SearchService;      // api/search_service.h
class FeedbackService;    // api/feedback_service.h

/// What the router needs; borrowed, all outlive it.
struct Services {
  NetworkService& networks;
  JobService& jobs;
  SystemService& system;
  DatasetService* datasets = nullptr;        ///< null: no data sets, their routes are not there
  TimeTravelService* time_travel = nullptr;  ///< these too: null, and their routes are not there
  EventService* events = nullptr;
  VersionService* versions = nullptr;
  InferenceService* inference = nullptr;
  MetricsService* metrics = nullptr;
  BackupService* backups = nullptr;
  SearchService* searches = nullptr;
  FeedbackService* feedback = nullptr;
};

}  // namespace mlpd::api
