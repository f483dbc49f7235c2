#include <cmath>
#include <utility>

#include "core/trainer.h"
#include "server/searches.h"
#include "server/thread_pool.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

namespace {

/// How long a thread sleeps at most before it looks at the clock, or tries again what was refused.
constexpr std::chrono::milliseconds kLookEvery{200};

std::string key_of(const std::string& search_id, std::size_t candidate) {
  return "search:" + search_id + ":" + std::to_string(candidate);
}

/// Refused for now: the disk, the queue or the number of networks is full.
bool may_pass(const Error& error) {
  return error.code == ErrorCode::resource_exhausted || error.code == ErrorCode::unavailable;
}

}  // namespace

void Searches::run() {
  lower_priority();
  while (const std::optional<Turn> turn = next_turn()) {
    Search& search = *turn->search;
    if (!turn->candidate) {
      finish(search);
      continue;
    }
    const std::optional<api::SearchResult> result = attempt(search, *turn->candidate);
    if (result) {
      std::uint64_t spent = 0;
      {
        std::lock_guard lock(mutex_);
        spent = spent_ms(search);
      }
      if (append_patiently(search, api::SearchJudged{*result, spent})) remove_losers(search);
    }
    std::lock_guard lock(mutex_);
    --search.trying;
    changed_.notify_all();
  }
}

/// The oldest search comes first; a younger one gets what it leaves over.
std::optional<Searches::Turn> Searches::next_turn() {
  std::unique_lock lock(mutex_);
  while (!parts_.stopping) {
    for (const auto& [ordinal, search] : by_ordinal_) {
      if (search->finished) continue;
      const bool ends = search->waiting.empty() || is_over(*search);
      if (ends && search->trying > 0) continue;
      ++search->trying;
      if (ends) return Turn{search, std::nullopt};
      const std::size_t candidate = search->waiting.front();
      search->waiting.pop_front();
      return Turn{search, candidate};
    }
    changed_.wait(lock);
  }
  return std::nullopt;
}

void Searches::finish(Search& search) {
  remove_losers(search);
  api::SearchFinished event;
  {
    std::lock_guard lock(mutex_);
    bool cut = !search.waiting.empty();
    for (const auto& [candidate, result] : search.results) cut = cut || (result.cancelled && is_over(search));
    event.reason = search.cancelled ? api::SearchStop::cancelled
                   : cut            ? api::SearchStop::max_seconds
                                    : api::SearchStop::completed;
    event.spent_ms = spent_ms(search);
  }
  event.at = parts_.now();
  (void)append_patiently(search, event);
  std::lock_guard lock(mutex_);
  --search.trying;
  changed_.notify_all();
}

/// nullopt where the engine stopped first: the next process takes it up again.
std::optional<api::SearchResult> Searches::attempt(Search& search, std::size_t candidate) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    if (!search.went_on) search.went_on = Clock::now();
    first = !search.started_at;
  }
  if (first && !append_patiently(search, api::SearchStarted{parts_.now()})) return std::nullopt;
  const api::SearchPlan& plan = *search.plan;
  api::SearchResult result;
  result.candidate = candidate;
  Result<api::SearchCandidate> made = api::make_candidate(plan, candidate, services_.datasets, parts_.limits);
  if (!made.ok()) {
    result.error = made.error().message;
    return result;
  }
  const api::Idempotency key{key_of(search.id, candidate), {}};
  made->network.labels["search"] = plan.name;
  made->network.idempotency = key;
  made->train.idempotency = key;
  for (;;) {
    const Result<api::NetworkView> network = services_.networks.create(made->network);
    Result<api::JobView> job = network.ok() ? services_.jobs.train(network->name, made->train)
                                            : Result<api::JobView>(network.error());
    if (job.ok()) job = follow(search, job->id);
    if (job.ok() && parts_.stopping && !job->finished_at) return std::nullopt;
    if (job.ok()) return judge(plan, made->train, *job, std::move(result));
    result.error = job.error().message;
    if (!may_pass(job.error())) return result;
    bool over = false;
    {
      std::lock_guard lock(mutex_);
      over = is_over(search);
    }
    result.cancelled = over;
    if (over) return result;
    if (!wait_a_little()) return std::nullopt;
  }
}

