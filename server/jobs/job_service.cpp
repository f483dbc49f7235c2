#include "server/jobs/job_service.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/journal_document.h"
#include "server/commit.h"
#include "server/network_service.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

namespace {

/// Labels that the network will have by this job; empty where it has them, or none come.
std::vector<std::string> new_labels(const NetworkEntry& entry, const api::TrainRequest& request) {
  std::lock_guard lock(entry.mutex);
  if (!entry.facts.spec.class_labels.empty()) return {};
  if (!request.data && entry.facts.data) return entry.facts.data->class_labels;
  return request.class_labels;
}

}  // namespace

Result<JobServiceImplementation::Found> JobServiceImplementation::find(const std::string& id) {
  Found found = parts_.registry.find_job(id);
  if (!found.job) return Error{ErrorCode::not_found, "there is no job '" + id + "'"};
  return found;
}

Result<api::TrainRequest> JobServiceImplementation::plan(NetworkEntry& entry,
                                                         const api::TrainRequest& request,
                                                         std::shared_ptr<const core::Dataset>& rows) {
  Result<std::shared_ptr<const core::Dataset>> resolved = resolve_data(parts_, keeper_, entry, request.data);
  if (!resolved.ok()) return resolved.error();
  rows = *std::move(resolved);
  api::TrainRequest planned = request;
  planned.data.reset();
  planned.epochs.reset();
  const std::uint64_t training_rows =
      rows->rows - core::held_out_count(rows->rows, request.plan.validation_fraction);
  const std::uint64_t steps_max = parts_.limits.job_steps_max;
  if (request.epochs) {
    const std::uint64_t size = request.plan.batches.batch_size;
    const std::uint64_t batch = size == 0 || size > training_rows ? training_rows : size;
    const std::uint64_t batches = batch == 0 ? 1 : (training_rows + batch - 1) / batch;
    planned.plan.steps = *request.epochs > steps_max / batches ? steps_max + 1 : *request.epochs * batches;
  }
  if (planned.plan.steps < 1 || planned.plan.steps > steps_max) {
    const char* field = request.epochs ? "#/epochs" : "#/steps";
    return Error{ErrorCode::invalid_argument,
                 "a job does 1 to " + std::to_string(steps_max) + " steps",
                 {{field, "is out of range"}}};
  }
  core::NetworkSpec spec;
  {
    std::lock_guard lock(entry.mutex);
    spec = entry.facts.spec;
    spec.class_labels = entry.class_labels();
  }
  if (!request.class_labels.empty() && request.class_labels != spec.class_labels) {
    if (!spec.class_labels.empty()) return other_labels();
    spec.class_labels = request.class_labels;
  }
  if (request.hyper_parameters) {
    spec.hyper_parameters = *request.hyper_parameters;
    if (Result<void> valid = core::validate(spec, parts_.limits.network); !valid.ok()) return valid.error();
  }
  if (Result<void> valid = core::check_plan(planned.plan, spec, *rows); !valid.ok()) return valid.error();
  return planned;
}

Result<std::optional<api::JobView>> JobServiceImplementation::replayed(NetworkEntry& entry,
                                                                       const api::Idempotency& key) {
  if (key.key.empty()) return std::optional<api::JobView>();
  std::unique_lock lock(entry.mutex);
  entry.changed.wait(lock, [&] { return !entry.facts.accepting_keys.contains(key.key); });
  const auto found = entry.facts.by_key.find(key.key);
  if (found == entry.facts.by_key.end()) return std::optional<api::JobView>();
  if (found->second->accepted.request_digest != key.request_digest) {
    return Error{ErrorCode::conflict, "this Idempotency-Key was used for another request"};
  }
  return std::optional(found->second->view);
}

