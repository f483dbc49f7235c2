#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "api/service.h"
#include "core/executor.h"
#include "server/dataset_source.h"
#include "server/observer.h"
#include "server/past_limits.h"
#include "server/registry.h"
#include "server/store/quarantine.h"
#include "server/store/store.h"
#include "server/training_data.h"

namespace mlpd::server {

/// What the parts of one engine share; borrowed, all outlive them.
struct EngineParts {
  Store& store;
  Quarantine& damaged;
  Registry& registry;
  TrainingData& data;
  core::Executor& executor;
  const api::Limits& limits;
  const PastLimits& past_limits;
  EngineObserver& observer;
  DatasetSource* datasets = nullptr;  ///< null: no stored data sets
  std::function<api::Timestamp()> now;
  std::function<std::string()> new_id;
  std::function<void(const std::string&)> log;
  std::function<void(const std::shared_ptr<NetworkEntry>&)> wake;  ///< the network may have work
  std::atomic<bool> stopping{false};
  JobCounts job_counts;
  std::function<void(const std::string&)> forget_versions = {};  ///< of a network that was removed
};

}  // namespace mlpd::server
