#include "server/versions.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/model_document.h"
#include "server/journal_record.h"
#include "server/network_service.h"
#include "server/raw_object.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

namespace {

constexpr const char* kIndex = "index.ndjson";
constexpr const char* kDefaultAlias = "default";

std::string file_of(std::uint64_t version) { return std::to_string(version) + ".json"; }

Error no_version(const std::string& network, const std::string& wanted) {
  return {ErrorCode::not_found, "network '" + network + "' has no version or alias '" + wanted + "'", {}};
}

Error too_many_aliases(const std::string& network) {
  return {ErrorCode::resource_exhausted,
          "network '" + network + "' has " + std::to_string(api::kAliasesMax) +
              " aliases, the most that one can have",
          {}};
}

bool goes_on(const Registry::FoundJob& found) {
  if (!found.job) return false;
  std::lock_guard lock(found.entry->mutex);
  return !has_ended(found.job->view.state);
}

api::VersionView with_aliases(api::VersionView view, const std::map<std::string, std::uint64_t>& aliases) {
  for (const auto& [alias, version] : aliases)
    if (version == view.version) view.aliases.push_back(alias);
  return view;
}

}  // namespace

Result<void> Versions::recover_network(const std::string& network) {
  const Result<std::string> text = files_->read(folder_of(network) / kIndex);
  Result<Index> index = text.ok() ? read_version_index(*text) : text.error();
  if (!index.ok() && index.error().code == ErrorCode::not_found) {  // cut off before the first index
    (void)files_->remove_all(folder_of(network));
    return {};
  }
  if (!index.ok() && index.error().code == ErrorCode::corrupted) {
    parts_.damaged.set_aside(folder_of(network), index.error().message);
    return {};
  }
  if (!index.ok()) return index.error();  // the disk can't be read now
  if (const Result<std::vector<FileSystem::Item>> items = files_->list(folder_of(network)); items.ok()) {
    for (const FileSystem::Item& item : *items) {
      const bool known = item.name == kIndex || std::any_of(index->versions.begin(), index->versions.end(),
                                                            [&](const auto& version) {
                                                              return item.name == file_of(version.first);
                                                            });
      if (!known) (void)files_->remove_all(folder_of(network) / item.name);
    }
  }
  auto set = std::make_shared<Set>();
  set->index = *std::move(index);
  if (set->index.shadow) has_shadows_ = true;
  sets_[network] = std::move(set);
  return {};
}

Result<void> Versions::recover() {
  if (Result<void> made = make_folder_durably(*files_, folder_ / "versions"); !made.ok()) return made;
  const Result<std::vector<FileSystem::Item>> items = files_->list(folder_ / "versions");
  if (!items.ok()) return items.error();
  std::unique_lock lock(mutex_);
  for (const FileSystem::Item& item : *items) {
    if (parts_.registry.find(item.name)) {
      if (Result<void> done = recover_network(item.name); !done.ok()) return done;
    } else if (parts_.damaged.list().empty()) {  // cut off while the network was removed
      (void)files_->remove_all(folder_of(item.name));
    } else {  // they may belong to a network that was set aside
      parts_.damaged.set_aside(folder_of(item.name), "there is no such network");
    }
  }
  return {};
}

void Versions::forget(const std::string& network) {
  {
    std::unique_lock lock(mutex_);
    if (sets_.erase(network) == 0) return;
  }
  (void)files_->remove_all(folder_of(network));
}

void Versions::while_unchanged(const std::string& network, const std::function<void()>& act) {
  const Result<SetPointer> set = find(network);
  if (!set.ok()) return;
  const std::lock_guard changing((*set)->changing);
  act();
}

Result<Versions::SetPointer> Versions::find(const std::string& network) {
  {
    std::shared_lock lock(mutex_);
    const auto found = sets_.find(network);
    if (found != sets_.end()) return found->second;
  }
  if (!parts_.registry.find(network)) return no_network(network);
  return std::make_shared<Set>();
}

Result<void> Versions::commit_index(const std::string& network, Set& set, Index index) {
  if (Result<void> written = write_durably(*files_, folder_of(network) / "index.temporary",
                                           folder_of(network) / kIndex, write_version_index(index));
      !written.ok())
    return written;
  std::lock_guard lock(set.mutex);
  set.index = std::move(index);
  std::erase_if(set.ready, [&](const auto& ready) { return !set.index.holds(ready.first); });
  return {};
}

