#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/learner.h"

namespace mlpd::core {

/// What a training can be judged by: validation_loss, validation_accuracy, loss, accuracy. More is better in
/// the accuracies, less in the losses.
std::span<const std::string_view> judged_metrics();
/// Whether `value` is better than `best` by more than `min_delta`; NaN never is.
bool is_better(double value, double best, std::string_view metric, double min_delta);
/// Such a metric of these parameters: on the held-out rows for validation_…, else on the training rows. NaN
/// where there are none.
Result<double> judged_value(const Learner& learner, const Split& split, std::string_view metric);

enum class StopReason { completed, early_stopped, cancelled, diverged, failed };
std::string_view name_of(StopReason reason);

/// Stop when `metric` has not got better by more than min_delta for `patience` evaluations (one per record).
struct EarlyStopping {
  std::uint64_t patience = 20;             ///< ≥ 1
  std::string metric = "validation_loss";  ///< validation_loss, validation_accuracy, loss or accuracy
  double min_delta = 0;                    ///< ≥ 0
  bool operator==(const EarlyStopping&) const = default;
};

/// What one train job does.
struct TrainingPlan {
  std::uint64_t steps = 1000;  ///< additional to what was done; 1 … 10^9 by default
  BatchPlan batches;
  double validation_fraction = 0;  ///< [0, 1); the split's seed is the network's
  std::optional<EarlyStopping> early_stopping;
  /// At the end, adopt the parameters of the best evaluated record: by the early-stopping metric, else by
  /// validation_loss where there is validation, else by loss. The last parameters stay where they are better
  /// still on the validation rows.
  bool keep_best = false;
  std::uint64_t record_every = 1;  ///< in global steps; ≥ 1
  bool operator==(const TrainingPlan&) const = default;
};

/// Whether the plan can be carried out on `data` by a network of the valid `spec`, whose shape the data fits:
/// everything that makes TrainingRun::start fail. Errors name the field of the train body ("#/data/inputs",
/// "#/batch_size").
Result<void> check_plan(const TrainingPlan& plan, const NetworkSpec& spec, const Dataset& data);

/// The part of a job's state that is not the network's; stored with a checkpoint so that a job cut off
/// continues.
struct TrainingProgress {
  std::uint64_t steps_done = 0;
  std::uint64_t stale = 0;  ///< evaluations since the best
  std::optional<double> best_value;
  std::optional<std::uint64_t> best_step;
  NumberArray best_parameters;  ///< Learner::predictive_numbers(); empty unless keep_best and best_step
};

/// Drives a Learner through a TrainingPlan in slices. run(a) then run(b) ≡ run(a+b), also across
/// progress() / a new TrainingRun with it. Not thread-safe; borrows the learner.
class TrainingRun {
 public:
  /// Checks the plan (check_plan()), splits and binds.
  static Result<TrainingRun> start(Learner& learner, std::shared_ptr<const Dataset> data,
                                   const TrainingPlan& plan, TrainingProgress progress = {});

  /// At most max_steps further updates. Returns the reason once the job is over (best parameters adopted
  /// where asked for), nullopt while it goes on.
  std::optional<StopReason> run(std::uint64_t max_steps, const std::function<void(const Record&)>& on_record);

  const TrainingProgress& progress() const { return progress_; }
  /// The rows that the job trains on, and those that it holds out.
  const Split& rows() const { return split_; }
  /// Rows of an update (a last batch of an epoch may have fewer).
  std::size_t batch_rows() const;
  /// The final numbers of a job: the present parameters on the whole training set.
  Result<Evaluation> evaluate_training() const;

 private:
  TrainingRun(Learner& learner, Split split, TrainingPlan plan, TrainingProgress progress);
  void judge(const Record& record);
  std::uint64_t next_slice(std::uint64_t most) const;
  StopReason finish(StopReason reason);

  Learner* learner_;
  Split split_;
  TrainingPlan plan_;
  TrainingProgress progress_;
};

}  // namespace mlpd::core
