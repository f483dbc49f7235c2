#pragma once

#include <span>
#include <string_view>

namespace mlpd::core {

/// Update rules. sgd, rmsprop, adagrad, adam and adamw follow PyTorch's formulas; lbfgs and
/// levenberg_marquardt work on the whole training set (core/solver.h); `automatic` ("auto" on the wire)
/// chooses among them.
enum class Optimizer { sgd, rmsprop, adagrad, adam, adamw, lbfgs, levenberg_marquardt, automatic };

/// Settings of an update rule; each field is used by the rules whose row in optimizers() lists it.
struct OptimizerOptions {
  Optimizer kind = Optimizer::adam;
  double learning_rate = 0.02;  ///< > 0
  double momentum = 0;          ///< sgd: [0, 1)
  bool nesterov = false;        ///< sgd: needs momentum > 0
  double decay = 0.99;          ///< rmsprop: [0, 1)
  double beta1 = 0.9;           ///< adam, adamw: [0, 1); "betas": [beta1, beta2] on the wire
  double beta2 = 0.999;         ///< adam, adamw: [0, 1)
  double epsilon = 1e-8;        ///< > 0, outside the root; 1e-10 by default for adagrad
  double weight_decay = 0.01;   ///< adamw: ≥ 0, decoupled, on all parameters
  bool operator==(const OptimizerOptions&) const = default;
};

/// One row: the wire name, and the wire names of the fields that this rule takes besides learning_rate.
struct OptimizerRow {
  Optimizer value;
  std::string_view name;
  std::span<const std::string_view> fields;
};

std::span<const OptimizerRow> optimizers();

/// The options a rule has before a user changes any: learning_rate 0.02 for adam, adamw, rmsprop, adagrad;
/// 0.1 for sgd; epsilon 1e-10 for adagrad.
OptimizerOptions default_options(Optimizer kind);

}  // namespace mlpd::core
