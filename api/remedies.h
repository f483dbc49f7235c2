#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/service.h"
#include "core/diagnosis.h"

namespace mlpd::api {

/// A request that may help, ready to send.
struct Remedy {
  std::string title;  ///< one sentence for a person
  std::string method;
  std::string path;
  std::string body;  ///< JSON
};

/// Where to branch off from an instability that began at `onset`: a sixth of its steps earlier, so that the
/// remedy acts before the burst, but not before `replayable_from`.
std::uint64_t fork_step_before(std::uint64_t onset, std::uint64_t replayable_from);

/// What to do about a verdict that began at `onset`; none for healthy. `batch_rows` is what penalties are
/// divided by.
std::vector<Remedy> remedies(const NetworkView& network, core::Verdict verdict, std::uint64_t onset,
                             std::size_t batch_rows);

}  // namespace mlpd::api
