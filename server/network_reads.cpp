#include <utility>

#include "server/network_service.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

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
  std::shared_ptr<Job> last;
  core::NetworkSpec spec;
  std::shared_ptr<const core::Preprocess> preprocess;
  {
    std::lock_guard lock(entry.mutex);
    spec = entry.facts.spec;
    preprocess = entry.preprocess;
    if (!entry.facts.jobs.empty()) last = entry.facts.jobs.back();
  }
  if (!source) {
    if (!last) {
      return Error{
          ErrorCode::invalid_argument,
          "network '" + entry.name() + "' has not been trained yet, so there is no data to use again",
          {{"#/data", "is needed"}}};
    }
    return parts.data.load(last->accepted);
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
    const std::string& name, const api::IfMatch& if_match, api::ModelExport model) {
  if (parts_.stopping) return Error{ErrorCode::unavailable, "the server is stopping"};
  Result<std::unique_ptr<core::Learner>> learner = core::Learner::restore(model.checkpoint, parts_.executor);
  if (!learner.ok()) return learner.error();
  const Registry::Reservation reservation(parts_.registry, name, "");
  const EntryPointer former = parts_.registry.find(name);
  if (!former && if_match) {
    return Error{ErrorCode::failed_precondition,
                 "If-Match was given, but there is no network '" + name + "'"};
  }
  if (!former && parts_.registry.size() >= parts_.limits.networks_max) {
    return Error{ErrorCode::resource_exhausted,
                 "there are " + std::to_string(parts_.limits.networks_max) +
                     " networks, the most that this server keeps (networks_max)"};
  }

  NetworkIdentity identity;
  identity.name = name;
  identity.incarnation = parts_.new_id();
  identity.spec = model.checkpoint.spec;
  identity.labels = model.labels;
  identity.created_at = parts_.now();
  identity.start_step = model.checkpoint.step;
  identity.preprocessed = model.checkpoint.preprocess != nullptr;
  identity.state_sha256 = core::state_digest(model.checkpoint).hex();
  const CheckpointKey key{model.checkpoint.step, 0};
  NewNetwork files;
  files.identity = write_identity(identity);
  files.checkpoint.emplace(key, write_state({model.checkpoint, {}, {}}));
  if (model.history) files.history = write_stored_history(key, *model.history);

  auto entry = std::make_shared<NetworkEntry>(std::move(identity), parts_.registry.next_ordinal(),
                                              parts_.limits.history_records_max, parts_.job_counts);
  entry->facts.checkpoints.push_back({key, files.checkpoint->second.size()});
  entry->preprocess = model.checkpoint.preprocess;
  entry->snapshot = (*learner)->snapshot();
  entry->training.state.learner = *std::move(learner);
  if (model.history) {
    entry->history = core::History::restore(*std::move(model.history), parts_.limits.history_records_max);
    if (const core::Record* last = entry->history.last()) entry->facts.last_record = *last;
  }
  entry->loaded = true;
  entry->used_at_ms = parts_.now().time_since_epoch().count();

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
