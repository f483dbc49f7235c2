#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/backup_service.h"
#include "server/engine_parts.h"
#include "server/versions.h"

namespace mlpd::server {

/// Makes a tar archive (POSIX ustar) of the data folder while the engine works. Files are only ever replaced
/// by renames, and journals grow at their end; so a network's files are opened at one moment, under its
/// locks, and read afterwards without any. Unpacked into an empty folder, it is a data folder.
class Backups final : public api::BackupService {
 public:
  Backups(EngineParts& parts, Versions& versions, std::filesystem::path folder)
      : parts_(parts), versions_(versions), folder_(std::move(folder)) {}
  ~Backups() override { stop(); }

  core::Result<std::shared_ptr<api::EventStream>> start() override;
  /// Cuts the one being made. Idempotent.
  void stop();

 private:
  class Run;
  class Stream;
  struct File;

  void archive(Run& run);
  std::vector<std::string> names(const char* folder) const;
  std::vector<File> open_all(const std::filesystem::path& below) const;
  std::vector<File> open_network(NetworkEntry& entry);

  EngineParts& parts_;
  Versions& versions_;
  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::shared_ptr<Run> run_;  ///< the last one; guarded by mutex_, as the thread
  std::thread thread_;
};

}  // namespace mlpd::server