Result<api::JobView> JobServiceImplementation::train(const std::string& network,
                                                     const api::TrainRequest& request) {
  if (parts_.stopping) return Error{ErrorCode::unavailable, "the server is stopping"};
  const std::shared_ptr<NetworkEntry> entry = parts_.registry.find(network);
  if (!entry) return no_network(network);
  entry->used_at_ms = parts_.now().time_since_epoch().count();
  Result<std::optional<api::JobView>> known = replayed(*entry, request.idempotency);
  if (!known.ok()) return known.error();
  if (*known) return **known;

  std::shared_ptr<const core::Dataset> rows;
  const Result<api::TrainRequest> planned = plan(*entry, request, rows);
  if (!planned.ok()) return planned.error();
  JobAccepted accepted;
  accepted.id = parts_.new_id();
  accepted.request = api::write_train_request(*planned);
  accepted.steps = planned->plan.steps;
  if (const auto* dataset = request.data ? std::get_if<std::string>(&*request.data) : nullptr)
    accepted.dataset = *dataset;
  accepted.class_labels = new_labels(*entry, request);
  accepted.idempotency_key = request.idempotency.key;
  accepted.request_digest = request.idempotency.request_digest;
  accepted.at = parts_.now();
  if (Result<void> kept = parts_.data.keep(rows, accepted); !kept.ok()) return kept.error();
  const JobAccepted copy = accepted;
  Result<api::JobView> job = accept(entry, std::move(accepted));
  if (!job.ok() || job->id != copy.id) parts_.data.release(copy);
  return job;
}

Result<api::JobView> JobServiceImplementation::accept(const std::shared_ptr<NetworkEntry>& entry,
                                                      JobAccepted accepted) {
  const std::string key = accepted.idempotency_key;
  {
    std::lock_guard lock(entry->mutex);
    if (entry->facts.removed) return no_network(entry->name());
    if (entry->facts.removing) {
      return Error{ErrorCode::conflict, "network '" + entry->name() + "' is being removed"};
    }
    if (!key.empty() && (entry->facts.accepting_keys.contains(key) || entry->facts.by_key.contains(key))) {
      return Error{ErrorCode::conflict, "a request with this Idempotency-Key is under way; try again"};
    }
    if (parts_.job_counts.waiting >= parts_.limits.jobs_waiting_max) {
      return Error{ErrorCode::resource_exhausted, std::to_string(parts_.limits.jobs_waiting_max) +
                                                      " jobs wait already, the most that this server keeps "
                                                      "(jobs_waiting_max); try again later"};
    }
    ++entry->facts.accepting;
    if (!key.empty()) entry->facts.accepting_keys[key] = accepted.request_digest;
  }
  std::mutex mutex;
  std::condition_variable ready;
  std::optional<Result<api::JobView>> view;
  commit_later(parts_, entry, {std::move(accepted)},
               [&](const Result<std::uint64_t>& sequence, const std::shared_ptr<Job>& job) {
                 Result<api::JobView> result = Error{};
                 if (sequence.ok()) {
                   std::lock_guard lock(entry->mutex);
                   result = job->view;
                 } else {
                   result = sequence.error();
                 }
                 std::lock_guard lock(mutex);
                 view = std::move(result);
                 ready.notify_one();
               });
  {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return view.has_value(); });
  }
  {
    std::lock_guard lock(entry->mutex);
    --entry->facts.accepting;
    entry->facts.accepting_keys.erase(key);
  }
  entry->changed.notify_all();
  if (view->ok()) {
    parts_.observer.on_job(**view);
    parts_.wake(entry);
  }
  return *std::move(view);
}

Result<api::JobView> JobServiceImplementation::wait(const std::string& id,
                                                    std::chrono::milliseconds timeout) {
  const Result<Found> found = find(id);
  if (!found.ok()) return found.error();
  std::unique_lock lock(found->entry->mutex);
  const auto over = [&] { return has_ended(found->job->view.state) || parts_.stopping; };
  if (!over() && timeout.count() > 0) {
    if (++requests_waiting_ <= parts_.limits.requests_waiting_max) {
      found->entry->changed.wait_for(lock, timeout, over);
    }
    --requests_waiting_;
  }
  return found->job->view;
}

