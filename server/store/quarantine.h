#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"
#include "server/store/file_system.h"

namespace mlpd::server {

/// Where damaged files go, so that the rest serves: DATA_DIR/quarantine/NAME, with NAME.reason beside it.
/// Nothing there is read again but the reasons. Thread-safe.
class Quarantine {
 public:
  using Log = std::function<void(const std::string&)>;

  Quarantine(std::filesystem::path data_dir, std::shared_ptr<FileSystem> files, Log log)
      : data_dir_(std::move(data_dir)), files_(std::move(files)), log_(std::move(log)) {}

  /// Makes the folder where it is missing and learns what was set aside before. Called once, first.
  core::Result<void> open();
  /// Moves a file or folder below the data folder away and says so in the log. Where the disk refuses that,
  /// it stays in place and is named all the same.
  void set_aside(const std::filesystem::path& damaged, const std::string& reason);
  /// What was set aside, in this run and before: "networks/xor: journal.ndjson, line 3: …".
  std::vector<std::string> list() const;

 private:
  std::filesystem::path folder() const { return data_dir_ / "quarantine"; }
  std::filesystem::path free_name(const std::string& called) const;

  const std::filesystem::path data_dir_;
  const std::shared_ptr<FileSystem> files_;
  const Log log_;
  std::mutex moving_;  ///< one at a time; taken before `mutex_`
  mutable std::mutex mutex_;
  std::vector<std::string> reasons_;  ///< guarded by `mutex_`
};

}  // namespace mlpd::server
