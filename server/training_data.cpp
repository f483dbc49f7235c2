#include "server/training_data.h"

#include "api/journal_document.h"

namespace mlpd::server {

core::Result<void> TrainingData::keep(const std::shared_ptr<const core::Dataset>& rows,
                                      JobAccepted& accepted) {
  accepted.data = rows->digest();
  accepted.rows.clear();
  // A number takes at least two characters.
  if ((rows->inputs.size() + rows->targets.size()) * 2 <= kInlineRowsBytes) {
    std::string text = api::write_dataset(*rows);
    if (text.size() <= kInlineRowsBytes) {
      accepted.rows = std::move(text);
      std::lock_guard lock(recent_mutex_);
      recent_.emplace_back(accepted.data, rows);
      if (recent_.size() > kRecentMax) recent_.pop_front();
      return {};
    }
  }
  std::lock_guard lock(mutex_);
  Kept& kept = kept_[accepted.data.hex()];
  if (!kept.stored) {
    core::Result<void> put = store_.put_data(accepted.data, api::write_dataset(*rows));
    if (!put.ok()) {
      if (kept.uses == 0) kept_.erase(accepted.data.hex());
      return put;
    }
    kept.stored = true;
  }
  ++kept.uses;
  kept.rows = rows;
  return {};
}

void TrainingData::keep_again(const JobAccepted& accepted) {
  if (!accepted.rows.empty()) return;
  std::lock_guard lock(mutex_);
  Kept& kept = kept_[accepted.data.hex()];
  ++kept.uses;
  kept.stored = true;
}

bool TrainingData::keep_also(const JobAccepted& accepted) {
  if (!accepted.rows.empty()) return true;
  std::lock_guard lock(mutex_);
  const auto kept = kept_.find(accepted.data.hex());
  if (kept == kept_.end()) return false;
  ++kept->second.uses;
  return true;
}

void TrainingData::release(const JobAccepted& accepted) {
  if (!accepted.rows.empty()) return;
  std::lock_guard lock(mutex_);
  const auto kept = kept_.find(accepted.data.hex());
  if (kept == kept_.end() || --kept->second.uses > 0) return;
  kept_.erase(kept);
  // What stays by a failure is removed at the next start.
  (void)store_.remove_data(accepted.data);
}

core::Result<std::shared_ptr<const core::Dataset>> TrainingData::load(const JobAccepted& accepted) {
  std::string text = accepted.rows;
  {
    std::lock_guard lock(recent_mutex_);
    for (const auto& [digest, rows] : recent_)
      if (digest == accepted.data) return rows;
  }
  if (text.empty()) {
    {
      std::lock_guard lock(mutex_);
      const auto kept = kept_.find(accepted.data.hex());
      if (kept != kept_.end()) {
        if (std::shared_ptr<const core::Dataset> rows = kept->second.rows.lock()) return rows;
      }
    }
    core::Result<std::string> stored = store_.data(accepted.data);
    if (!stored.ok()) {
      std::lock_guard lock(mutex_);
      const auto kept = kept_.find(accepted.data.hex());
      if (kept != kept_.end()) kept->second.stored = false;
      return stored.error();
    }
    text = *std::move(stored);
  }
  core::Result<core::Dataset> read = api::read_dataset(text);
  if (!read.ok()) return read.error();
  auto rows = std::make_shared<const core::Dataset>(*std::move(read));
  if (rows->digest() != accepted.data) {
    return core::Error{core::ErrorCode::corrupted, "training data " + accepted.data.hex() + " has changed"};
  }
  if (accepted.rows.empty()) {
    std::lock_guard lock(mutex_);
    const auto kept = kept_.find(accepted.data.hex());
    if (kept != kept_.end()) kept->second.rows = rows;
  }
  return std::shared_ptr<const core::Dataset>(rows);
}

void TrainingData::remove_unused() {
  const core::Result<std::vector<core::Digest>> stored = store_.list_data();
  if (!stored.ok()) return;
  std::lock_guard lock(mutex_);
  for (const core::Digest& digest : *stored)
    if (!kept_.contains(digest.hex())) (void)store_.remove_data(digest);
}

}  // namespace mlpd::server
