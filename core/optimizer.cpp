#include "core/optimizer.h"

namespace mlpd::core {

std::span<const OptimizerRow> optimizers() {
  static constexpr std::string_view kSgd[] = {"momentum", "nesterov"};
  static constexpr std::string_view kRmsprop[] = {"decay", "epsilon"};
  static constexpr std::string_view kAdagrad[] = {"epsilon"};
  static constexpr std::string_view kAdam[] = {"betas", "epsilon"};
  static constexpr std::string_view kAdamw[] = {"betas", "epsilon", "weight_decay"};
  static constexpr OptimizerRow kRows[] = {
      {Optimizer::sgd, "sgd", kSgd},
      {Optimizer::rmsprop, "rmsprop", kRmsprop},
      {Optimizer::adagrad, "adagrad", kAdagrad},
      {Optimizer::adam, "adam", kAdam},
      {Optimizer::adamw, "adamw", kAdamw},
      {Optimizer::lbfgs, "lbfgs", {}},
      {Optimizer::levenberg_marquardt, "levenberg_marquardt", {}},
      {Optimizer::automatic, "auto", {}},
  };
  return kRows;
}

OptimizerOptions default_options(Optimizer kind) {
  OptimizerOptions options;
  options.kind = kind;
  if (kind == Optimizer::sgd) options.learning_rate = 0.1;
  if (kind == Optimizer::adagrad) options.epsilon = 1e-10;
  return options;
}

}  // namespace mlpd::core
