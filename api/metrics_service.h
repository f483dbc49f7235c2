#pragma once

#include <cstddef>
#include <string>

namespace mlpd::api {

/// What the contract tells of itself for monitoring, and its text. Thread-safe.
class MetricsService {
 public:
  virtual ~MetricsService() = default;
  /// One call of a network for `rows` rows, which computed for so long. Returns at once.
  virtual void record_inference(std::size_t rows, double compute_seconds) = 0;
  /// Clients that follow events now.
  virtual std::size_t event_streams() const = 0;
  /// Everything measured, in Prometheus's text format.
  virtual std::string exposition() = 0;
};

}  // namespace mlpd::api
