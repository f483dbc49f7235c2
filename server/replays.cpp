#include "server/replays.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "server/thread_pool.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

Result<std::optional<api::JobView>> Replays::where_long(const std::shared_ptr<NetworkEntry>& entry,
                                                        std::uint64_t step) {
  const Result<ReplayLength> length = keeper_.replay_length(*entry, step);
  if (!length.ok()) return length.error();
  if (length->seconds <= std::chrono::duration<double>(parts_.past_limits.replay_max).count())
    return std::optional<api::JobView>();
  std::lock_guard lock(mutex_);
  if (stopping_) return Error{ErrorCode::unavailable, "the server is stopping"};
  std::size_t going_on = 0;
  for (const ReplayPointer& replay : known_) {
    if (has_ended(replay->view.state)) continue;
    if (replay->entry == entry && replay->to_step == step) return std::optional(replay->view);
    ++going_on;
  }
  if (going_on >= kWaitingMax) {
    return Error{ErrorCode::resource_exhausted, std::to_string(kWaitingMax) +
                                                    " replays wait already, the most that this server keeps; "
                                                    "try again later"};
  }
  const auto replay = std::make_shared<Replay>();
  replay->ordinal = parts_.registry.next_ordinal();
  replay->entry = entry;
  replay->to_step = step;
  replay->view.replay = true;
  replay->view.id = parts_.new_id();
  replay->view.network = entry->name();
  replay->view.step = length->from_step;
  replay->view.steps_total = length->steps;
  replay->view.created_at = parts_.now();
  known_.push_back(replay);
  waiting_.push_back(replay);
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  arrived_.notify_one();
  return std::optional(replay->view);
}

Replays::ReplayPointer Replays::find(const std::string& id) const {
  const auto found =
      std::find_if(known_.begin(), known_.end(), [&](const auto& replay) { return replay->view.id == id; });
  return found == known_.end() ? nullptr : *found;
}

Result<api::JobView> Replays::read(const std::string& id) {
  std::lock_guard lock(mutex_);
  const ReplayPointer replay = find(id);
  if (!replay) return Error{ErrorCode::not_found, "there is no job '" + id + "'"};
  return replay->view;
}

std::vector<std::pair<std::uint64_t, api::JobView>> Replays::list(const std::string& network,
                                                                  std::uint64_t below) {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<std::uint64_t, api::JobView>> found;
  for (const ReplayPointer& replay : known_)
    if (replay->ordinal < below && (network.empty() || replay->view.network == network))
      found.emplace_back(replay->ordinal, replay->view);
  return found;
}

Result<api::JobView> Replays::cancel(const std::string& id) {
  std::lock_guard lock(mutex_);
  const ReplayPointer replay = find(id);
  if (!replay) return Error{ErrorCode::not_found, "there is no job '" + id + "'"};
  replay->cancelled = true;
  if (replay->view.state == api::JobState::queued) end(*replay, api::JobState::cancelled);
  return replay->view;
}

void Replays::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

/// The caller holds `mutex_`.
void Replays::end(Replay& replay, api::JobState state) {
  replay.view.state = state;
  replay.view.finished_at = parts_.now();
  replay.entry.reset();
  std::erase_if(waiting_, [&](const ReplayPointer& other) { return other.get() == &replay; });
  const auto ended = [](const ReplayPointer& other) { return has_ended(other->view.state); };
  while (static_cast<std::size_t>(std::count_if(known_.begin(), known_.end(), ended)) > kEndedMax)
    known_.erase(std::find_if(known_.begin(), known_.end(), ended));
}

void Replays::run() {
  lower_priority();
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const ReplayPointer replay = waiting_.front();
    waiting_.pop_front();
    replay->view.state = api::JobState::running;
    replay->view.started_at = parts_.now();
    lock.unlock();
    carry_out(replay);
    lock.lock();
  }
}

void Replays::carry_out(const ReplayPointer& replay) {
  const std::uint64_t from = replay->view.step;
  const auto go_on = [&](std::uint64_t step) {
    std::lock_guard lock(mutex_);
    replay->view.step = std::max(replay->view.step, step);
    replay->view.steps_done = replay->view.step - from;
    return !stopping_ && !replay->cancelled;
  };
  Result<void> done;
  try {
    done = keeper_.store_past(replay->entry, replay->to_step, go_on);
  } catch (const std::exception& failure) {
    parts_.log("replay " + replay->view.id + ": " + failure.what());
    done = Error{ErrorCode::internal, "the replay stopped by an internal error"};
  }
  std::lock_guard lock(mutex_);
  if (done.ok()) {
    replay->view.step = replay->to_step;
    replay->view.steps_done = replay->view.steps_total;
    return end(*replay, api::JobState::succeeded);
  }
  if (done.error().code == ErrorCode::cancelled) return end(*replay, api::JobState::cancelled);
  replay->view.error = done.error();
  end(*replay, api::JobState::failed);
}

}  // namespace mlpd::server
