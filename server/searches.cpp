#include "server/searches.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "core/trainer.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

namespace {

Error no_search(const std::string& name) {
  return {ErrorCode::not_found, "there is no search '" + name + "'", {}};
}

/// Best first; equals, and those without a score, in the plan's order.
void rank(std::vector<api::SearchResult>& results, const std::string& metric) {
  std::stable_sort(results.begin(), results.end(), [&](const auto& a, const auto& b) {
    return core::is_better(*a.score, *b.score, metric, 0);
  });
}

}  // namespace

Result<void> Searches::recover() {
  if (Result<void> made = make_folder_durably(*files_, folder_); !made.ok()) return made;
  const Result<std::vector<FileSystem::Item>> items = files_->list(folder_);
  if (!items.ok()) return items.error();
  std::vector<SearchPointer> found;
  for (const FileSystem::Item& item : *items) {
    if (item.folder || !item.name.ends_with(".ndjson")) {
      (void)files_->remove_all(folder_ / item.name);  // a temporary file of a creation that was cut off
      continue;
    }
    Result<SearchPointer> search = recover_search(item.name);
    if (search.ok()) {
      found.push_back(*std::move(search));
      continue;
    }
    if (search.error().code != ErrorCode::corrupted) return search.error();  // the disk can't be read now
    parts_.damaged.set_aside(folder_ / item.name, search.error().message);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a->created_at, a->plan->name) < std::pair(b->created_at, b->plan->name);
  });
  std::lock_guard lock(mutex_);
  for (const SearchPointer& search : found) {
    search->ordinal = ++ordinal_;
    by_name_[search->plan->name] = search;
    by_ordinal_[search->ordinal] = search;
  }
  return {};
}

Result<Searches::SearchPointer> Searches::recover_search(const std::string& file) {
  const Result<std::string> text = files_->read(folder_ / file);
  if (!text.ok()) return text.error();
  auto search = std::make_shared<Search>();
  std::string_view rest = *text;
  while (rest.find('\n') != std::string_view::npos) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const Result<api::SearchEvent> event = api::read_search_event(line);
    if (!event.ok()) return Error{ErrorCode::corrupted, event.error().message, {}};
    if (Result<void> applied = apply(*search, *event); !applied.ok()) return applied.error();
    rest.remove_prefix(line.size() + 1);
    search->bytes += line.size() + 1;
  }
  if (!rest.empty()) {  // no line break: cut off by a crash, or the break itself is damaged
    const std::string_view line = rest.substr(0, rest.rfind('}') + 1);
    if (const Result<api::SearchEvent> event = api::read_search_event(line); event.ok()) {
      search->bytes += line.size() + 1;
      Result<void> mended = files_->write(folder_ / file, search->bytes - 1, "\n");
      if (mended.ok()) mended = files_->sync(folder_ / file);
      if (mended.ok()) mended = apply(*search, *event);
      if (!mended.ok()) return mended.error();
    }
  }
  if (!search->plan || file != search->plan->name + ".ndjson")
    return Error{ErrorCode::corrupted, "does not say what to search", {}};
  return search;
}

Result<void> Searches::apply(Search& search, const api::SearchEvent& event) {
  if (const auto* accepted = std::get_if<api::SearchAccepted>(&event)) {
    // The limits bounded it when it was accepted.
    api::Limits limits = parts_.limits;
    limits.search_networks_max = std::numeric_limits<std::uint32_t>::max();
    Result<api::SearchPlan> plan = api::decode_search(accepted->definition, {}, limits);
    if (!plan.ok()) return Error{ErrorCode::corrupted, plan.error().message, {}};
    search.id = accepted->id;
    search.idempotency = accepted->idempotency;
    search.created_at = accepted->at;
    for (std::size_t i = 0; i < plan->candidates.size(); ++i) search.waiting.push_back(i);
    search.plan = std::make_shared<const api::SearchPlan>(*std::move(plan));
  } else if (!search.plan) {
    return Error{ErrorCode::corrupted, "does not begin with what to search", {}};
  } else if (const auto* started = std::get_if<api::SearchStarted>(&event)) {
    if (!search.started_at) search.started_at = started->at;  // two threads may begin it at once
  } else if (const auto* judged = std::get_if<api::SearchJudged>(&event)) {
    if (judged->result.candidate >= search.plan->candidates.size())
      return Error{ErrorCode::corrupted, "judges a candidate that there is not", {}};
    search.results[judged->result.candidate] = judged->result;
    std::erase(search.waiting, judged->result.candidate);
    if (!search.went_on) search.spent_ms = judged->spent_ms;
  } else if (std::get_if<api::SearchCancelled>(&event)) {
    search.cancelled = true;
  } else if (const auto* finished = std::get_if<api::SearchFinished>(&event)) {
    search.finished = *finished;
  }
  return {};
}

