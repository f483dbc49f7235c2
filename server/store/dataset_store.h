#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/dataset_service.h"
#include "server/dataset_source.h"
#include "server/store/quarantine.h"
#include "server/store/row_file.h"
#include "server/store/sample_table.h"

namespace mlpd::server {

/// Data sets that one server keeps.
inline constexpr std::size_t kDatasetsMax = 10'000;

/// Data sets in the store's folder (docs/datasets.md):
///
///     datasets/NAME/dataset.json   sealed: schema, statistics, the blocks of rows with their checksums
///     datasets/NAME/rows           server/store/row_file.h
///
/// A data set is filled under temporary/ and appears by one rename, after everything is synced. What is
/// damaged is set aside into quarantine/, with the reason beside it: documents at the start, rows when they
/// are read (they are checked whenever they are).
class DatasetStore final : public api::DatasetService, public DatasetSource {
 public:
  using Clock = std::function<std::chrono::sys_time<std::chrono::milliseconds>()>;

  /// `folder` is the store's, held by this process alone.
  static core::Result<std::unique_ptr<DatasetStore>> open(const std::filesystem::path& folder,
                                                          std::shared_ptr<FileSystem> files, Clock clock,
                                                          Quarantine& damaged);

  /// A built-in data set; one that the folder has under its name stays in its place. Its rows are parsed anew
  /// whenever they are read, so that they take no memory.
  core::Result<void> add_sample(const SampleTable& sample);

  core::Result<std::unique_ptr<api::DatasetUpload>> begin(const api::CreateDataset& request) override;
  api::DatasetPage list(std::size_t limit, const std::string& cursor) override;
  core::Result<api::DatasetView> read(const std::string& name) override;
  core::Result<std::shared_ptr<const core::RowSource>> rows(const std::string& name) override;
  core::Result<void> remove(const std::string& name) override;
  /// The rows that are not held out for testing, in their order.
  core::Result<std::shared_ptr<const core::Dataset>> rows(
      const std::string& name, const core::NetworkSpec& spec,
      const std::shared_ptr<const core::Preprocess>& preprocess) override;

 private:
  class Upload;
  class Rows;
  struct Entry {
    api::DatasetView view;
    std::shared_ptr<const core::RowSource> rows;
  };

  DatasetStore(std::filesystem::path folder, std::shared_ptr<FileSystem> files, Clock clock,
               Quarantine& damaged);
  static core::Result<Entry> built_in(std::string name, const std::string& target,
                                      std::shared_ptr<const core::RowSource> rows);
  core::Result<Entry> load(const std::string& name);
  core::Result<Entry> find(const std::string& name);
  core::Result<api::DatasetView> publish(const std::filesystem::path& filled, Entry entry);
  std::shared_ptr<const core::RowSource> rows_of(const api::DatasetView& view,
                                                 std::shared_ptr<const RowBlocks> blocks);
  void rows_are_damaged(const std::string& name, const Rows& rows, const std::string& reason);
  std::filesystem::path fresh();

  std::filesystem::path folder_;
  std::shared_ptr<FileSystem> files_;
  Clock clock_;
  std::atomic<std::uint64_t> serial_{0};
  Quarantine& damaged_;
  std::mutex mutex_;  ///< guards entries_; held while a name appears or goes
  std::map<std::string, Entry> entries_;
};

}  // namespace mlpd::server
