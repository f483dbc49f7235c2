#include "core/training_state.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/solver.h"
#include "core/update_kernels.h"

namespace mlpd::core {

void Plateau::observe(double loss, const ScheduleOptions& schedule) {
  if (!std::isfinite(loss)) return;
  if (!seen || loss < best) {
    best = loss;
    seen = true;
    stale = 0;
    return;
  }
  if (++stale < schedule.patience) return;
  factor *= schedule.factor;
  stale = 0;
}

namespace {

template <class T>
void assign_buffer(AlignedBuffer<T>& to, const AlignedBuffer<T>& from) {
  to.resize(from.size());
  std::copy_n(from.data(), from.size(), to.data());
}

template <class T>
bool finite_buffer(const AlignedBuffer<T>& buffer) {
  return all_finite<T>(buffer.data(), buffer.size());
}

template <class T>
NumberArray to_array(const T* values, std::size_t count) {
  return std::vector<T>(values, values + count);
}

template <class T>
void assign_solver(SolverState<T>& to, const SolverState<T>& from) {
  to.pairs = from.pairs;
  to.damping = from.damping;
  to.converged = from.converged;
  to.choice = from.choice;
  to.restarts = from.restarts;
  to.best_loss = from.best_loss;
  assign_buffer(to.position_differences, from.position_differences);
  assign_buffer(to.gradient_differences, from.gradient_differences);
  assign_buffer(to.attempt, from.attempt);
}

Error corrupted(const std::string& what) {
  return {ErrorCode::corrupted, "The checkpoint can't be used: " + what + "."};
}

template <class T>
Result<void> read_array(const NumberArray& array, std::string_view name, std::size_t count, T* out) {
  const auto* values = std::get_if<std::vector<T>>(&array);
  const std::string label(name);
  if (values == nullptr) return corrupted(label + " has the wrong dtype");
  if (values->size() != count)
    return corrupted(label + " has " + std::to_string(values->size()) + " numbers where the spec needs " +
                     std::to_string(count));
  if (!all_finite<T>(values->data(), count)) return corrupted(label + " holds a number that is not finite");
  std::copy_n(values->data(), count, out);
  return {};
}

template <class T>
Result<void> read_named(const Checkpoint& checkpoint, std::string_view name, std::size_t count, T* out) {
  for (const NamedArray& array : checkpoint.arrays)
    if (array.name == name) return read_array<T>(array.values, name, count, out);
  return corrupted("the array " + std::string(name) + " is missing");
}

Result<double> read_number(const Checkpoint& checkpoint, std::string_view name) {
  for (const NamedNumber& number : checkpoint.numbers)
    if (number.name == name) {
      if (!std::isfinite(number.value)) return corrupted(std::string(name) + " is not finite");
      return number.value;
    }
  return corrupted("the number " + std::string(name) + " is missing");
}

Result<std::uint64_t> read_count(const Checkpoint& checkpoint, std::string_view name) {
  const Result<double> number = read_number(checkpoint, name);
  if (!number) return number.error();
  if (*number < 0 || *number > 9007199254740992.0 || *number != std::floor(*number))
    return corrupted(std::string(name) + " is not a count");
  return static_cast<std::uint64_t>(*number);
}

std::string running_name(const Brick& brick, std::string_view what) {
  return "batch_norm." + brick.path + "." + std::string(what);
}

Result<void> read_plateau(const Checkpoint& checkpoint, Plateau& plateau) {
  const Result<double> factor = read_number(checkpoint, "plateau.factor");
  const Result<std::uint64_t> stale = read_count(checkpoint, "plateau.stale");
  if (!factor) return factor.error();
  if (!stale) return stale.error();
  plateau.factor = *factor;
  plateau.stale = *stale;
  const Result<double> best = read_number(checkpoint, "plateau.best");
  plateau.seen = best.ok();
  if (best) plateau.best = *best;
  return {};
}

template <class T>
void add_solver(Checkpoint& checkpoint, const SolverState<T>& solver, Optimizer kind, std::size_t count) {
  if (!is_solver(kind)) return;
  const auto add_array = [&](std::string_view name, const T* values, std::size_t size) {
    if (size != 0) checkpoint.arrays.push_back({std::string(name), to_array(values, size)});
  };
  const auto add_number = [&](std::string_view name, double value) {
    checkpoint.numbers.push_back({std::string(name), value});
  };
  add_number("solver.pairs", static_cast<double>(solver.pairs));
  add_number("solver.damping", solver.damping);
  add_number("solver.converged", solver.converged ? 1 : 0);
  add_array("solver.position_differences", solver.position_differences.data(), solver.pairs * count);
  add_array("solver.gradient_differences", solver.gradient_differences.data(), solver.pairs * count);
  if (kind != Optimizer::automatic) return;
  add_number("auto.choice", static_cast<double>(solver.choice));
  add_number("auto.restarts", static_cast<double>(solver.restarts));
  add_number("auto.best_loss", solver.best_loss);
  add_array("auto.attempt", solver.attempt.data(), solver.attempt.size());
}

template <class T>
Result<void> read_attempt(const Checkpoint& checkpoint, SolverState<T>& solver, std::size_t count) {
  const bool there = std::any_of(checkpoint.arrays.begin(), checkpoint.arrays.end(),
                                 [](const NamedArray& array) { return array.name == "auto.attempt"; });
  if (!there) return {};
  solver.attempt.resize(count);
  return read_named<T>(checkpoint, "auto.attempt", count, solver.attempt.data());
}

template <class T>
Result<void> read_automatic(const Checkpoint& checkpoint, SolverState<T>& solver, std::size_t count) {
  const Result<std::uint64_t> choice = read_count(checkpoint, "auto.choice");
  const Result<std::uint64_t> restarts = read_count(checkpoint, "auto.restarts");
  const Result<double> best_loss = read_number(checkpoint, "auto.best_loss");
  if (!choice) return choice.error();
  if (!restarts) return restarts.error();
  if (!best_loss) return best_loss.error();
  if (*choice > static_cast<std::uint64_t>(Optimizer::automatic))
    return corrupted("auto.choice names no optimizer");
  solver.choice = static_cast<Optimizer>(*choice);
  solver.restarts = *restarts;
  solver.best_loss = *best_loss;
  return read_attempt(checkpoint, solver, count);
}

template <class T>
Result<void> read_solver(const Checkpoint& checkpoint, SolverState<T>& solver, std::size_t count) {
  const Optimizer kind = checkpoint.spec.hyper_parameters.optimizer.kind;
  if (!is_solver(kind)) return {};
  const Result<std::uint64_t> pairs = read_count(checkpoint, "solver.pairs");
  const Result<double> damping = read_number(checkpoint, "solver.damping");
  const Result<std::uint64_t> converged = read_count(checkpoint, "solver.converged");
  if (!pairs) return pairs.error();
  if (!damping) return damping.error();
  if (!converged) return converged.error();
  if (*pairs > kLbfgsPairs) return corrupted("solver.pairs is too large");
  solver.pairs = *pairs;
  solver.damping = *damping;
  solver.converged = *converged != 0;
  if (solver.pairs > 0) {
    solver.position_differences.resize(kLbfgsPairs * count);
    solver.gradient_differences.resize(kLbfgsPairs * count);
    Result<void> read = read_named<T>(checkpoint, "solver.position_differences", solver.pairs * count,
                                      solver.position_differences.data());
    if (read)
      read = read_named<T>(checkpoint, "solver.gradient_differences", solver.pairs * count,
                           solver.gradient_differences.data());
    if (!read) return read;
  }
  if (kind == Optimizer::automatic) return read_automatic(checkpoint, solver, count);
  return {};
}

/// Reads the optimizer's scalars and arrays, which must be there.
template <class T>
Result<void> read_optimizer(const Checkpoint& checkpoint, const OptimizerOptions& options,
                            OptimizerState<T>& state, std::size_t count) {
  fit_optimizer_state(state, options, count);
  const OptimizerArrayNames names = optimizer_array_names(options);
  if (!names.t.empty()) {
    const Result<std::uint64_t> t = read_count(checkpoint, names.t);
    if (!t) return t.error();
    state.t = *t;
  }
  if (!names.first.empty())
    if (Result<void> read = read_named<T>(checkpoint, names.first, count, state.first.data()); !read)
      return read;
  if (!names.second.empty())
    if (Result<void> read = read_named<T>(checkpoint, names.second, count, state.second.data()); !read)
      return read;
  return {};
}

}  // namespace

template <class T>
void TrainingState<T>::assign(const TrainingState& from) {
  step = from.step;
  cursor = from.cursor;
  plateau = from.plateau;
  optimizer.t = from.optimizer.t;
  assign_buffer(parameters, from.parameters);
  assign_buffer(running, from.running);
  assign_buffer(average, from.average);
  assign_buffer(optimizer.first, from.optimizer.first);
  assign_buffer(optimizer.second, from.optimizer.second);
  assign_solver(solver, from.solver);
}

template <class T>
bool TrainingState<T>::finite() const {
  return finite_buffer(parameters) && finite_buffer(running) && finite_buffer(average) &&
         finite_buffer(optimizer.first) && finite_buffer(optimizer.second);
}

template <class T>
OptimizerOptions rule_in_force(const TrainingState<T>& state, const OptimizerOptions& options) {
  OptimizerOptions rule = options;
  rule.kind = kind_in_force(state, options);
  return rule;
}

template <class T>
double next_rate(const TrainingState<T>& state, const HyperParameters& hyper_parameters) {
  return scheduled_rate(hyper_parameters.schedule, hyper_parameters.optimizer.learning_rate, state.step) *
         state.plateau.factor;
}

template <class T>
void apply_update(TrainingState<T>& state, const HyperParameters& hyper_parameters, double ema, double rate,
                  T* gradient, Executor& executor) {
  const std::size_t count = state.parameters.size();
  const GradientClip& clip = hyper_parameters.gradient_clip;
  if (clip.value > 0) clip_values<T>(gradient, count, static_cast<T>(clip.value));
  if (clip.norm > 0) {
    const double length = std::sqrt(static_cast<double>(sum_of_squares<T>(gradient, count)));
    if (length > clip.norm) scale_values<T>(gradient, count, static_cast<T>(clip.norm / length));
  }
  update_parameters<T>(state.optimizer, rule_in_force(state, hyper_parameters.optimizer), rate,
                       state.parameters.data(), gradient, count, executor);
  if (ema > 0) average_update<T>(state.average.data(), state.parameters.data(), count, static_cast<T>(ema));
  ++state.step;
}

template <class T>
Checkpoint to_checkpoint(const TrainingState<T>& state, const NetworkSpec& spec, const Network& network,
                         std::shared_ptr<const Preprocess> preprocess) {
  Checkpoint checkpoint;
  checkpoint.spec = spec;
  checkpoint.step = state.step;
  checkpoint.cursor = state.cursor;
  checkpoint.preprocess = std::move(preprocess);
  checkpoint.parameters = to_array(state.parameters.data(), state.parameters.size());
  const auto add_array = [&](std::string_view name, const T* values, std::size_t count) {
    checkpoint.arrays.push_back({std::string(name), to_array(values, count)});
  };
  const auto add_number = [&](std::string_view name, double value) {
    checkpoint.numbers.push_back({std::string(name), value});
  };
  const OptimizerArrayNames names =
      optimizer_array_names(rule_in_force(state, spec.hyper_parameters.optimizer));
  if (!names.t.empty()) add_number(names.t, static_cast<double>(state.optimizer.t));
  if (!names.first.empty())
    add_array(names.first, state.optimizer.first.data(), state.optimizer.first.size());
  if (!names.second.empty())
    add_array(names.second, state.optimizer.second.data(), state.optimizer.second.size());
  add_solver(checkpoint, state.solver, spec.hyper_parameters.optimizer.kind, network.parameter_count());
  if (plateau_of(spec.hyper_parameters.schedule) != nullptr) {
    add_number("plateau.factor", state.plateau.factor);
    add_number("plateau.stale", static_cast<double>(state.plateau.stale));
    if (state.plateau.seen) add_number("plateau.best", state.plateau.best);
  }
  for (const Brick* brick : network.batch_norms()) {
    const T* running = state.running.data() + brick->running;
    add_array(running_name(*brick, "running_mean"), running, brick->outputs);
    add_array(running_name(*brick, "running_variance"), running + brick->outputs, brick->outputs);
  }
  if (spec.ema > 0) add_array("ema", state.average.data(), state.average.size());
  return checkpoint;
}

template <class T>
Result<TrainingState<T>> from_checkpoint(const Checkpoint& checkpoint, const Network& network) {
  const std::size_t count = network.parameter_count();
  TrainingState<T> state;
  state.step = checkpoint.step;
  state.cursor = checkpoint.cursor;
  state.parameters.resize(count);
  state.running.resize(network.running_count());
  Result<void> read = read_array<T>(checkpoint.parameters, "parameters", count, state.parameters.data());
  if (read) read = read_solver(checkpoint, state.solver, count);
  if (read)
    read = read_optimizer(checkpoint, rule_in_force(state, checkpoint.spec.hyper_parameters.optimizer),
                          state.optimizer, count);
  if (read && plateau_of(checkpoint.spec.hyper_parameters.schedule) != nullptr)
    read = read_plateau(checkpoint, state.plateau);
  for (const Brick* brick : network.batch_norms()) {
    T* running = state.running.data() + brick->running;
    if (read) read = read_named<T>(checkpoint, running_name(*brick, "running_mean"), brick->outputs, running);
    if (read)
      read = read_named<T>(checkpoint, running_name(*brick, "running_variance"), brick->outputs,
                           running + brick->outputs);
  }
  if (read && checkpoint.spec.ema > 0) {
    state.average.resize(count);
    read = read_named<T>(checkpoint, "ema", count, state.average.data());
  }
  if (!read) return read.error();
  return state;
}

#define MLPD_INSTANTIATE(T)                                                                                \
  template struct TrainingState<T>;                                                                        \
  template OptimizerOptions rule_in_force<T>(const TrainingState<T>&, const OptimizerOptions&);            \
  template double next_rate<T>(const TrainingState<T>&, const HyperParameters&);                           \
  template void apply_update<T>(TrainingState<T>&, const HyperParameters&, double, double, T*, Executor&); \
  template Checkpoint to_checkpoint<T>(const TrainingState<T>&, const NetworkSpec&, const Network&,        \
                                       std::shared_ptr<const Preprocess>);                                 \
  template Result<TrainingState<T>> from_checkpoint<T>(const Checkpoint&, const Network&);
MLPD_INSTANTIATE(float)
MLPD_INSTANTIATE(double)
#undef MLPD_INSTANTIATE

}  // namespace mlpd::core
