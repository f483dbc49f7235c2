#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/table_parser.h"
#include "core/result.h"
#include "core/table.h"
#include "core/table_profile.h"

namespace mlpd::api {

/// A stored data set as GET /v1/datasets/{d} shows it.
struct DatasetView {
  std::string name;
  bool read_only = false;  ///< built in
  std::string source;      ///< csv, ndjson, json, or the generator's name
  core::TableProfile profile;
  std::uint64_t bytes = 0;  ///< on the disk
  std::string sha256;       ///< of the rows; empty for a built-in one
  std::chrono::sys_time<std::chrono::milliseconds> created_at{};
};

/// What an upload says besides its rows.
struct CreateDataset {
  std::string name;
  std::string source;
  std::string target;                             ///< empty = inferred
  std::map<std::string, core::ColumnType> types;  ///< overrides by column
  core::RowUnit unit = core::RowUnit::line;       ///< how faults name a row
};

/// Takes the rows of a data set that is not there yet; dropped without commit(), it leaves nothing behind.
/// Used by one thread.
class DatasetUpload : public TableSink {
 public:
  /// Infers the types, checks every cell of a column of numbers, and makes the data set durable. Fails with
  /// all faults (invalid_argument), or already_exists where the name was taken in the meantime.
  virtual core::Result<DatasetView> commit() = 0;
};

/// A page of data sets, newest first.
struct DatasetPage {
  std::vector<DatasetView> items;
  std::string next_cursor;  ///< empty on the last page
};

/// Stored data sets. Thread-safe.
class DatasetService {
 public:
  virtual ~DatasetService() = default;
  /// already_exists where the name is taken, resource_exhausted at the limit of data sets or on a full disk.
  virtual core::Result<std::unique_ptr<DatasetUpload>> begin(const CreateDataset& request) = 0;
  virtual DatasetPage list(std::size_t limit, const std::string& cursor) = 0;
  virtual core::Result<DatasetView> read(const std::string& name) = 0;
  /// The raw rows; usable from several threads at once.
  virtual core::Result<std::shared_ptr<const core::RowSource>> rows(const std::string& name) = 0;
  /// permission_denied for a built-in one.
  virtual core::Result<void> remove(const std::string& name) = 0;
};

}  // namespace mlpd::api
