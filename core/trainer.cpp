#include "core/trainer.h"

#include <algorithm>
#include <utility>

#include "core/batches.h"
#include "core/metrics.h"
#include "core/network.h"
#include "core/solver.h"

namespace mlpd::core {

namespace {

constexpr std::string_view kMetrics[] = {"validation_loss", "validation_accuracy", "loss", "accuracy"};

bool of_validation(std::string_view metric) { return metric.substr(0, 11) == "validation_"; }
bool of_accuracy(std::string_view metric) { return metric == "accuracy" || metric == "validation_accuracy"; }

/// The metric that decides which record is best.
std::string judged_metric(const TrainingPlan& plan) {
  if (plan.early_stopping) return plan.early_stopping->metric;
  return plan.validation_fraction > 0 ? "validation_loss" : "loss";
}

double metric_of(const Record& record, std::string_view metric) {
  if (metric == "validation_loss") return record.validation_loss;
  if (metric == "validation_accuracy") return record.validation_accuracy;
  return metric == "loss" ? record.loss : record.accuracy;
}

}  // namespace

Result<void> check_plan(const TrainingPlan& plan, const NetworkSpec& spec, const Dataset& data) {
  Error error{ErrorCode::invalid_argument, "The training can't be done as asked."};
  const auto fault = [&](const char* pointer, std::string detail) {
    error.fields.push_back({pointer, std::move(detail)});
  };
  if (plan.steps < 1) fault("#/steps", "must be 1 or more");
  if (plan.record_every < 1) fault("#/record_every", "must be 1 step or more");
  if (!(plan.validation_fraction >= 0 && plan.validation_fraction < 1))
    fault("#/validation/fraction", "must be in [0, 1)");
  if (const std::optional<EarlyStopping>& early = plan.early_stopping) {
    if (early->patience < 1) fault("#/early_stopping/patience", "must be 1 evaluation or more");
    if (!(early->min_delta >= 0)) fault("#/early_stopping/min_delta", "must be 0 or more");
    if (std::find(std::begin(kMetrics), std::end(kMetrics), early->metric) == std::end(kMetrics))
      fault("#/early_stopping/metric", "must be validation_loss, validation_accuracy, loss or accuracy");
    else if (of_validation(early->metric) && !(plan.validation_fraction > 0))
      fault("#/early_stopping/metric",
            early->metric + " needs validation rows: give \"validation\": {\"fraction\": 0.2}");
    else if (of_accuracy(early->metric) && accuracy_rule(spec, is_one_hot(data)) == AccuracyRule::none)
      fault("#/early_stopping/metric", early->metric + " is for classifiers; use validation_loss or loss");
  }
  if (!error.fields.empty()) return error;
  const std::size_t held_out = held_out_count(data.rows, plan.validation_fraction);
  if (plan.validation_fraction > 0 && (held_out == 0 || held_out >= data.rows)) {
    fault("#/validation/fraction", "must leave at least one row on either side");
    return error;
  }
  if (Result<void> fit = check_targets(spec.loss, data); !fit) return fit;
  const Optimizer kind = spec.hyper_parameters.optimizer.kind;
  if (is_solver(kind))
    if (Result<void> fit = check_solver(Network(spec), kind); !fit) return fit;
  return check_batches(spec, data.rows - held_out, plan.batches);
}

std::span<const std::string_view> judged_metrics() { return kMetrics; }

bool is_better(double value, double best, std::string_view metric, double min_delta) {
  return of_accuracy(metric) ? value > best + min_delta : value < best - min_delta;
}

Result<double> judged_value(const Learner& learner, const Split& split, std::string_view metric) {
  const std::shared_ptr<const Dataset>& rows = of_validation(metric) ? split.validation : split.training;
  if (rows == nullptr) return kAbsent;
  const Result<Evaluation> evaluation = learner.evaluate(*rows);
  if (!evaluation) return evaluation.error();
  return of_accuracy(metric) ? evaluation->metric("accuracy").value_or(kAbsent) : evaluation->loss;
}

std::string_view name_of(StopReason reason) {
  switch (reason) {
    case StopReason::completed:
      return "completed";
    case StopReason::early_stopped:
      return "early_stopped";
    case StopReason::cancelled:
      return "cancelled";
    case StopReason::diverged:
      return "diverged";
    case StopReason::failed:
      return "failed";
  }
  return {};
}

TrainingRun::TrainingRun(Learner& learner, Split split, TrainingPlan plan, TrainingProgress progress)
    : learner_(&learner), split_(std::move(split)), plan_(std::move(plan)), progress_(std::move(progress)) {}

Result<TrainingRun> TrainingRun::start(Learner& learner, std::shared_ptr<const Dataset> data,
                                       const TrainingPlan& plan, TrainingProgress progress) {
  if (Result<void> valid = check_plan(plan, learner.spec(), *data); !valid) return valid.error();
  Split parts{std::move(data), nullptr};
  if (plan.validation_fraction > 0) {
    Result<Split> made = split(parts.training, plan.validation_fraction, learner.spec().seed);
    if (!made) return made.error();
    parts = std::move(*made);
  }
  if (Result<void> bound = learner.bind(parts.training, plan.batches); !bound) return bound.error();
  if (Result<void> watched = learner.watch(parts.validation); !watched) return watched.error();
  return TrainingRun(learner, std::move(parts), plan, std::move(progress));
}

void TrainingRun::judge(const Record& record) {
  const std::string metric = judged_metric(plan_);
  const double value = metric_of(record, metric);
  const double min_delta = plan_.early_stopping ? plan_.early_stopping->min_delta : 0;
  const bool first = !progress_.best_value && value == value;
  if (!first && !(progress_.best_value && is_better(value, *progress_.best_value, metric, min_delta))) {
    ++progress_.stale;
    return;
  }
  progress_.best_value = value;
  progress_.best_step = record.step;
  progress_.stale = 0;
  if (plan_.keep_best) progress_.best_parameters = learner_->predictive_numbers();
}

// What a judged run may do at once never depends on how calls are cut: a record's verdict is looked at right
// after the update that follows it.
std::uint64_t TrainingRun::next_slice(std::uint64_t most) const {
  const std::uint64_t left = std::min(most, plan_.steps - progress_.steps_done);
  if (!plan_.early_stopping && !plan_.keep_best) return left;
  const std::uint64_t past = learner_->step() % plan_.record_every;
  return past == 0 ? 1 : std::min(left, plan_.record_every - past);
}

std::optional<StopReason> TrainingRun::run(std::uint64_t max_steps,
                                           const std::function<void(const Record&)>& on_record) {
  const bool judged = plan_.early_stopping || plan_.keep_best;
  const auto record = [&](const Record& made) {
    if (judged) judge(made);
    if (on_record) on_record(made);
  };
  while (true) {
    if (plan_.early_stopping && progress_.stale >= plan_.early_stopping->patience)
      return finish(StopReason::early_stopped);
    if (progress_.steps_done >= plan_.steps) return finish(StopReason::completed);
    if (max_steps == 0) return std::nullopt;
    const Advance advance = learner_->advance(next_slice(max_steps), plan_.record_every, record);
    progress_.steps_done += advance.steps;
    max_steps -= advance.steps;
    if (advance.diverged) return finish(StopReason::diverged);
    if (advance.converged) return finish(StopReason::completed);
  }
}

/// Adopts the best record's parameters, unless the last ones are better still on the validation rows.
StopReason TrainingRun::finish(StopReason reason) {
  if (!plan_.keep_best || size_of(progress_.best_parameters) == 0) return reason;
  const std::string metric = judged_metric(plan_);
  bool last_is_best = false;
  if (of_validation(metric)) {
    const Result<double> last = judged_value(*learner_, split_, metric);
    last_is_best = last && is_better(*last, *progress_.best_value, metric, 0);
  }
  if (!last_is_best && !learner_->adopt(progress_.best_parameters)) return StopReason::failed;
  return reason;
}

std::size_t TrainingRun::batch_rows() const {
  const std::size_t rows = split_.training->rows;
  const std::uint64_t batch = plan_.batches.batch_size;
  return batch == 0 ? rows : static_cast<std::size_t>(std::min<std::uint64_t>(batch, rows));
}

Result<Evaluation> TrainingRun::evaluate_training() const { return learner_->evaluate(*split_.training); }

}  // namespace mlpd::core