Result<api::VersionList> Versions::list(const std::string& network) {
  const Result<SetPointer> set = find(network);
  if (!set.ok()) return set.error();
  std::lock_guard lock((*set)->mutex);
  const Index& index = (*set)->index;
  api::VersionList list;
  list.aliases = index.aliases;
  for (auto version = index.versions.rbegin(); version != index.versions.rend(); ++version)
    list.versions.push_back(with_aliases(version->second, index.aliases));
  return list;
}

Result<api::VersionView> Versions::read(const std::string& network, std::uint64_t version) {
  const Result<SetPointer> set = find(network);
  if (!set.ok()) return set.error();
  std::lock_guard lock((*set)->mutex);
  const Index& index = (*set)->index;
  const auto found = index.versions.find(version);
  if (found == index.versions.end()) return no_version(network, std::to_string(version));
  return with_aliases(found->second, index.aliases);
}

Result<std::optional<api::VersionView>> Versions::find_published(const Index& index,
                                                                 const api::Idempotency& wanted) {
  if (wanted.key.empty()) return std::optional<api::VersionView>();
  for (const auto& [version, key] : index.keys) {
    if (key.key != wanted.key) continue;
    if (key.request_digest != wanted.request_digest)
      return Error{ErrorCode::conflict, "this Idempotency-Key was used for another request", {}};
    return std::optional(with_aliases(index.versions.at(version), index.aliases));
  }
  return std::optional<api::VersionView>();
}

Result<api::VersionView> Versions::publish(const std::string& network, api::AtStep step,
                                           const api::Idempotency& idempotency) {
  if (parts_.stopping) return Error{ErrorCode::unavailable, "the server is stopping", {}};
  const std::shared_ptr<NetworkEntry> entry = parts_.registry.find(network);
  if (!entry) return no_network(network);
  const std::lock_guard changing_network(entry->changes);  // it is not removed meanwhile
  {
    std::lock_guard lock(entry->mutex);
    if (entry->facts.removed) return no_network(network);
  }
  Result<core::Checkpoint> checkpoint = keeper_.checkpoint(*entry, step);
  if (!checkpoint.ok()) return checkpoint.error();
  return add(network, *std::move(checkpoint), {{}, {}, idempotency});
}

Result<api::VersionView> Versions::publish_from(const std::string& network, core::Checkpoint checkpoint,
                                                const std::string& job, const std::string& alias) {
  return add(network, std::move(checkpoint), {job, alias, {}});
}

std::optional<api::VersionView> Versions::published_by(const std::string& network, const std::string& job) {
  const Result<SetPointer> set = find(network);
  if (!set.ok()) return std::nullopt;
  std::lock_guard lock((*set)->mutex);
  const Index& index = (*set)->index;
  for (const auto& [number, view] : index.versions)
    if (view.job == job) return with_aliases(view, index.aliases);
  return std::nullopt;
}

Versions::SetPointer Versions::make_set(const std::string& network) {
  std::unique_lock lock(mutex_);
  SetPointer& slot = sets_[network];
  if (!slot) slot = std::make_shared<Set>();
  return slot;
}

Result<void> Versions::make_folder(const std::string& network) {
  Result<void> done = files_->make_folder(folder_of(network));
  if (done.ok()) done = files_->sync_folder(folder_ / "versions");
  return done;
}

/// With an alias, version and alias become visible together.
Result<api::VersionView> Versions::add(const std::string& network, core::Checkpoint checkpoint,
                                       const Reason& reason) {
  const SetPointer set = make_set(network);
  const std::lock_guard changing(set->changing);
  Index index = set->index;
  const auto known = find_published(index, reason.idempotency);
  if (!known.ok()) return known.error();
  if (*known) return **known;
  const std::string& alias = reason.alias;
  if (!alias.empty() && !index.aliases.contains(alias) && index.aliases.size() >= api::kAliasesMax)
    return too_many_aliases(network);
  if (index.versions.size() >= api::kVersionsMax) {
    return Error{ErrorCode::resource_exhausted,
                 "network '" + network + "' has " + std::to_string(api::kVersionsMax) +
                     " versions, the most that one can have; delete some",
                 {}};
  }
  api::VersionView view;
  view.version = index.next++;
  view.step = checkpoint.step;
  view.state_sha256 = core::state_digest(checkpoint).hex();
  view.created_at = parts_.now();
  view.job = reason.job;
  const std::string text = api::seal_document(write_state({std::move(checkpoint), {}, {}})) + "\n";
  view.bytes = text.size();
  Result<void> done = make_folder(network);
  const std::filesystem::path file = folder_of(network) / file_of(view.version);
  if (done.ok()) done = write_durably(*files_, folder_of(network) / "version.temporary", file, text);
  if (!done.ok()) return done.error();
  index.versions[view.version] = view;
  if (!reason.idempotency.key.empty()) index.keys[view.version] = reason.idempotency;
  if (!alias.empty()) index.aliases[alias] = view.version;
  view = with_aliases(view, index.aliases);
  done = commit_index(network, *set, std::move(index));
  if (!done.ok()) {
    (void)files_->remove_all(file);
    return done.error();
  }
  return view;
}