void Searches::start(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

void Searches::stop() {
  { std::lock_guard lock(mutex_); }  // whoever is about to wait sees that the engine stops
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

Result<Searches::SearchPointer> Searches::find(const std::string& name) {
  std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return no_search(name);
  return found->second;
}

Result<void> Searches::check_room(const api::SearchPlan& plan) {
  std::lock_guard lock(mutex_);
  const auto full = [](const std::string& what) { return Error{ErrorCode::resource_exhausted, what, {}}; };
  if (by_name_.contains(plan.name))
    return Error{
        ErrorCode::already_exists, "there is a search '" + plan.name + "' already", {{"#/name", "is taken"}}};
  if (by_name_.size() >= parts_.limits.searches_max)
    return full("this server keeps " + std::to_string(parts_.limits.searches_max) +
                " searches, the most that it can (searches_max); delete some");
  const auto open =
      std::count_if(by_name_.begin(), by_name_.end(), [](const auto& s) { return !s.second->finished; });
  if (static_cast<std::size_t>(open) >= parts_.limits.searches_waiting_max)
    return full(std::to_string(parts_.limits.searches_waiting_max) +
                " searches wait or run already, the most that this server takes (searches_waiting_max); "
                "try again later");
  for (std::size_t i = 0; i < plan.candidates.size(); ++i) {
    const std::string network = api::candidate_name(plan, i);
    if (parts_.registry.find(network))
      return Error{ErrorCode::already_exists,
                   "there is a network '" + network + "' already, and the search would make one of that name",
                   {{"#/name", "gives its networks names that are taken"}}};
  }
  return {};
}

Result<api::SearchView> Searches::create(api::SearchPlan plan, const api::Idempotency& idempotency) {
  if (parts_.stopping) return Error{ErrorCode::unavailable, "the server is stopping", {}};
  const std::lock_guard creating(creating_);
  if (!idempotency.key.empty()) {
    std::lock_guard lock(mutex_);
    for (const auto& [name, search] : by_name_) {
      if (search->idempotency.key != idempotency.key) continue;
      if (search->idempotency.request_digest != idempotency.request_digest)
        return Error{ErrorCode::conflict, "this Idempotency-Key was used for another request", {}};
      return view_of(*search);
    }
  }
  if (Result<void> room = check_room(plan); !room.ok()) return room.error();
  const api::SearchAccepted accepted{parts_.new_id(), plan.definition, idempotency, parts_.now()};
  auto search = std::make_shared<Search>();
  if (Result<void> applied = apply(*search, accepted); !applied.ok()) return applied.error();
  const std::string line = api::write_search_event(accepted) + "\n";
  search->bytes = line.size();
  const std::string name = search->plan->name;
  Result<void> stored = write_durably(*files_, folder_ / (name + ".temporary"), file_of(name), line);
  if (!stored.ok()) return stored.error();
  std::lock_guard lock(mutex_);
  search->ordinal = ++ordinal_;
  by_name_[name] = search;
  by_ordinal_[search->ordinal] = search;
  changed_.notify_all();
  return view_of(*search);
}

api::Page<api::SearchView> Searches::list(const api::PageQuery& query) {
  api::Page<api::SearchView> page;
  std::uint64_t below = ~std::uint64_t{0};
  std::from_chars(query.cursor.data(), query.cursor.data() + query.cursor.size(), below);
  std::lock_guard lock(mutex_);
  for (auto at = by_ordinal_.rbegin(); at != by_ordinal_.rend(); ++at) {
    if (at->first >= below) continue;
    if (page.items.size() == query.limit) {
      page.next_cursor = std::to_string(at->first + 1);
      break;
    }
    page.items.push_back(view_of(*at->second));
  }
  return page;
}

Result<api::SearchView> Searches::read(const std::string& name) {
  const Result<SearchPointer> search = find(name);
  if (!search.ok()) return search.error();
  std::lock_guard lock(mutex_);
  return view_of(**search);
}

Result<api::SearchView> Searches::cancel(const std::string& name) {
  const Result<SearchPointer> search = find(name);
  if (!search.ok()) return search.error();
  const auto known = [&] {
    std::lock_guard lock(mutex_);
    return (*search)->cancelled || (*search)->finished;
  };
  if (!known()) {
    const api::SearchCancelled event{parts_.now()};
    if (Result<void> done = append(**search, event); !done.ok()) return done.error();
  }
  return read(name);
}

Result<void> Searches::remove(const std::string& name) {
  const std::lock_guard creating(creating_);
  const Result<SearchPointer> search = find(name);
  if (!search.ok()) return search.error();
  {
    std::lock_guard lock(mutex_);
    if (!(*search)->finished)
      return Error{ErrorCode::conflict,
                   (*search)->cancelled ? "search '" + name + "' is ending; try again"
                                        : "search '" + name + "' goes on; cancel it first",
                   {}};
  }
  if (Result<void> gone = files_->remove_all(file_of(name)); !gone.ok()) return gone;
  if (Result<void> synced = files_->sync_folder(folder_); !synced.ok()) return synced;
  std::lock_guard lock(mutex_);
  by_name_.erase(name);
  by_ordinal_.erase((*search)->ordinal);
  return {};
}

Result<void> Searches::append(Search& search, const api::SearchEvent& event) {
  const std::string line = api::write_search_event(event) + "\n";
  const std::lock_guard writing(search.writing);
  const std::filesystem::path file = file_of(search.plan->name);
  Result<void> done = files_->write(file, search.bytes, line);
  if (done.ok()) done = files_->sync(file);
  if (!done.ok()) return done;
  search.bytes += line.size();
  std::lock_guard lock(mutex_);
  done = apply(search, event);
  changed_.notify_all();
  return done;
}

bool Searches::append_patiently(Search& search, const api::SearchEvent& event) {
  for (bool told = false; !parts_.stopping;) {
    const Result<void> done = append(search, event);
    if (done.ok()) return true;
    if (!std::exchange(told, true)) parts_.log("search " + search.plan->name + ": " + done.error().message);
    if (!wait_a_little()) break;
  }
  return false;
}

std::uint64_t Searches::spent_ms(const Search& search) const {
  if (search.finished) return search.finished->spent_ms;
  if (!search.went_on) return search.spent_ms;
  const auto here = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - *search.went_on);
  return search.spent_ms + static_cast<std::uint64_t>(here.count());
}

bool Searches::is_over(const Search& search) const {
  return search.cancelled || (search.plan->max_seconds &&
                              static_cast<double>(spent_ms(search)) >= *search.plan->max_seconds * 1000);
}

api::SearchView Searches::view_of(const Search& search) const {
  api::SearchView view;
  view.plan = search.plan;
  for (const auto& [candidate, result] : search.results)
    (result.score ? view.leaderboard : view.unranked).push_back(result);
  rank(view.leaderboard, search.plan->metric);
  view.seconds = static_cast<double>(spent_ms(search)) / 1000;
  view.created_at = search.created_at;
  view.started_at = search.started_at;
  if (search.finished) {
    view.finished_at = search.finished->at;
    view.stop_reason = search.finished->reason;
  }
  view.state = search.cancelled           ? api::SearchState::cancelled
               : !search.started_at       ? api::SearchState::queued
               : !search.finished         ? api::SearchState::running
               : view.leaderboard.empty() ? api::SearchState::failed
                                          : api::SearchState::succeeded;
  return view;
}

}  // namespace mlpd::server
