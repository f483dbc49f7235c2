#pragma once

#include <chrono>
#include <thread>

namespace mlpd::test {

/// Long enough for a machine that others keep busy: only what fails takes so long.
inline constexpr std::chrono::milliseconds kPatience{120'000};

/// Looks at `holds` until it does; false after kPatience. Leaves the processor to the threads of idle
/// priority that it waits for.
template <class Condition>
bool eventually(Condition holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace mlpd::test
