#include "core/optimizer_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/thread_executor.h"

namespace mlpd::core {
namespace {

template <class T>
class UpdateParameters : public testing::Test {
 protected:
  static constexpr std::size_t kCount = 200'003;  // enough for parts, and no multiple of a vector

  struct Trained {
    OptimizerState<T> state;
    std::vector<T> w;
  };

  static Trained trained(const OptimizerOptions& options, Executor& executor) {
    Trained result;
    fit_optimizer_state(result.state, options, kCount);
    std::vector<T> g(kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
      result.w.push_back(static_cast<T>(std::sin(static_cast<double>(i))));
      g[i] = static_cast<T>(std::cos(static_cast<double>(3 * i)));
    }
    for (int step = 0; step < 3; ++step)
      update_parameters<T>(result.state, options, 0.01, result.w.data(), g.data(), kCount, executor);
    return result;
  }
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(UpdateParameters, Types);

TYPED_TEST(UpdateParameters, HasTheSameBitsInAnyNumberOfParts) {
  const auto same = [](const auto& a, const auto& b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
  };
  OptimizerOptions momentum = default_options(Optimizer::sgd);
  momentum.momentum = 0.9;
  SerialExecutor serial;
  for (const OptimizerOptions& options :
       {default_options(Optimizer::sgd), momentum, default_options(Optimizer::rmsprop),
        default_options(Optimizer::adagrad), default_options(Optimizer::adam),
        default_options(Optimizer::adamw)}) {
    const auto alone = this->trained(options, serial);
    for (const std::size_t width : {2u, 3u}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(options.kind) << " on " << width);
      test::ThreadExecutor threads(width);
      const auto parted = this->trained(options, threads);
      EXPECT_TRUE(same(parted.w, alone.w));
      EXPECT_TRUE(same(parted.state.first, alone.state.first));
      EXPECT_TRUE(same(parted.state.second, alone.state.second));
      EXPECT_EQ(parted.state.t, alone.state.t);
    }
  }
}

}  // namespace
}  // namespace mlpd::core