api::Page<api::JobView> JobServiceImplementation::list(const api::PageQuery& query,
                                                       const std::string& network) {
  std::uint64_t below = ~std::uint64_t{0};
  std::from_chars(query.cursor.data(), query.cursor.data() + query.cursor.size(), below);
  std::vector<std::pair<std::uint64_t, api::JobView>> found = replays_.list(network, below);
  std::size_t left = query.limit + 1;
  if (network.empty()) {
    for (const Found& job : parts_.registry.newest_jobs(below, left)) {
      std::lock_guard lock(job.entry->mutex);
      found.emplace_back(job.job->ordinal, job.job->view);
    }
  } else if (const std::shared_ptr<NetworkEntry> entry = parts_.registry.find(network)) {
    std::lock_guard lock(entry->mutex);
    const auto& jobs = entry->facts.jobs;
    for (auto job = jobs.rbegin(); job != jobs.rend() && left > 0; ++job) {
      if ((*job)->ordinal >= below) continue;
      found.emplace_back((*job)->ordinal, (*job)->view);
      --left;
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  api::Page<api::JobView> page;
  for (auto& [ordinal, view] : found) {
    if (page.items.size() == query.limit) {
      page.next_cursor = std::to_string(ordinal + 1);
      break;
    }
    page.items.push_back(std::move(view));
  }
  return page;
}

Result<api::JobView> JobServiceImplementation::read(const std::string& id) {
  const Result<Found> found = find(id);
  if (!found.ok()) return replays_.read(id);
  std::lock_guard lock(found->entry->mutex);
  return found->job->view;
}

Result<api::JobView> JobServiceImplementation::steer_replay(const std::string& id, JobSteering steering) {
  if (steering == JobSteering::cancel) return replays_.cancel(id);
  Result<api::JobView> replay = replays_.read(id);
  if (!replay.ok()) return replay;
  return Error{ErrorCode::failed_precondition, "job '" + id + "' is a replay: it can only be cancelled"};
}

Result<api::JobView> JobServiceImplementation::steer(const std::string& id, JobSteering steering) {
  const Result<Found> found = find(id);
  if (!found.ok()) return steer_replay(id, steering);
  NetworkEntry& entry = *found->entry;
  JournalRecord record = JobSteered{id, steering, parts_.now()};
  bool unbegun = false;
  {
    std::lock_guard lock(entry.mutex);
    const api::JobState state = found->job->view.state;
    const JobEvent event = steering == JobSteering::cancel  ? JobEvent::cancel
                           : steering == JobSteering::pause ? JobEvent::pause
                                                            : JobEvent::resume;
    const Result<api::JobState> next = next_state(state, event);
    if (!next.ok()) return next.error();
    if (*next == state || found->job->cancel_requested || found->job->ending || entry.facts.removed) {
      return found->job->view;
    }
    unbegun = steering == JobSteering::cancel && !found->job->view.started_at;
    if (unbegun) {  // no trainer has to be asked
      found->job->ending = true;
      JobEnded end;
      end.job = found->job->view;
      end.job.state = *next;
      end.job.stop_reason = core::StopReason::cancelled;
      end.job.finished_at = parts_.now();
      end.cut_short = true;
      record = std::move(end);
    }
    ++entry.facts.accepting;  // the network stays until the record is written
  }
  Result<std::uint64_t> written = commit(parts_, found->entry, {record});
  api::JobView view;
  {
    std::lock_guard lock(entry.mutex);
    --entry.facts.accepting;
    found->job->ending = false;
    view = found->job->view;
  }
  entry.changed.notify_all();
  if (!written.ok()) return written.error();
  parts_.wake(found->entry);
  parts_.observer.on_job(view);
  return view;
}

Result<api::JobView> JobServiceImplementation::cancel(const std::string& id) {
  return steer(id, JobSteering::cancel);
}

Result<api::JobView> JobServiceImplementation::pause(const std::string& id) {
  return steer(id, JobSteering::pause);
}

Result<api::JobView> JobServiceImplementation::resume(const std::string& id) {
  return steer(id, JobSteering::resume);
}

}  // namespace mlpd::server
