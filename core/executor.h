#pragma once

#include <cstddef>
#include <functional>

namespace mlpd::core {

/// Where core's parallel loops run; the server passes one in, core owns no thread. Results never depend on
/// it: each index writes only its own numbers and no sum crosses indices.
class Executor {
 public:
  virtual ~Executor() = default;
  /// How many indices may run at once (≥ 1).
  virtual std::size_t width() const = 0;
  /// Calls body(0) … body(count−1), each once, possibly at once; returns when all have returned. The caller
  /// takes part.
  virtual void for_each(std::size_t count, const std::function<void(std::size_t)>& body) = 0;
};

/// Runs everything in the calling thread.
class SerialExecutor final : public Executor {
 public:
  std::size_t width() const override { return 1; }
  void for_each(std::size_t count, const std::function<void(std::size_t)>& body) override {
    for (std::size_t i = 0; i < count; ++i) body(i);
  }
};

}  // namespace mlpd::core
