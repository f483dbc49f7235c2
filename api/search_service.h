#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/search_plan.h"
#include "api/service.h"

namespace mlpd::api {

enum class SearchState { queued, running, succeeded, failed, cancelled };

/// Why a search tries no more candidates: all were tried, max_seconds had passed, or it was cancelled.
enum class SearchStop { completed, max_seconds, cancelled };

/// What became of one candidate: a score, or why it has none.
struct SearchResult {
  std::size_t candidate = 0;  ///< its place in the plan
  std::optional<double> score;
  std::uint64_t step = 0;
  std::size_t parameters = 0;
  std::string state_sha256;  ///< of the network as it was judged
  std::string error;         ///< one sentence, where there is no score
  bool cancelled = false;    ///< the search or the time ended, or somebody cancelled the job
};

/// A search as GET /v1/searches/{s} shows it; a durable record that outlives restarts.
struct SearchView {
  std::shared_ptr<const SearchPlan> plan;
  SearchState state = SearchState::queued;
  std::optional<SearchStop> stop_reason;
  std::vector<SearchResult> leaderboard;  ///< those with a score, best first; equals in the plan's order
  std::vector<SearchResult> unranked;     ///< those without, in the plan's order
  double seconds = 0;                     ///< searching, restarts left out
  Timestamp created_at{};
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> finished_at;
};

/// Searches over ordinary networks and jobs. Thread-safe; whatever changes returns only when it is durable.
class SearchService {
 public:
  virtual ~SearchService() = default;
  /// Accepts a checked plan; its candidates start in order. already_exists where the name, or that of one of
  /// its networks, is taken; resource_exhausted at the limits of searches.
  virtual core::Result<SearchView> create(SearchPlan plan, const Idempotency& idempotency) = 0;
  virtual Page<SearchView> list(const PageQuery& query) = 0;
  virtual core::Result<SearchView> read(const std::string& name) = 0;
  /// Idempotent, never waits for a trainer; an ended search stays as it is.
  virtual core::Result<SearchView> cancel(const std::string& name) = 0;
  /// Forgets an ended search, its networks stay; conflict while it goes on.
  virtual core::Result<void> remove(const std::string& name) = 0;
};

}  // namespace mlpd::api