/// The job as it ended, or as it is where the engine stops. Cancels it where the search is over.
Result<api::JobView> Searches::follow(Search& search, const std::string& id) {
  const Registry::FoundJob found = parts_.registry.find_job(id);
  if (!found.job) return Error{ErrorCode::not_found, "its network was removed", {}};
  for (;;) {
    {
      std::unique_lock lock(found.entry->mutex);
      const auto ended = [&] { return found.job->view.finished_at || parts_.stopping; };
      if (found.entry->changed.wait_for(lock, kLookEvery, ended)) return found.job->view;
      if (found.entry->facts.removed) return Error{ErrorCode::not_found, "its network was removed", {}};
    }
    std::unique_lock lock(mutex_);
    const bool over = is_over(search);
    lock.unlock();
    if (over)
      if (const Result<api::JobView> cancelled = services_.jobs.cancel(id); !cancelled.ok())
        return cancelled.error();
  }
}

/// By the job's own rows, and without the penalty, so that candidates with different ones can be compared.
api::SearchResult Searches::judge(const api::SearchPlan& plan, const api::TrainRequest& train,
                                  const api::JobView& job, api::SearchResult result) {
  if (job.state == api::JobState::cancelled) {
    result.cancelled = true;
    result.error = "the training was cancelled";
    return result;
  }
  if (job.state == api::JobState::failed || job.stop_reason == core::StopReason::diverged) {
    result.error = job.error ? job.error->message : "the training diverged";
    return result;
  }
  const auto fail = [&](const Error& error) {
    result.error = error.message;
    return result;
  };
  const Result<std::unique_ptr<core::Learner>> learner = services_.networks.learner(job.network, job.step);
  if (!learner.ok()) return fail(learner.error());
  Result<std::shared_ptr<const core::Dataset>> rows = services_.networks.data(job.network, train.data);
  if (!rows.ok()) return fail(rows.error());
  if (train.plan.validation_fraction > 0) {
    const Result<core::Split> split =
        core::split(*rows, train.plan.validation_fraction, (*learner)->spec().seed);
    if (!split.ok()) return fail(split.error());
    rows = plan.metric.starts_with("validation_") ? split->validation : split->training;
  }
  const Result<core::Evaluation> evaluation = (*learner)->evaluate(**rows);
  if (!evaluation.ok()) return fail(evaluation.error());
  const double score = plan.metric.ends_with("accuracy")
                           ? evaluation->metric("accuracy").value_or(std::nan(""))
                           : evaluation->data_loss;
  if (!std::isfinite(score)) return fail({ErrorCode::internal, plan.metric + " is not known", {}});
  result.score = score;
  result.step = job.step;
  result.parameters = core::parameter_count((*learner)->spec());
  result.state_sha256 = core::state_digest((*learner)->checkpoint()).hex();
  return result;
}

/// Of the networks that this search made, all that have a result but the best; one that somebody has trained
/// further has become theirs.
void Searches::remove_losers(Search& search) {
  if (search.plan->keep == api::SearchKeep::all) return;
  api::SearchView view;
  {
    std::lock_guard lock(mutex_);
    view = view_of(search);
  }
  if (!view.leaderboard.empty()) view.leaderboard.erase(view.leaderboard.begin());
  for (const auto* results : {&view.leaderboard, &view.unranked})
    for (const api::SearchResult& result : *results) {
      const std::string name = api::candidate_name(*search.plan, result.candidate);
      const std::shared_ptr<NetworkEntry> entry = parts_.registry.find(name);
      if (!entry || entry->identity->idempotency_key != key_of(search.id, result.candidate)) continue;
      {
        std::lock_guard lock(entry->mutex);
        if (entry->facts.jobs.size() > 1) continue;
      }
      const Result<void> removed = services_.networks.remove(name, std::nullopt, false);
      if (!removed.ok() && removed.error().code != ErrorCode::not_found && !parts_.stopping)
        parts_.log("search " + search.plan->name + ": " + name + " stays: " + removed.error().message);
    }
}

bool Searches::wait_a_little() {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, kLookEvery, [this] { return parts_.stopping.load(); });
}

}  // namespace mlpd::server
