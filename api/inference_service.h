#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/service.h"
#include "core/result.h"

namespace mlpd::api {

/// One answered or refused inference request; times in nanoseconds.
struct InferenceRecord {
  bool succeeded = false;
  std::size_t rows = 0;
  std::uint64_t input_ns = 0;   ///< reading the tensors
  std::uint64_t infer_ns = 0;   ///< computing
  std::uint64_t output_ns = 0;  ///< writing the tensors
};

struct InferenceDuration {
  std::uint64_t count = 0;
  std::uint64_t ns = 0;
};

/// Sums over all inference requests since the process started.
struct InferenceStatistics {
  std::string version;
  std::uint64_t last_inference_ms = 0;  ///< since the epoch; 0 = none yet
  std::uint64_t inference_count = 0;    ///< rows of successful requests
  std::uint64_t execution_count = 0;    ///< successful requests
  InferenceDuration success;
  InferenceDuration fail;
  InferenceDuration compute_input;
  InferenceDuration compute_infer;
  InferenceDuration compute_output;
};

/// What the Open Inference Protocol keeps beside a network: whether it is loaded, and its statistics. Neither
/// outlives the process or the network. Thread-safe.
class InferenceService {
 public:
  virtual ~InferenceService() = default;
  /// A network is loaded unless it was unloaded; not_found where there is none.
  virtual core::Result<bool> is_loaded(const std::string& network) = 0;
  virtual core::Result<void> set_loaded(const std::string& network, bool loaded) = 0;
  /// Counts under a version that answered; forgotten where the network is gone.
  virtual void record(const std::string& network, const std::string& version,
                      const InferenceRecord& record) = 0;
  /// One entry for each version that was asked since the process started.
  virtual core::Result<std::vector<InferenceStatistics>> statistics(const std::string& network) = 0;
  /// A steady clock.
  virtual std::uint64_t now_ns() const = 0;
};

}  // namespace mlpd::api