Result<void> Versions::remove(const std::string& network, std::uint64_t version) {
  const Result<SetPointer> set = find(network);
  if (!set.ok()) return set.error();
  const std::lock_guard changing((*set)->changing);
  Index index = (*set)->index;
  const auto found = index.versions.find(version);
  if (found == index.versions.end()) return no_version(network, std::to_string(version));
  const api::VersionView view = with_aliases(found->second, index.aliases);
  if (!view.aliases.empty()) {
    return Error{ErrorCode::conflict,
                 "version " + std::to_string(version) + " is what the alias '" + view.aliases.front() +
                     "' names; move or delete the alias first",
                 {}};
  }
  if (index.holds(version)) {
    return Error{
        ErrorCode::conflict, "version " + std::to_string(version) + " is the shadow; end that first", {}};
  }
  // Should the process end first, the job's end comes again, and must find what it published.
  if (goes_on(parts_.registry.find_job(found->second.job))) {
    return Error{ErrorCode::conflict,
                 "version " + std::to_string(version) + " was published by job " + found->second.job +
                     ", whose end is not on record yet; try again when it has ended",
                 {}};
  }
  index.versions.erase(found);
  index.keys.erase(version);
  if (Result<void> done = commit_index(network, **set, std::move(index)); !done.ok()) return done;
  (void)files_->remove_all(folder_of(network) / file_of(version));
  return {};
}

Result<std::unique_ptr<core::Learner>> Versions::learner(const std::string& network, std::uint64_t version) {
  const std::filesystem::path file = folder_of(network) / file_of(version);
  const Result<std::string> text = files_->read(file);
  if (!text.ok()) return text.error();
  if (Result<void> sealed = api::check_seal(*text); !sealed.ok()) {
    parts_.damaged.set_aside(file, sealed.error().message);
    return sealed.error();
  }
  std::string_view document = *text;
  while (document.ends_with('\n')) document.remove_suffix(1);
  Result<StoredState> state = read_state(document);
  if (!state.ok()) return state.error();
  return core::Learner::restore(std::move(state->checkpoint), parts_.executor);
}

Result<Versions::SnapshotPointer> Versions::load(const std::string& network, Set& set,
                                                 std::uint64_t version) {
  {
    std::lock_guard lock(set.mutex);
    const auto ready = set.ready.find(version);
    if (ready != set.ready.end()) return ready->second;
  }
  Result<std::unique_ptr<core::Learner>> learner = this->learner(network, version);
  if (!learner.ok()) return learner.error();
  SnapshotPointer snapshot = (*learner)->snapshot();
  std::lock_guard lock(set.mutex);
  if (!set.index.versions.contains(version)) return no_version(network, std::to_string(version));
  std::erase_if(set.ready, [&](const auto& ready) { return !set.index.holds(ready.first); });
  set.ready[version] = snapshot;
  return snapshot;
}

Result<std::pair<std::uint64_t, bool>> Versions::set_alias(const std::string& network,
                                                           const std::string& alias, std::uint64_t version) {
  const Result<SetPointer> set = find(network);
  if (!set.ok()) return set.error();
  const std::lock_guard changing((*set)->changing);
  Index index = (*set)->index;
  if (!index.versions.contains(version)) return no_version(network, std::to_string(version));
  const bool created = !index.aliases.contains(alias);
  if (created && index.aliases.size() >= api::kAliasesMax) return too_many_aliases(network);
  // Readable, and in memory before it serves.
  Result<SnapshotPointer> snapshot = load(network, **set, version);
  if (!snapshot.ok()) return snapshot.error();
  index.aliases[alias] = version;
  if (Result<void> done = commit_index(network, **set, std::move(index)); !done.ok()) return done.error();
  std::lock_guard lock((*set)->mutex);
  (*set)->ready[version] = *snapshot;
  return std::pair(version, created);
}

