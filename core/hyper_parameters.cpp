#include <cmath>
#include <string>
#include <utility>

#include "core/network_spec.h"

namespace mlpd::core {

namespace {

/// Keeps every fault of a HyperParameters value.
class Inspection {
 public:
  Result<void> run(const HyperParameters& hyper_parameters) {
    check_optimizer(hyper_parameters.optimizer);
    check_schedule(hyper_parameters.schedule, "#/schedule");
    const Regularization& regularization = hyper_parameters.regularization;
    require(not_negative(regularization.l1), "#/regularization/l1", "must be 0 (off) or more");
    require(not_negative(regularization.l2), "#/regularization/l2", "must be 0 (off) or more");
    const GradientClip& clip = hyper_parameters.gradient_clip;
    require(not_negative(clip.norm), "#/gradient_clip/norm", "must be 0 (off) or more");
    require(not_negative(clip.value), "#/gradient_clip/value", "must be 0 (off) or more");
    if (faults_.empty()) return {};
    return Error{ErrorCode::invalid_argument, "The hyper-parameters have faults.", std::move(faults_)};
  }

 private:
  static bool not_negative(double x) { return x >= 0 && std::isfinite(x); }
  static bool positive(double x) { return x > 0 && std::isfinite(x); }
  static bool below_one(double x) { return x >= 0 && x < 1; }

  void require(bool holds, std::string pointer, std::string detail) {
    if (!holds) faults_.push_back({std::move(pointer), std::move(detail)});
  }

  void check_optimizer(const OptimizerOptions& optimizer) {
    const std::string at = "#/optimizer/";
    const bool adam = optimizer.kind == Optimizer::adam || optimizer.kind == Optimizer::adamw;
    require(positive(optimizer.learning_rate), at + "learning_rate",
            "must be a number above 0, such as 0.02");
    if (optimizer.kind == Optimizer::sgd) {
      require(below_one(optimizer.momentum), at + "momentum", "must be in [0, 1)");
      require(!optimizer.nesterov || optimizer.momentum > 0, at + "nesterov",
              "needs a momentum above 0, such as 0.9");
    }
    if (optimizer.kind == Optimizer::rmsprop)
      require(below_one(optimizer.decay), at + "decay", "must be in [0, 1)");
    if (adam) {
      require(below_one(optimizer.beta1), at + "betas/0", "must be in [0, 1)");
      require(below_one(optimizer.beta2), at + "betas/1", "must be in [0, 1)");
    }
    if (adam || optimizer.kind == Optimizer::rmsprop || optimizer.kind == Optimizer::adagrad)
      require(positive(optimizer.epsilon), at + "epsilon", "must be a number above 0, such as 1e-8");
    if (optimizer.kind == Optimizer::adamw)
      require(not_negative(optimizer.weight_decay), at + "weight_decay", "must be 0 or more");
  }

  void check_schedule(const ScheduleOptions& schedule, const std::string& at) {
    switch (schedule.kind) {
      case Schedule::constant:
        return;
      case Schedule::step:
        require(schedule.every >= 1, at + "/every", "must be 1 step or more");
        return check_factor(schedule, at);
      case Schedule::exponential:
        return check_factor(schedule, at);
      case Schedule::inverse_time:
        return require(not_negative(schedule.decay), at + "/decay", "must be 0 or more");
      case Schedule::cosine:
        require(schedule.steps >= 1, at + "/steps", "must be 1 step or more");
        return require(not_negative(schedule.minimum), at + "/minimum", "must be 0 or more");
      case Schedule::one_cycle:
        require(schedule.steps >= 1, at + "/steps", "must be 1 step or more");
        return require(positive(schedule.maximum), at + "/maximum", "must be a number above 0");
      case Schedule::warmup:
        return check_warmup(schedule, at);
      case Schedule::plateau:
        check_factor(schedule, at);
        return require(schedule.patience >= 1, at + "/patience", "must be 1 record or more");
    }
  }

  void check_factor(const ScheduleOptions& schedule, const std::string& at) {
    require(schedule.factor > 0 && schedule.factor <= 1, at + "/factor", "must be in (0, 1]");
  }

  void check_warmup(const ScheduleOptions& schedule, const std::string& at) {
    require(schedule.steps >= 1, at + "/steps", "must be 1 step or more");
    require(schedule.then.size() == 1, at + "/then", "must be one schedule: what follows the warmup");
    if (schedule.then.size() != 1) return;
    if (schedule.then.front().kind == Schedule::warmup)
      return require(false, at + "/then/type", "must not be another warmup");
    check_schedule(schedule.then.front(), at + "/then");
  }

  std::vector<FieldError> faults_;
};

}  // namespace

Result<void> validate(const HyperParameters& hyper_parameters) { return Inspection().run(hyper_parameters); }

}  // namespace mlpd::core
