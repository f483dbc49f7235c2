#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace mlpd::server {

/// How much of a network's past is kept, and how long a request may wait for it.
struct PastLimits {
  std::uint64_t journal_bytes_max = 4u << 20;   ///< of one network; past it the journal is folded
  std::size_t finished_jobs_max = 1'000;        ///< of one network; older ones are forgotten
  std::chrono::milliseconds replay_max{1'000};  ///< a replay estimated above it becomes a job
};

}  // namespace mlpd::server
