#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/layer_spec.h"
#include "core/loss.h"
#include "core/number_array.h"
#include "core/optimizer.h"
#include "core/regularizer.h"
#include "core/result.h"
#include "core/schedule.h"

namespace mlpd::core {

/// What may change during a network's life (PATCH, train, fork); every change is journalled with its step.
struct HyperParameters {
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  Regularization regularization;
  GradientClip gradient_clip;
  bool operator==(const HyperParameters&) const = default;
};

/// What to build: everything that decides a network's numbers. Names, labels and ttl are the server's.
struct NetworkSpec {
  std::size_t inputs = 0;                 ///< ≥ 1: columns of the input matrix (after preprocessing)
  std::vector<std::string> input_names;   ///< empty, or one name for each raw column
  std::vector<std::string> class_labels;  ///< empty, or one label for each output of a classifier
  std::vector<LayerSpec> layers;          ///< at least one; the last one is dense
  LossOptions loss;
  HyperParameters hyper_parameters;
  double ema = 0;  ///< 0 = off, else (0, 1): decay of the averaged parameters kept beside
  std::uint64_t seed = 0;
  Dtype dtype = Dtype::float32;
  bool operator==(const NetworkSpec&) const = default;
};

/// Bounds of a spec; the server passes its configured values, these are api.md's defaults.
struct NetworkLimits {
  std::size_t layers = 64;              ///< bricks, nested ones included
  std::size_t units = 65'536;           ///< units of one layer, and inputs
  std::size_t parameters = 50'000'000;  ///< trainable numbers of one network
};

/// Checks every range and shape at once. Pointers in the error are those of the create body
/// ("#/layers/0/units",
/// "#/optimizer/learning_rate"). Nothing is allocated for the parameters. Overflow-safe.
Result<void> validate(const NetworkSpec& spec, const NetworkLimits& limits);

/// The same for hyper-parameters alone (pointers "#/optimizer/…", "#/schedule/…").
Result<void> validate(const HyperParameters& hyper_parameters);

/// Trainable numbers of a valid spec.
std::size_t parameter_count(const NetworkSpec& spec);

/// Columns of the output matrix of a valid spec.
std::size_t output_count(const NetworkSpec& spec);

/// Whether outputs mean classes: softmax or cross_entropy, or one or more sigmoid outputs under
/// binary_cross_entropy, or class labels present.
bool is_classifier(const NetworkSpec& spec);

}  // namespace mlpd::core
