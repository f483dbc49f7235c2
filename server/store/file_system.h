#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mlpd::server {

/// Everything that the store asks of the system's files, so that a test can inject faults. This class is the
/// real one (POSIX). Failures are resource_exhausted for a full disk or quota, not_found for a missing file,
/// unavailable for the rest. Thread-safe on different paths.
class FileSystem {
 public:
  struct Item {
    std::string name;
    bool folder = false;
    std::uint64_t bytes = 0;       ///< of a file
    std::int64_t modified_ms = 0;  ///< since the Unix epoch
  };

  virtual ~FileSystem() = default;

  virtual core::Result<std::string> read(const std::filesystem::path& file);
  /// `bytes` bytes from `offset` on; fewer where the file ends before.
  virtual core::Result<std::string> read_part(const std::filesystem::path& file, std::uint64_t offset,
                                              std::uint64_t bytes);
  /// Writes at `offset` (the file is made where missing) and cuts what lies behind; durable only after sync.
  virtual core::Result<void> write(const std::filesystem::path& file, std::uint64_t offset,
                                   std::string_view bytes);
  virtual core::Result<void> truncate(const std::filesystem::path& file, std::uint64_t bytes);
  /// The file's bytes are on the disk when this returns (fdatasync).
  virtual core::Result<void> sync(const std::filesystem::path& file);
  /// The names in the folder (empty: the working one) are on the disk when this returns.
  virtual core::Result<void> sync_folder(const std::filesystem::path& folder);
  virtual core::Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to);
  /// Swaps two names in one step.
  virtual core::Result<void> exchange(const std::filesystem::path& a, const std::filesystem::path& b);
  /// With its parents; fine where it exists.
  virtual core::Result<void> make_folder(const std::filesystem::path& folder);
  virtual core::Result<void> remove_all(const std::filesystem::path& path);
  /// In no order; empty where the folder is missing.
  virtual core::Result<std::vector<Item>> list(const std::filesystem::path& folder);
};

/// Makes the folder where it is missing, so that a crash doesn't lose it with all that is put into it later.
core::Result<void> make_folder_durably(FileSystem& files, const std::filesystem::path& folder);

/// Makes or replaces `file` so that a crash leaves the old or the new bytes: temporary file, sync, rename,
/// sync of the folder. `temporary` lies on the same disk.
core::Result<void> write_durably(FileSystem& files, const std::filesystem::path& temporary,
                                 const std::filesystem::path& file, std::string_view bytes);

}  // namespace mlpd::server