Result<std::uint64_t> Versions::read_alias(const std::string& network, const std::string& alias) {
  const Result<SetPointer> set = find(network);
  if (!set.ok()) return set.error();
  std::lock_guard lock((*set)->mutex);
  const auto found = (*set)->index.aliases.find(alias);
  if (found == (*set)->index.aliases.end()) return no_version(network, alias);
  return found->second;
}

Result<void> Versions::remove_alias(const std::string& network, const std::string& alias) {
  const Result<SetPointer> set = find(network);
  if (!set.ok()) return set.error();
  const std::lock_guard changing((*set)->changing);
  Index index = (*set)->index;
  if (index.aliases.erase(alias) == 0) return no_version(network, alias);
  return commit_index(network, **set, std::move(index));
}

Result<std::pair<Shadow, bool>> Versions::set_shadow(const std::string& network, api::VersionNumber version) {
  const std::shared_ptr<NetworkEntry> entry = parts_.registry.find(network);
  if (!entry) return no_network(network);
  const std::lock_guard changing_network(entry->changes);  // it is not removed meanwhile
  {
    std::lock_guard lock(entry->mutex);
    if (entry->facts.removed) return no_network(network);
  }
  const SetPointer set = make_set(network);
  const std::lock_guard changing(set->changing);
  Index index = set->index;
  if (version && !index.versions.contains(*version)) return no_version(network, std::to_string(*version));
  if (index.shadow && index.shadow->version == version) return std::pair(*index.shadow, false);
  const bool created = !index.shadow;
  const Shadow shadow{version, parts_.now()};
  index.shadow = shadow;
  if (Result<void> made = make_folder(network); !made.ok()) return made.error();
  if (Result<void> done = commit_index(network, *set, std::move(index)); !done.ok()) return done.error();
  has_shadows_ = true;
  return std::pair(shadow, created);
}

std::optional<Shadow> Versions::shadow(const std::string& network) {
  if (!has_shadows_.load(std::memory_order_relaxed)) return std::nullopt;
  std::shared_lock lock(mutex_);
  const auto found = sets_.find(network);
  if (found == sets_.end()) return std::nullopt;
  std::lock_guard set_lock(found->second->mutex);
  return found->second->index.shadow;
}

Result<void> Versions::remove_shadow(const std::string& network) {
  const Result<SetPointer> set = find(network);
  if (!set.ok()) return set.error();
  const std::lock_guard changing((*set)->changing);
  Index index = (*set)->index;
  if (!index.shadow) return Error{ErrorCode::not_found, "network '" + network + "' has no shadow", {}};
  index.shadow.reset();
  return commit_index(network, **set, std::move(index));
}

Result<api::ResolvedVersion> Versions::resolve(const std::string& network,
                                               const std::optional<std::string>& wanted) {
  const Result<SetPointer> set = find(network);
  if (!set.ok()) return set.error();
  std::uint64_t version = 0;
  {
    std::lock_guard lock((*set)->mutex);
    const Index& index = (*set)->index;
    const std::string name = wanted.value_or(kDefaultAlias);
    const auto alias = index.aliases.find(name);
    const char* end = name.data() + name.size();
    if (alias != index.aliases.end()) {
      version = alias->second;
    } else if (wanted &&
               (std::from_chars(name.data(), end, version).ptr != end || !index.versions.contains(version))) {
      return no_version(network, name);
    }
    const auto ready = (*set)->ready.find(version);
    if (version != 0 && ready != (*set)->ready.end()) return api::ResolvedVersion{ready->second, version};
  }
  if (version == 0) {
    const std::shared_ptr<NetworkEntry> entry = parts_.registry.find(network);
    if (!entry) return no_network(network);
    Result<SnapshotPointer> live = keeper_.snapshot(*entry, std::nullopt);
    if (!live.ok()) return live.error();
    return api::ResolvedVersion{*live, std::nullopt};
  }
  Result<SnapshotPointer> snapshot = load(network, **set, version);
  if (!snapshot.ok()) return snapshot.error();
  return api::ResolvedVersion{*snapshot, version};
}

}  // namespace mlpd::server
