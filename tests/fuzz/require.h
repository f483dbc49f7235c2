#pragma once

#include <cstdlib>

namespace mlpd::fuzz {

/// Ends the process, which libFuzzer reports as a crash, where a property does not hold.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace mlpd::fuzz
