#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/store/file_system.h"
#include "server/store/store.h"

namespace mlpd::server {

/// A record with its number.
inline std::string numbered(std::uint64_t sequence, const std::string& record) {
  return "{\"sequence\":" + std::to_string(sequence) + "," + record.substr(1);
}

/// An append-only file of sealed records, one a line: what is durable of it. Written by the committer alone.
struct JournalFile {
  std::filesystem::path path;
  std::uint64_t sequence = 0;  ///< of the last durable record
  std::uint64_t bytes = 0;     ///< durable length
};

/// The one thread that writes journals. While it syncs, further appends gather and go together in the next
/// round (group commit), so nobody waits for a timer and a busy disk is asked once for many. A failed round
/// of a file leaves the file as it was.
class Committer {
 public:
  explicit Committer(FileSystem& files);
  /// Commits what waits, then ends.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Each record is a JSON object with at least one field.
  void append(std::shared_ptr<JournalFile> journal, std::vector<std::string> records, Store::Appended done);
  /// Puts `made`, a durable file that stands for all records up to `through`, in the journal's place, with
  /// the records behind `through` copied to its end: a crash leaves the old or the new file, and both say the
  /// same. `done` gets the new length; `made` is the other one's name then.
  void fold(std::shared_ptr<JournalFile> journal, std::uint64_t through, std::filesystem::path made,
            Store::Appended done);
  Store::Commits commits() const { return {commits_.load(), committed_bytes_.load()}; }

 private:
  struct Request {
    std::shared_ptr<JournalFile> journal;
    std::vector<std::string> records;
    Store::Appended done;
  };
  struct Fold {
    std::shared_ptr<JournalFile> journal;
    std::uint64_t through = 0;
    std::filesystem::path made;
    Store::Appended done;
  };
  struct Round;

  void run();
  void commit(std::vector<Request> requests);
  core::Result<std::uint64_t> replace(const Fold& fold);

  FileSystem& files_;
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> committed_bytes_{0};
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Request> waiting_;
  std::vector<Fold> folds_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mlpd::server
