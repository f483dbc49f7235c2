#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "core/learner.h"

namespace mlpd::core {

/// A stack of dense bricks for tests, float64.
inline NetworkSpec dense_network(std::size_t inputs, const std::vector<std::size_t>& units, Activation hidden,
                                 Activation last) {
  NetworkSpec spec;
  spec.inputs = inputs;
  spec.dtype = Dtype::float64;
  for (std::size_t i = 0; i < units.size(); ++i) {
    LayerSpec layer;
    layer.units = units[i];
    layer.activation = i + 1 == units.size() ? last : hidden;
    spec.layers.push_back(layer);
  }
  spec.loss.kind = default_loss(last);
  return spec;
}

inline Executor& serial() {
  static SerialExecutor executor;
  return executor;
}

inline std::unique_ptr<Learner> make_learner(const NetworkSpec& spec, Executor& executor = serial()) {
  Result<std::unique_ptr<Learner>> learner = Learner::create(spec, nullptr, executor);
  EXPECT_TRUE(learner.ok()) << learner.error().message;
  return std::move(*learner);
}

}  // namespace mlpd::core
