#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "core/executor.h"

namespace mlpd::test {

/// Runs each index in a thread of its own.
class ThreadExecutor final : public core::Executor {
 public:
  explicit ThreadExecutor(std::size_t width) : width_(width) {}
  std::size_t width() const override { return width_; }
  void for_each(std::size_t count, const std::function<void(std::size_t)>& body) override {
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < count; ++i) threads.emplace_back(body, i);
    if (count > 0) body(0);
    for (std::thread& thread : threads) thread.join();
  }

 private:
  std::size_t width_;
};

}  // namespace mlpd::test
