#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "server/network_entry.h"

namespace mlpd::server {

/// Which networks and jobs there are. Look-ups share a lock that is never held while anything waits or
/// computes.
class Registry {
 public:
  using EntryPointer = std::shared_ptr<NetworkEntry>;
  struct FoundJob {
    EntryPointer entry;
    std::shared_ptr<Job> job;
  };

  EntryPointer find(const std::string& name) const;
  /// Takes the place of a former entry of the same name, whose jobs are forgotten.
  void insert(const EntryPointer& entry);
  void erase(const EntryPointer& entry);
  std::size_t size() const;
  /// Newest first, those with an ordinal below `below`, at most `count`.
  std::vector<EntryPointer> newest(std::uint64_t below, std::size_t count) const;
  std::vector<EntryPointer> all() const;

  void add_job(const EntryPointer& entry, const std::shared_ptr<Job>& job);
  void forget_job(const std::shared_ptr<Job>& job);
  /// Puts `job` in the place of the one with its id, where that is still known.
  void replace_job(const std::shared_ptr<Job>& job);
  FoundJob find_job(const std::string& id) const;
  std::vector<FoundJob> newest_jobs(std::uint64_t below, std::size_t count) const;

  /// Fresh numbers in order of creation, for networks and jobs.
  std::uint64_t next_ordinal() { return ++ordinal_; }

  /// Keeps a name and an idempotency key (may be empty) for one creation at a time: waits until others are
  /// done with them.
  class Reservation {
   public:
    Reservation(Registry& registry, const std::string& name, const std::string& key);
    ~Reservation();
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;

   private:
    Registry& registry_;
    std::string name_;
    std::string key_;
  };
  /// The network that a creation with this key made; null where there is none.
  EntryPointer find_created(const std::string& key) const;

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, EntryPointer> by_name_;
  std::map<std::uint64_t, EntryPointer, std::greater<>> by_ordinal_;
  std::unordered_map<std::string, EntryPointer> by_key_;
  std::unordered_map<std::string, FoundJob> jobs_;
  std::map<std::uint64_t, FoundJob, std::greater<>> jobs_by_ordinal_;
  std::atomic<std::uint64_t> ordinal_{0};

  std::mutex reserving_;
  std::condition_variable freed_;
  std::unordered_set<std::string> reserved_;

  void erase_locked(const EntryPointer& entry);
};

}  // namespace mlpd::server
