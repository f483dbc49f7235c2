#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "api/search_service.h"

namespace mlpd::api {

/// Searches that never begin; cancelling one ends it.
class FakeSearches final : public SearchService {
 public:
  core::Result<SearchView> create(SearchPlan plan, const Idempotency&) override {
    const std::string name = plan.name;
    if (searches.contains(name)) return core::Error{core::ErrorCode::already_exists, "is taken", {}};
    SearchView view;
    view.plan = std::make_shared<const SearchPlan>(std::move(plan));
    return searches[name] = std::move(view);
  }
  Page<SearchView> list(const PageQuery&) override {
    Page<SearchView> page;
    for (const auto& [name, view] : searches) page.items.push_back(view);
    return page;
  }
  core::Result<SearchView> read(const std::string& name) override {
    const auto found = searches.find(name);
    if (found == searches.end()) return missing();
    return found->second;
  }
  core::Result<SearchView> cancel(const std::string& name) override {
    if (!searches.contains(name)) return missing();
    searches[name].state = SearchState::cancelled;
    searches[name].stop_reason = SearchStop::cancelled;
    return searches[name];
  }
  core::Result<void> remove(const std::string& name) override {
    if (!searches.contains(name)) return missing();
    if (searches[name].state == SearchState::queued)
      return core::Error{core::ErrorCode::conflict, "goes on", {}};
    searches.erase(name);
    return {};
  }

  std::map<std::string, SearchView> searches;

 private:
  static core::Error missing() { return {core::ErrorCode::not_found, "there is no such search", {}}; }
};

}  // namespace mlpd::api
