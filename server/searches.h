#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "api/search_document.h"
#include "api/search_service.h"
#include "server/engine_parts.h"
#include "server/store/file_system.h"

namespace mlpd::server {

/// Searches: a few threads take candidates in order, make an ordinary network and an ordinary job of each,
/// wait for its end, judge it. Each candidate's network and job carry an Idempotency-Key of the search, so
/// that one that a crash cut off is found again and goes on. A record for each search, beside the networks:
///
///     searches/NAME.ndjson     sealed lines (api/search_document.h), appended; a torn last one never was
///
/// Thread-safe.
class Searches final : public api::SearchService {
 public:
  struct Services {
    api::NetworkService& networks;
    api::JobService& jobs;
    api::DatasetService& datasets;
  };
  Searches(EngineParts& parts, Services services, std::filesystem::path folder,
           std::shared_ptr<FileSystem> files)
      : parts_(parts), services_(services), folder_(std::move(folder)), files_(std::move(files)) {}
  ~Searches() override { stop(); }

  /// Called once, after the networks are registered.
  core::Result<void> recover();
  /// Goes on with what has not ended, `threads` candidates at a time.
  void start(std::size_t threads);
  /// After EngineParts::stopping was set: what is under way is left to the next start(). Idempotent.
  void stop();

  core::Result<api::SearchView> create(api::SearchPlan plan, const api::Idempotency& idempotency) override;
  api::Page<api::SearchView> list(const api::PageQuery& query) override;
  core::Result<api::SearchView> read(const std::string& name) override;
  core::Result<api::SearchView> cancel(const std::string& name) override;
  core::Result<void> remove(const std::string& name) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Search {
    std::shared_ptr<const api::SearchPlan> plan;
    std::string id;
    api::Idempotency idempotency;
    std::uint64_t ordinal = 0;
    std::mutex writing;                        ///< one line at a time; taken before mutex_
    std::uint64_t bytes = 0;                   ///< of the record; changed under `writing`
    std::uint64_t spent_ms = 0;                ///< as the record has it
    std::optional<Clock::time_point> went_on;  ///< in this process
    std::deque<std::size_t> waiting;           ///< candidates without a result that nobody tries
    std::size_t trying = 0;
    bool cancelled = false;
    std::map<std::size_t, api::SearchResult> results;
    api::Timestamp created_at{};
    std::optional<api::Timestamp> started_at;
    std::optional<api::SearchFinished> finished;
  };
  using SearchPointer = std::shared_ptr<Search>;
  struct Turn {
    SearchPointer search;
    std::optional<std::size_t> candidate;  ///< none: nothing is left to try
  };

  core::Result<SearchPointer> recover_search(const std::string& file);
  core::Result<void> apply(Search& search, const api::SearchEvent& event);
  core::Result<SearchPointer> find(const std::string& name);
  core::Result<void> check_room(const api::SearchPlan& plan);
  std::filesystem::path file_of(const std::string& name) const { return folder_ / (name + ".ndjson"); }

  /// Durable, then applied.
  core::Result<void> append(Search& search, const api::SearchEvent& event);
  /// The same, again and again while the disk refuses; false where the engine stopped first.
  bool append_patiently(Search& search, const api::SearchEvent& event);

  void run();
  std::optional<Turn> next_turn();
  void finish(Search& search);
  std::optional<api::SearchResult> attempt(Search& search, std::size_t candidate);
  core::Result<api::JobView> follow(Search& search, const std::string& job);
  api::SearchResult judge(const api::SearchPlan& plan, const api::TrainRequest& train,
                          const api::JobView& job, api::SearchResult result);
  void remove_losers(Search& search);
  bool wait_a_little();

  // These are called with mutex_ held.
  std::uint64_t spent_ms(const Search& search) const;
  bool is_over(const Search& search) const;
  api::SearchView view_of(const Search& search) const;

  EngineParts& parts_;
  Services services_;
  std::filesystem::path folder_;
  std::shared_ptr<FileSystem> files_;
  std::mutex creating_;       ///< one creation or removal at a time; taken before `writing`
  mutable std::mutex mutex_;  ///< short
  std::condition_variable changed_;
  std::map<std::string, SearchPointer> by_name_;
  std::map<std::uint64_t, SearchPointer> by_ordinal_;
  std::uint64_t ordinal_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace mlpd::server
