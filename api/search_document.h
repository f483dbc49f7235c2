#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "api/search_service.h"

namespace mlpd::api {

/// A search's record is a file of sealed lines, one of these each, in the order in which they happened.
struct SearchAccepted {
  std::string id;  ///< tells this search from others of its name
  Json definition;
  Idempotency idempotency;
  Timestamp at{};
};
struct SearchStarted {
  Timestamp at{};
};
struct SearchJudged {
  SearchResult result;
  std::uint64_t spent_ms = 0;  ///< searching until then
};
struct SearchCancelled {
  Timestamp at{};
};
struct SearchFinished {
  SearchStop reason = SearchStop::completed;
  std::uint64_t spent_ms = 0;
  Timestamp at{};
};
using SearchEvent =
    std::variant<SearchAccepted, SearchStarted, SearchJudged, SearchCancelled, SearchFinished>;

/// One line without its line break.
std::string write_search_event(const SearchEvent& event);
/// What write_search_event wrote; `corrupted` for everything else.
core::Result<SearchEvent> read_search_event(std::string_view line);

std::string_view name_of(SearchState state);
std::string_view name_of(SearchStop reason);

/// The search as the contract shows it; lists leave the leaderboard and the definition out.
void write_search(JsonWriter& out, const SearchView& search, bool in_full);

}  // namespace mlpd::api
