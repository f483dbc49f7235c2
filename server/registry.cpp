#include "server/registry.h"

namespace mlpd::server {

Registry::EntryPointer Registry::find(const std::string& name) const {
  std::shared_lock lock(mutex_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void Registry::insert(const EntryPointer& entry) {
  std::unique_lock lock(mutex_);
  if (const auto former = by_name_.find(entry->name()); former != by_name_.end()) {
    erase_locked(EntryPointer(former->second));
  }
  by_name_[entry->name()] = entry;
  by_ordinal_[entry->ordinal] = entry;
  if (!entry->identity->idempotency_key.empty()) by_key_[entry->identity->idempotency_key] = entry;
}

void Registry::erase(const EntryPointer& entry) {
  std::unique_lock lock(mutex_);
  erase_locked(entry);
}

void Registry::erase_locked(const EntryPointer& entry) {
  const auto named = by_name_.find(entry->name());
  if (named != by_name_.end() && named->second == entry) by_name_.erase(named);
  by_ordinal_.erase(entry->ordinal);
  const auto keyed = by_key_.find(entry->identity->idempotency_key);
  if (keyed != by_key_.end() && keyed->second == entry) by_key_.erase(keyed);
  std::lock_guard facts(entry->mutex);
  for (const std::shared_ptr<Job>& job : entry->facts.jobs) {
    jobs_.erase(job->accepted.id);
    jobs_by_ordinal_.erase(job->ordinal);
  }
}

std::size_t Registry::size() const {
  std::shared_lock lock(mutex_);
  return by_name_.size();
}

std::vector<Registry::EntryPointer> Registry::newest(std::uint64_t below, std::size_t count) const {
  std::shared_lock lock(mutex_);
  std::vector<EntryPointer> found;
  for (auto it = by_ordinal_.upper_bound(below); it != by_ordinal_.end() && found.size() < count; ++it) {
    found.push_back(it->second);
  }
  return found;
}

std::vector<Registry::EntryPointer> Registry::all() const {
  return newest(~std::uint64_t{0}, ~std::size_t{0});
}

void Registry::add_job(const EntryPointer& entry, const std::shared_ptr<Job>& job) {
  std::unique_lock lock(mutex_);
  jobs_[job->accepted.id] = {entry, job};
  jobs_by_ordinal_[job->ordinal] = {entry, job};
}

void Registry::forget_job(const std::shared_ptr<Job>& job) {
  std::unique_lock lock(mutex_);
  jobs_.erase(job->accepted.id);
  jobs_by_ordinal_.erase(job->ordinal);
}

void Registry::replace_job(const std::shared_ptr<Job>& job) {
  std::unique_lock lock(mutex_);
  const auto known = jobs_.find(job->accepted.id);
  if (known == jobs_.end()) return;
  known->second.job = job;
  jobs_by_ordinal_[job->ordinal].job = job;
}

Registry::FoundJob Registry::find_job(const std::string& id) const {
  std::shared_lock lock(mutex_);
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? FoundJob{} : found->second;
}

std::vector<Registry::FoundJob> Registry::newest_jobs(std::uint64_t below, std::size_t count) const {
  std::shared_lock lock(mutex_);
  std::vector<FoundJob> found;
  for (auto it = jobs_by_ordinal_.upper_bound(below); it != jobs_by_ordinal_.end() && found.size() < count;
       ++it) {
    found.push_back(it->second);
  }
  return found;
}

Registry::EntryPointer Registry::find_created(const std::string& key) const {
  if (key.empty()) return nullptr;
  std::shared_lock lock(mutex_);
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

Registry::Reservation::Reservation(Registry& registry, const std::string& name, const std::string& key)
    : registry_(registry), name_("name " + name), key_("key " + key) {
  const bool keyed = !key.empty();
  if (!keyed) key_.clear();
  std::unique_lock lock(registry_.reserving_);
  registry_.freed_.wait(lock, [&] {
    return !registry_.reserved_.contains(name_) && (!keyed || !registry_.reserved_.contains(key_));
  });
  registry_.reserved_.insert(name_);
  if (keyed) registry_.reserved_.insert(key_);
}

Registry::Reservation::~Reservation() {
  {
    std::lock_guard lock(registry_.reserving_);
    registry_.reserved_.erase(name_);
    if (!key_.empty()) registry_.reserved_.erase(key_);
  }
  registry_.freed_.notify_all();
}

}  // namespace mlpd::server
