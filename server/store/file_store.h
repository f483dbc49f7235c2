#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/store/committer.h"
#include "server/store/file_system.h"
#include "server/store/quarantine.h"
#include "server/store/store.h"

namespace mlpd::server {

/// A Store in a folder (docs/store-format.md):
///
///     lock                       held (flock) by the one process that uses the folder
///     networks/NAME/network.json          identity
///     networks/NAME/journal.ndjson        one sealed record a line, sequence numbers from 1, or from where
///                                         it was folded
///     networks/NAME/checkpoints/STEP-SEQUENCE.json
///     networks/NAME/history.json
///     data/SHA256.json           training data by content
///     quarantine/                what was damaged, each with NAME.reason beside it
///     temporary/, trash/         emptied at every start
///
/// Every document is sealed by a checksum over all its bytes.
class FileStore final : public Store {
 public:
  using Log = Quarantine::Log;

  /// Makes the folder where it is missing and locks it; failed_precondition where another process holds it.
  static core::Result<std::unique_ptr<FileStore>> open(const std::filesystem::path& folder,
                                                       std::shared_ptr<FileSystem> files, Log log);
  ~FileStore() override;

  core::Result<void> recover(const std::function<void(StoredNetwork)>& each) override;
  void quarantine(const std::string& name, const std::string& reason) override;
  std::vector<std::string> quarantined() const override { return damaged_.list(); }
  /// For what else lies in the folder.
  Quarantine& damaged() { return damaged_; }
  core::Result<void> create(const std::string& name, const NewNetwork& network, bool replace) override;
  core::Result<void> remove(const std::string& name) override;
  using Store::append;
  void append(const std::string& name, std::vector<std::string> records, Appended done) override;
  core::Result<std::uint64_t> fold(const std::string& name, std::uint64_t through,
                                   std::string record) override;
  core::Result<std::uint64_t> put_checkpoint(const std::string& name, CheckpointKey key,
                                             std::string text) override;
  core::Result<std::string> checkpoint(const std::string& name, CheckpointKey key) override;
  core::Result<void> remove_checkpoint(const std::string& name, CheckpointKey key) override;
  core::Result<std::uint64_t> put_history(const std::string& name, std::string text) override;
  core::Result<std::uint64_t> add_to_history(const std::string& name, std::uint64_t bytes,
                                             std::string text) override;
  core::Result<std::vector<std::string>> history(const std::string& name) override;
  core::Result<void> put_data(const core::Digest& digest, std::string text) override;
  core::Result<std::string> data(const core::Digest& digest) override;
  core::Result<void> remove_data(const core::Digest& digest) override;
  core::Result<std::vector<core::Digest>> list_data() override;
  Commits commits() const override { return committer_->commits(); }
  std::uint64_t bytes() const override;
  std::uint64_t bytes(const std::string& name) const override;

 private:
  FileStore(std::filesystem::path folder, std::shared_ptr<FileSystem> files, Log log, int lock);

  std::filesystem::path network_folder(const std::string& name) const { return folder_ / "networks" / name; }
  std::filesystem::path fresh(const char* folder);
  std::shared_ptr<JournalFile> journal_of(const std::string& name) const;
  /// Reads one network's folder; an error is why it has to be set aside.
  core::Result<StoredNetwork> read_network(const std::string& name);
  core::Result<void> read_journal(StoredNetwork& network);
  core::Result<std::vector<StoredCheckpoint>> list_checkpoints(const std::string& name);
  core::Result<std::string> read_document(const std::filesystem::path& file);
  core::Result<void> fill(const std::filesystem::path& target, const NewNetwork& network);

  std::filesystem::path folder_;
  std::shared_ptr<FileSystem> files_;
  Quarantine damaged_;
  int lock_;
  std::atomic<std::uint64_t> serial_{0};
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<JournalFile>> journals_;  ///< guarded by `mutex_`
  std::unique_ptr<Committer> committer_;
};

}  // namespace mlpd::server
