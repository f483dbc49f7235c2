#pragma once

#include <algorithm>
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
  /// The same without those for which a thread would have to be woken, which takes longer than a short loop.
  virtual std::size_t awake() const { return width(); }
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

/// Calls body(first, length) for up to `most` parts of `count` things, each a multiple of `unit` long but for
/// the last; the executor is not asked where one part is all.
template <class Body>
void for_each_part(Executor& executor, std::size_t most, std::size_t count, std::size_t unit,
                   const Body& body) {
  const std::size_t parts = std::min(most, count / unit);
  if (parts <= 1) return body(0, count);
  const std::size_t length = (count + parts * unit - 1) / (parts * unit) * unit;
  const auto call = [&](std::size_t part) {
    const std::size_t first = std::min(part * length, count);
    body(first, std::min(length, count - first));
  };
  executor.for_each(parts, std::cref(call));
}

}  // namespace mlpd::core
