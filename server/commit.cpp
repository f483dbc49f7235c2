#include "server/commit.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace mlpd::server {

void commit_later(EngineParts& parts, const std::shared_ptr<NetworkEntry>& entry,
                  std::vector<JournalRecord> records, Committed committed) {
  std::vector<std::string> texts;
  std::uint64_t bytes = 0;
  for (const JournalRecord& record : records) {
    texts.push_back(write_record(record));
    bytes += texts.back().size() + kSealBytes;
  }
  auto apply = [&parts, entry, bytes, records = std::move(records),
                committed = std::move(committed)](core::Result<std::uint64_t> sequence) {
    if (!sequence.ok()) return committed(std::move(sequence), nullptr);
    std::vector<std::shared_ptr<Job>> accepted;
    std::vector<std::shared_ptr<Job>> forgotten;
    std::shared_ptr<Job> last;
    bool fold = false;
    {
      std::lock_guard lock(entry->mutex);
      std::uint64_t number = *sequence - records.size();
      for (const JournalRecord& record : records) {
        const bool accepts = std::holds_alternative<JobAccepted>(record);
        core::Result<std::shared_ptr<Job>> job =
            entry->apply(++number, record, accepts ? parts.registry.next_ordinal() : 0);
        if (!job.ok()) {
          parts.log("journal of " + entry->name() + ": " + job.error().message);
          continue;
        }
        if (*job) last = *job;
        if (accepts) accepted.push_back(*job);
      }
      forgotten = std::exchange(entry->facts.forgotten, {});
      fold = entry->count_journal_bytes(bytes);
    }
    for (const std::shared_ptr<Job>& job : accepted) parts.registry.add_job(entry, job);
    for (const std::shared_ptr<Job>& job : forgotten) parts.registry.forget_job(job);
    if (fold && parts.wake) parts.wake(entry);
    entry->changed.notify_all();
    committed(std::move(sequence), last);
  };
  parts.store.append(entry->name(), std::move(texts), std::move(apply));
}

core::Result<std::uint64_t> commit(EngineParts& parts, const std::shared_ptr<NetworkEntry>& entry,
                                   std::vector<JournalRecord> records) {
  std::mutex mutex;
  std::condition_variable ready;
  std::optional<core::Result<std::uint64_t>> result;
  commit_later(parts, entry, std::move(records),
               [&](core::Result<std::uint64_t> sequence, const std::shared_ptr<Job>&) {
                 std::lock_guard lock(mutex);
                 result = std::move(sequence);
                 ready.notify_one();
               });
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return result.has_value(); });
  return *std::move(result);
}

}  // namespace mlpd::server
