#pragma once

#include <cstdint>
#include <string>

#include "api/service.h"
#include "core/history.h"

namespace mlpd::server {

/// Told what happens in the engine: for event streams and metrics. Called from any thread, outside locks,
/// often; must return at once.
class EngineObserver {
 public:
  virtual ~EngineObserver() = default;
  virtual void on_record(const std::string& /*network*/, const core::Record& /*record*/) {}
  /// A slice of a training: `steps` updates over `rows` rows in all; `loss` of its last record, NaN where it
  /// has none.
  virtual void on_slice(const std::string& /*network*/, std::uint64_t /*steps*/, std::uint64_t /*rows*/,
                        double /*loss*/) {}
  virtual void on_job(const api::JobView& /*job*/) {}  ///< every change of state
  virtual void on_checkpoint(const std::string& /*network*/, std::uint64_t /*step*/) {}
  virtual void on_network_created(const std::string& /*network*/) {}
  virtual void on_network_changed(const std::string& /*network*/) {}
  /// It went back to this step.
  virtual void on_network_restored(const std::string& /*network*/, std::uint64_t /*step*/) {}
  virtual void on_network_removed(const std::string& /*network*/) {}
};

}  // namespace mlpd::server
