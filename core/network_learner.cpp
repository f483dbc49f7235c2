#include "core/network_learner.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/loss.h"
#include "core/network_snapshot.h"
#include "core/network_trace.h"
#include "core/optimizer_state.h"
#include "core/schedule.h"
#include "core/update_kernels.h"

namespace mlpd::core {

namespace {

/// Updates between two looks for numbers that are not finite; what divergence may waste.
constexpr std::uint64_t kCheckInterval = 1024;

/// Steps of earlier calls that divergence may repeat: to save a large network costs as much as a good part of
/// its step.
constexpr std::uint64_t kRepeatedSteps = 16;

/// Rows evaluated at a time.
constexpr std::size_t kRowsAtATime = 256;

double finite_or_absent(double value) { return std::isfinite(value) ? value : kAbsent; }

template <class T>
void narrow(const std::vector<double>& numbers, Matrix<T>& out, std::size_t rows, std::size_t columns) {
  out.resize(rows, columns);
  std::transform(numbers.begin(), numbers.end(), out.data(), [](double x) { return static_cast<T>(x); });
}

}  // namespace

Result<void> check_shapes(const Network& network, const Dataset& data) {
  Error error{ErrorCode::invalid_argument, "The data doesn't fit the network."};
  if (data.rows == 0) error.fields.push_back({"#/data/inputs", "has no rows; give at least one"});
  if (data.input_count != network.spec().inputs)
    error.fields.push_back({"#/data/inputs", "has " + std::to_string(data.input_count) +
                                                 " columns where the network takes " +
                                                 std::to_string(network.spec().inputs)});
  if (data.output_count != network.output_count())
    error.fields.push_back({"#/data/targets", "has " + std::to_string(data.output_count) +
                                                  " columns where the network has " +
                                                  std::to_string(network.output_count()) + " outputs"});
  if (!error.fields.empty()) return error;
  return check_targets(network.spec().loss, data);
}

template <class T>
NetworkLearner<T>::NetworkLearner(NetworkSpec spec, std::shared_ptr<const Network> network,
                                  std::shared_ptr<const Preprocess> preprocess, TrainingState<T> state,
                                  Executor& executor)
    : spec_(std::move(spec)),
      network_(std::move(network)),
      preprocess_(std::move(preprocess)),
      executor_(&executor),
      objective_(*network_, executor),
      state_(std::move(state)),
      gradient_(network_->parameter_count()) {
  objective_.set_regularization(spec_.hyper_parameters.regularization);
}

template <class T>
Result<void> NetworkLearner<T>::set_hyper_parameters(const HyperParameters& hyper_parameters) {
  if (Result<void> valid = validate(hyper_parameters); !valid) return valid;
  if (Result<void> fits = check_solver(*network_, hyper_parameters.optimizer.kind); !fits) return fits;
  saved_for_.reset();
  HyperParameters& present = spec_.hyper_parameters;
  if (present.optimizer.kind != hyper_parameters.optimizer.kind) {
    state_.optimizer = {};
    state_.solver = {};
  }
  if (present.regularization != hyper_parameters.regularization) state_.solver.forget();
  fit_optimizer_state(state_.optimizer, rule_in_force(state_, hyper_parameters.optimizer),
                      network_->parameter_count());
  if (present.schedule != hyper_parameters.schedule) state_.plateau = {};
  present = hyper_parameters;
  objective_.set_regularization(present.regularization);
  if (solver_ != nullptr) solver_->forget();
  return {};
}

template <class T>
NumberArray NetworkLearner<T>::predictive_numbers() const {
  std::vector<T> numbers(state_.parameters.begin(), state_.parameters.end());
  numbers.insert(numbers.end(), state_.running.begin(), state_.running.end());
  return numbers;
}

template <class T>
Result<void> NetworkLearner<T>::adopt(const NumberArray& predictive_numbers) {
  const auto* values = std::get_if<std::vector<T>>(&predictive_numbers);
  if (values == nullptr || values->size() != state_.parameters.size() + state_.running.size())
    return Error{ErrorCode::invalid_argument, "The parameters to adopt have another dtype or count."};
  if (!all_finite<T>(values->data(), values->size()))
    return Error{ErrorCode::invalid_argument, "The parameters to adopt hold a number that is not finite."};
  saved_for_.reset();
  std::copy_n(values->begin(), state_.parameters.size(), state_.parameters.data());
  std::copy_n(values->begin() + static_cast<std::ptrdiff_t>(state_.parameters.size()), state_.running.size(),
              state_.running.data());
  return {};
}

template <class T>
Result<void> NetworkLearner<T>::adopt_parameters(const Checkpoint& from) {
  const Result<TrainingState<T>> other = from_checkpoint<T>(from, *network_);
  if (!other) return other.error();
  saved_for_.reset();
  state_.parameters = other->parameters;
  state_.running = other->running;
  return {};
}

template <class T>
Result<void> NetworkLearner<T>::bind(std::shared_ptr<const Dataset> data, const BatchPlan& plan) {
  if (Result<void> fits = check_shapes(*network_, *data); !fits) return fits;
  if (Result<void> fit = check_batches(spec_, data->rows, plan); !fit) return fit;
  saved_for_.reset();
  Batches<T> batches(*data, plan, spec_.loss, spec_.seed);
  if (is_solver(spec_.hyper_parameters.optimizer.kind)) begin_solver(batches);
  batches_ = std::move(batches);
  if (solver_ != nullptr) solver_->forget();
  accuracy_rule_ = accuracy_rule(spec_, is_one_hot(*data));
  return {};
}

template <class T>
Result<void> NetworkLearner<T>::watch(std::shared_ptr<const Dataset> validation) {
  saved_for_.reset();
  if (validation == nullptr) {
    validation_.reset();
    return {};
  }
  if (Result<void> fits = check_shapes(*network_, *validation); !fits) return fits;
  validation_ = std::make_unique<Validation>();
  narrow(validation->inputs, validation_->inputs, validation->rows, validation->input_count);
  narrow(validation->targets, validation_->targets, validation->rows, validation->output_count);
  validation_->rule = accuracy_rule(spec_, is_one_hot(*validation));
  return {};
}

// An infinite or NaN parameter stays one, so looking for it now and then finds every divergence. A moment
// whose decay is 0 forgets: there each step is looked at, so that what is found never depends on how calls
// are cut.
template <class T>
std::uint64_t NetworkLearner<T>::check_interval() const {
  const OptimizerOptions& optimizer = spec_.hyper_parameters.optimizer;
  const bool adam = optimizer.kind == Optimizer::adam || optimizer.kind == Optimizer::adamw;
  bool forgets = (adam && (optimizer.beta1 == 0 || optimizer.beta2 == 0)) ||
                 (optimizer.kind == Optimizer::rmsprop && optimizer.decay == 0);
  for (const Brick* brick : network_->batch_norms()) forgets = forgets || brick->spec->momentum == 1;
  return forgets ? 1 : kCheckInterval;
}

template <class T>
Advance NetworkLearner<T>::advance(std::uint64_t steps, std::uint64_t record_every,
                                   const OnRecord& on_record) {
  Advance done;
  const std::uint64_t interval = check_interval();
  while (done.steps < steps && !done.diverged) {
    done.converged = state_.solver.converged;
    if (done.converged) break;
    const std::uint64_t slice = std::min(steps - done.steps, interval);
    const std::uint64_t before = save(slice, record_every);
    const std::uint64_t made = run(slice, record_every, on_record);
    if (state_.finite()) {
      done.steps += made;
      done.converged = state_.solver.converged;
      continue;
    }
    state_.assign(saved_);
    done.steps += replay(before + made, record_every) - before;
    done.diverged = true;
  }
  return done;
}

/// Sees to it that `steps` more can be taken back; the number of those that were made since the saved state.
template <class T>
std::uint64_t NetworkLearner<T>::save(std::uint64_t steps, std::uint64_t record_every) {
  const std::uint64_t since = state_.step - saved_.step;
  if (saved_for_ == record_every && since + steps <= kRepeatedSteps) return since;
  saved_.assign(state_);
  saved_for_ = record_every;
  return 0;
}

/// Up to `steps` updates; fewer where a record finds a state that is not finite.
template <class T>
std::uint64_t NetworkLearner<T>::run(std::uint64_t steps, std::uint64_t record_every,
                                     const OnRecord& on_record) {
  batches_.enter(state_.cursor);
  std::uint64_t until_record =
      record_every == 0 ? steps : (record_every - state_.step % record_every) % record_every;
  for (std::uint64_t i = 0; i < steps; ++i) {
    const bool recorded = until_record == 0;
    if (!update(recorded, on_record)) return i + 1;
    if (state_.solver.converged) return i + 1;
    until_record = recorded ? record_every - 1 : until_record - 1;
  }
  return steps;
}

/// Repeats updates one at a time, silently, up to the last finite state.
template <class T>
std::uint64_t NetworkLearner<T>::replay(std::uint64_t steps, std::uint64_t record_every) {
  for (std::uint64_t i = 0; i < steps; ++i) {
    saved_.assign(state_);
    batches_.enter(state_.cursor);
    update(record_every != 0 && state_.step % record_every == 0, {});
    if (state_.finite()) continue;
    state_.assign(saved_);
    return i;
  }
  return steps;
}

/// One step from a cursor that is in the data. False where a record was due and the state was not finite any
/// more (nothing is recorded then).
template <class T>
bool NetworkLearner<T>::update(bool recorded, const OnRecord& on_record) {
  const Batch<T> batch = batches_.next(state_.cursor);
  if (is_solver(kind_in_force(state_, spec_.hyper_parameters.optimizer)))
    return solver_update(batch, recorded, on_record);
  objective_.gradient(batch, state_.parameters.data(), state_.running.data(), state_.step, gradient_.data());
  const HyperParameters& hyper_parameters = spec_.hyper_parameters;
  if (recorded) {
    if (!state_.finite()) return false;
    Record record = make_record(batch, objective_.loss(batch, state_.parameters.data()));
    if (const ScheduleOptions* plateau = plateau_of(hyper_parameters.schedule))
      state_.plateau.observe(validation_ != nullptr ? record.validation_loss : record.loss, *plateau);
    record.learning_rate = next_rate(state_, hyper_parameters);
    if (on_record) on_record(record);
  }
  apply_update(state_, hyper_parameters, spec_.ema, next_rate(state_, hyper_parameters), gradient_.data(),
               *executor_);
  return true;
}

/// One iteration of a full-batch solver; `gradient_` is made for records alone.
template <class T>
bool NetworkLearner<T>::solver_update(const Batch<T>& batch, bool recorded, const OnRecord& on_record) {
  if (solver_ == nullptr) solver_ = std::make_unique<Solver<T>>(*network_, *executor_);
  if (recorded) {
    if (!state_.finite()) return false;
    const LossParts loss = solver_->evaluate(objective_, batch, state_.parameters.data(), gradient_.data());
    const Record record = make_record(batch, loss);
    if (on_record) on_record(record);
  }
  solver_->step(spec_.hyper_parameters.optimizer.kind, objective_, batch, state_.solver,
                state_.parameters.data());
  if (spec_.ema > 0)
    average_update<T>(state_.average.data(), state_.parameters.data(), state_.parameters.size(),
                      static_cast<T>(spec_.ema));
  ++state_.step;
  return true;
}

/// Other data is another function: what the solver learnt of the old one misleads, and auto chooses anew.
template <class T>
void NetworkLearner<T>::begin_solver(const Batches<T>& batches) {
  SolverState<T>& solver = state_.solver;
  const OptimizerOptions& options = spec_.hyper_parameters.optimizer;
  if (!batches.continues(state_.cursor)) solver = {};
  if (options.kind != Optimizer::automatic || solver.choice != Optimizer::automatic) return;
  solver.choice = choose_optimizer(*network_, batches.rows(), batches.batch_size());
  state_.optimizer = {};
  fit_optimizer_state(state_.optimizer, rule_in_force(state_, options), network_->parameter_count());
}

template <class T>
Record NetworkLearner<T>::make_record(const Batch<T>& batch, const LossParts& loss) {
  Record record;
  record.step = state_.step;
  record.epoch = state_.cursor.epoch;
  record.loss = finite_or_absent(loss.loss());
  record.data_loss = finite_or_absent(loss.data_loss);
  record.penalty = finite_or_absent(loss.penalty);
  record.gradient_norm =
      finite_or_absent(std::sqrt(static_cast<double>(sum_of_squares<T>(gradient_.data(), gradient_.size()))));
  record.accuracy = accuracy<T>(accuracy_rule_, objective_.outputs(), batch.targets);
  if (validation_ != nullptr) {
    predict_all(validation_->inputs, validation_->z, validation_->h, validation_->workspace);
    record.validation_loss =
        finite_or_absent(data_loss(validation_->targets, validation_->z, validation_->h) +
                         penalty<T>(*network_, spec_.hyper_parameters.regularization,
                                    state_.parameters.data(), validation_->inputs.rows()));
    record.validation_accuracy =
        accuracy<T>(validation_->rule, validation_->h.view(), validation_->targets.view());
  }
  return record;
}

template <class T>
Checkpoint NetworkLearner<T>::checkpoint() const {
  return to_checkpoint(state_, spec_, *network_, preprocess_);
}

template <class T>
std::shared_ptr<const Snapshot> NetworkLearner<T>::snapshot() const {
  return make_snapshot<T>(network_, spec_, state_.step, preprocess_, state_.parameters, state_.running);
}

template <class T>
void NetworkLearner<T>::predict_all(const Matrix<T>& inputs, Matrix<T>& z, Matrix<T>& h,
                                    Workspace<T>& workspace) const {
  const std::size_t columns = network_->output_count();
  z.resize(inputs.rows(), columns);
  h.resize(inputs.rows(), columns);
  for (std::size_t row = 0; row < inputs.rows(); row += kRowsAtATime) {
    const std::size_t rows = std::min(kRowsAtATime, inputs.rows() - row);
    infer<T>(*network_, state_.parameters.data(), state_.running.data(),
             {inputs.view().row(row), rows, inputs.columns()}, {h.view().row(row), rows, columns}, workspace,
             Purpose::evaluation, *executor_);
    std::copy_n(workspace.bricks.back().z.data(), rows * columns, z.view().row(row));
  }
}

template <class T>
double NetworkLearner<T>::data_loss(const Matrix<T>& targets, const Matrix<T>& z, const Matrix<T>& h) const {
  std::vector<T> row_losses(targets.rows());
  return static_cast<double>(loss_forward<T>(spec_.loss, network_->last_activation(), z.view(), h.view(),
                                             targets.view(), nullptr, network_->row_sum(),
                                             row_losses.data()));
}

template <class T>
Result<Evaluation> NetworkLearner<T>::evaluate(const Dataset& data) const {
  if (Result<void> fits = check_shapes(*network_, data); !fits) return fits.error();
  Matrix<T> inputs;
  Matrix<T> targets;
  Matrix<T> z;
  Matrix<T> h;
  Workspace<T> workspace;
  narrow(data.inputs, inputs, data.rows, data.input_count);
  narrow(data.targets, targets, data.rows, data.output_count);
  predict_all(inputs, z, h, workspace);
  Evaluation evaluation;
  evaluation.rows = data.rows;
  evaluation.data_loss = data_loss(targets, z, h);
  evaluation.penalty =
      penalty<T>(*network_, spec_.hyper_parameters.regularization, state_.parameters.data(), data.rows);
  evaluation.loss = evaluation.data_loss + evaluation.penalty;
  Matrix<double> outputs(data.rows, data.output_count);
  std::transform(h.data(), h.data() + h.size(), outputs.data(), [](T x) { return static_cast<double>(x); });
  measure(evaluation, spec_, std::as_const(outputs).view(), data);
  if (preprocess_) undo_scaling(evaluation, *preprocess_);
  return evaluation;
}

template <class T>
Result<Trace> NetworkLearner<T>::trace(const Dataset& data, const TraceLimits& limits) const {
  if (Result<void> fits = check_shapes(*network_, data); !fits) return fits.error();
  return make_trace<T>(*network_, spec_, state_, data, limits, *executor_);
}

template class NetworkLearner<float>;
template class NetworkLearner<double>;

}  // namespace mlpd::core
