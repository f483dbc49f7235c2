#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/checkpoint.h"
#include "core/dataset.h"
#include "core/executor.h"
#include "core/history.h"
#include "core/metrics.h"
#include "core/network_spec.h"
#include "core/result.h"
#include "core/snapshot.h"
#include "core/trace.h"

namespace mlpd::core {

/// How a training set is cut into batches and weighed.
struct BatchPlan {
  std::uint64_t batch_size = 0;       ///< rows; 0 or ≥ rows = the whole set; a short last batch is kept
  bool shuffle = false;               ///< a new order each epoch, from (seed, epoch)
  std::vector<double> class_weights;  ///< empty, or one factor ≥ 0 for each output class
  bool operator==(const BatchPlan&) const = default;
};

/// What advance() did.
struct Advance {
  std::uint64_t steps = 0;  ///< updates done, fewer than asked for only in the cases below
  bool converged = false;   ///< the solver (core/solver.h) can't get further
  bool diverged = false;    ///< the next update would not be finite; the last finite state is kept
};

/// One network with its training state: the only thing that ever changes parameters. Not thread-safe; one
/// owner at a time. Everything is a pure function of (checkpoint, data, calls): advance(a) then advance(b) ≡
/// advance(a+b), whatever the executor.
class Learner {
 public:
  /// A new network: parameters from start numbers or the initializer and the seed. The spec must be valid.
  static Result<std::unique_ptr<Learner>> create(const NetworkSpec& spec,
                                                 std::shared_ptr<const Preprocess> preprocess,
                                                 Executor& executor);
  /// Continues a checkpoint exactly. `corrupted` where shapes and spec disagree or a number is not finite.
  static Result<std::unique_ptr<Learner>> restore(Checkpoint checkpoint, Executor& executor);
  virtual ~Learner() = default;

  virtual const NetworkSpec& spec() const = 0;
  virtual std::uint64_t step() const = 0;
  virtual const Cursor& cursor() const = 0;

  /// Applies from the next step on. A changed optimizer kind drops its state; a changed rate keeps it.
  virtual Result<void> set_hyper_parameters(const HyperParameters& hyper_parameters) = 0;
  /// Takes these parameters (and batch_norm's running statistics) in place of its own; step, optimizer and
  /// cursor stay.
  virtual Result<void> adopt_parameters(const Checkpoint& from) = 0;

  /// All that predictions depend on, in one array: the parameters, then batch_norm's running statistics.
  virtual NumberArray predictive_numbers() const = 0;
  /// Takes another moment's predictive_numbers() of this network; step, optimizer and cursor stay.
  virtual Result<void> adopt(const NumberArray& predictive_numbers) = 0;

  /// Chooses what the next steps train on (shapes must fit the spec). The data is copied into the network's
  /// dtype. The state doesn't change before the next step. A batch of all rows isn't shuffled: its order
  /// means nothing. batch_norm needs two rows in every batch, the last one included.
  virtual Result<void> bind(std::shared_ptr<const Dataset> data, const BatchPlan& plan) = 0;

  /// Rows whose loss and accuracy every record carries (and which a plateau schedule then watches); null =
  /// none. Shapes must fit the spec. Not state: name them again after restore().
  virtual Result<void> watch(std::shared_ptr<const Dataset> validation) = 0;

  /// Does `steps` updates on the bound data. Before update k+1, where k is a multiple of record_every (0 =
  /// never) it calls on_record with record k. Requires a successful bind(). Parameters may be read from
  /// within on_record; the rest of the state is exact only between calls. Under a plateau schedule
  /// record_every is part of what decides the numbers.
  virtual Advance advance(std::uint64_t steps, std::uint64_t record_every,
                          const std::function<void(const Record&)>& on_record) = 0;

  virtual Checkpoint checkpoint() const = 0;
  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
  /// Loss and metrics of the present parameters on all rows of `data`; changes nothing.
  virtual Result<Evaluation> evaluate(const Dataset& data) const = 0;
  /// One forward / loss / backward / update pass on the rows of `data`, shown in full; changes nothing.
  virtual Result<Trace> trace(const Dataset& data, const TraceLimits& limits) const = 0;
};

}  // namespace mlpd::core
