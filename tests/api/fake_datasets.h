#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/dataset_service.h"

namespace mlpd::api {

/// Data sets in memory, for the tests of one thread.
class FakeDatasets final : public DatasetService {
 public:
  core::Result<std::unique_ptr<DatasetUpload>> begin(const CreateDataset& request) override {
    if (stored_.count(request.name)) return taken(request.name);
    return std::unique_ptr<DatasetUpload>(std::make_unique<Upload>(*this, request));
  }
  DatasetPage list(std::size_t limit, const std::string& cursor) override {
    DatasetPage page;
    for (auto at = stored_.upper_bound(cursor); at != stored_.end(); ++at) {
      if (page.items.size() == limit) {
        page.next_cursor = page.items.back().name;
        break;
      }
      page.items.push_back(at->second->view);
    }
    return page;
  }
  core::Result<DatasetView> read(const std::string& name) override {
    const auto found = stored_.find(name);
    if (found == stored_.end()) return missing(name);
    return found->second->view;
  }
  core::Result<std::shared_ptr<const core::RowSource>> rows(const std::string& name) override {
    const auto found = stored_.find(name);
    if (found == stored_.end()) return missing(name);
    return std::shared_ptr<const core::RowSource>(found->second, &found->second->source);
  }
  core::Result<void> remove(const std::string& name) override {
    if (stored_.erase(name) == 0) return missing(name);
    return {};
  }

 private:
  struct Stored {
    DatasetView view;
    core::Table table;
    core::TableSource source{table};
  };
  class Upload final : public DatasetUpload {
   public:
    Upload(FakeDatasets& all, const CreateDataset& request) : all_(all), request_(request) {}
    core::Result<void> columns(const std::vector<std::string>& names) override {
      stored_->table.columns = names;
      profiler_.emplace(names, request_.unit);
      return {};
    }
    core::Result<void> row(std::uint64_t place, std::span<const core::Cell> cells) override {
      profiler_->add(place, cells);
      stored_->table.rows.emplace_back(cells.begin(), cells.end());
      return {};
    }
    core::Result<DatasetView> commit() override {
      auto profile = profiler_->finish(request_.target, request_.types);
      if (!profile) return profile.error();
      stored_->view.name = request_.name;
      stored_->view.source = request_.source;
      stored_->view.profile = std::move(*profile);
      stored_->view.sha256 = std::string(64, 'a');
      all_.stored_[request_.name] = stored_;
      return stored_->view;
    }

   private:
    FakeDatasets& all_;
    CreateDataset request_;
    std::shared_ptr<Stored> stored_ = std::make_shared<Stored>();
    std::optional<core::TableProfiler> profiler_;
  };

  static core::Error missing(const std::string& name) {
    return {core::ErrorCode::not_found, "there is no data set " + name, {}};
  }
  static core::Error taken(const std::string& name) {
    return {core::ErrorCode::already_exists, name + " exists", {}};
  }

  std::map<std::string, std::shared_ptr<Stored>> stored_;
};

}  // namespace mlpd::api
