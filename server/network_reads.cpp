#include <utility>

#include "server/network_service.h"
#include "server/network_start.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

/// Without a look at each checkpoint's file: there may be tens of thousands.
Result<std::uint64_t> NetworkServiceImplementation::disk_bytes(const std::string& name) {
  const Result<EntryPointer> entry = find(name);
  if (!entry.ok()) return entry.error();
  std::uint64_t sum = parts_.store.bytes(name);
  std::lock_guard lock((*entry)->mutex);
  for (const StoredCheckpoint& stored : (*entry)->facts.checkpoints) sum += stored.bytes;
  return sum;
}

Result<std::shared_ptr<const core::Snapshot>> NetworkServiceImplementation::snapshot(const std::string& name,
                                                                                     api::AtStep step) {
  const Result<EntryPointer> entry = find(name);
  if (!entry.ok()) return entry.error();
  return keeper_.snapshot(**entry, step);
}

Result<core::Checkpoint> NetworkServiceImplementation::checkpoint(const std::string& name, api::AtStep step) {
  const Result<EntryPointer> entry = find(name);
  if (!entry.ok()) return entry.error();
  return keeper_.checkpoint(**entry, step);
}

Result<std::unique_ptr<core::Learner>> NetworkServiceImplementation::learner(const std::string& name,
                                                                             api::AtStep step) {
  Result<core::Checkpoint> state = checkpoint(name, step);
  if (!state.ok()) return state.error();
  return core::Learner::restore(*std::move(state), parts_.executor);
}

Result<std::shared_ptr<const core::Dataset>> resolve_data(EngineParts& parts, NetworkKeeper& keeper,
                                                          NetworkEntry& entry,
                                                          const std::optional<api::DataSource>& source) {
  if (Result<void> loaded = keeper.ensure_preprocess(entry); !loaded.ok()) return loaded.error();
  std::shared_ptr<const core::Dataset> rows;
  std::shared_ptr<const JobAccepted> last;
  core::NetworkSpec spec;
  std::shared_ptr<const core::Preprocess> preprocess;
  {
    std::lock_guard lock(entry.mutex);
    spec = entry.facts.spec;
    preprocess = entry.preprocess;
    last = entry.facts.data;
  }
  if (!source) {
    if (!last) {
      return Error{
          ErrorCode::invalid_argument,
          "network '" + entry.name() + "' has not been trained yet, so there is no data to use again",
          {{"#/data", "is needed"}}};
    }
    return parts.data.load(*last);
  }
  if (const auto* given = std::get_if<std::shared_ptr<const core::Dataset>>(&*source)) {
    rows = *given;
  } else if (const auto* options = std::get_if<core::GeneratorOptions>(&*source)) {
    Result<core::Dataset> made = core::generate(*options);
    if (!made.ok()) return made.error();
    rows = std::make_shared<const core::Dataset>(*std::move(made));
  } else {
    const std::string& name = std::get<std::string>(*source);
    if (parts.datasets == nullptr) return Error{ErrorCode::not_found, "there is no data set '" + name + "'"};
    Result<std::shared_ptr<const core::Dataset>> stored = parts.datasets->rows(name, spec, preprocess);
    if (!stored.ok()) return stored.error();
    rows = *std::move(stored);
  }
  Error misfit{ErrorCode::invalid_argument, "the data does not fit network '" + entry.name() + "'", {}};
  if (rows->rows == 0) misfit.fields.push_back({"#/data", "has no rows"});
  if (rows->input_count != spec.inputs) {
    misfit.fields.push_back({"#/data/inputs", "rows have " + std::to_string(rows->input_count) +
                                                  " numbers; the network takes " +
                                                  std::to_string(spec.inputs)});
  }
  if (rows->output_count != core::output_count(spec)) {
    misfit.fields.push_back({"#/data/targets", "rows have " + std::to_string(rows->output_count) +
                                                   " numbers; the network gives " +
                                                   std::to_string(core::output_count(spec))});
  }
  if (!misfit.fields.empty()) return misfit;
  return rows;
}

Result<std::shared_ptr<const core::Dataset>> NetworkServiceImplementation::data(
    const std::string& name, const std::optional<api::DataSource>& source) {
  const Result<EntryPointer> entry = find(name);
  if (!entry.ok()) return entry.error();
  return resolve_data(parts_, keeper_, **entry, source);
}

Result<core::HistoryColumns> NetworkServiceImplementation::history(const std::string& name,
                                                                   const core::HistoryQuery& query) {
  const Result<EntryPointer> entry = find(name);
  if (!entry.ok()) return entry.error();
  if (Result<void> loaded = keeper_.ensure_loaded(**entry); !loaded.ok()) return loaded.error();
  std::lock_guard lock((*entry)->history_mutex);
  return (*entry)->history.query(query);
}

Result<api::ModelExport> NetworkServiceImplementation::export_model(const std::string& name, api::AtStep step,
                                                                    bool with_history) {
  const Result<EntryPointer> entry = find(name);
  if (!entry.ok()) return entry.error();
  Result<core::Checkpoint> state = keeper_.checkpoint(**entry, step);
  if (!state.ok()) return state.error();
  api::ModelExport model;
  model.name = name;
  model.checkpoint = *std::move(state);
  if (with_history) {
    std::lock_guard lock((*entry)->history_mutex);
    core::History copy = core::History::restore((*entry)->history.state(), parts_.limits.history_records_max);
    if (step) copy.truncate(*step);
    model.history = copy.state();
  }
  std::lock_guard lock((*entry)->mutex);
  model.labels = (*entry)->facts.labels;
  return model;
}

Result<std::pair<api::NetworkView, bool>> NetworkServiceImplementation::import_model(
    const std::string& name, const api::IfMatch& if_match, api::ModelExport model, bool only_new) {
  if (parts_.stopping) return Error{ErrorCode::unavailable, "the server is stopping"};
  const Registry::Reservation reservation(parts_.registry, name, "");
  const EntryPointer former = parts_.registry.find(name);
  if (!former && if_match) {
    return Error{ErrorCode::failed_precondition,
                 "If-Match was given, but there is no network '" + name + "'"};
  }
  if (former && only_new)
    return Error{ErrorCode::failed_precondition,
                 "If-None-Match: * was given, but there is a network '" + name + "'"};
  if (!former) {
    if (Result<void> room = check_room(parts_); !room.ok()) return room.error();
  }
  NetworkStart start;
  start.identity.name = name;
  start.identity.labels = std::move(model.labels);
  start.checkpoint = std::move(model.checkpoint);
  start.history = std::move(model.history);
  Result<PreparedNetwork> prepared = prepare_network(parts_, std::move(start));
  if (!prepared.ok()) return prepared.error();
  const EntryPointer& entry = prepared->entry;
  const NewNetwork& files = prepared->files;

  if (former) {
    const std::lock_guard changing(former->changes);
    if (Result<void> retired = retire(former, if_match, false); !retired.ok()) return retired.error();
    Result<void> stored;
    {
      const std::lock_guard storing(former->storing);
      stored = parts_.store.create(name, files, true);
    }
    if (!stored.ok()) {
      keep_after_all(former);
      return stored.error();
    }
    parts_.registry.insert(entry);
    forget(former);
  } else {
    Result<void> stored = parts_.store.create(name, files, false);
    if (!stored.ok()) return stored.error();
    parts_.registry.insert(entry);
  }
  parts_.observer.on_network_created(name);
  std::lock_guard lock(entry->mutex);
  return std::pair(entry->view(), former == nullptr);
}

}  // namespace mlpd::server
