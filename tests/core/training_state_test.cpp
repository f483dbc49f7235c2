#include "core/training_state.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/generator.h"
#include "tests/core/network_builders.h"
#include "tests/support/thread_executor.h"

namespace mlpd::core {
namespace {

/// A network with every brick, dropout and running statistics included.
NetworkSpec rich_network(Dtype dtype, Optimizer optimizer) {
  NetworkSpec spec = dense_network(2, {6, 6, 2}, Activation::tanh, Activation::softmax);
  LayerSpec dropout;
  dropout.kind = LayerKind::dropout;
  dropout.rate = 0.2;
  LayerSpec norm;
  norm.kind = LayerKind::batch_norm;
  LayerSpec residual;
  residual.kind = LayerKind::residual;
  LayerSpec inner_norm;
  inner_norm.kind = LayerKind::layer_norm;
  residual.layers = {inner_norm, spec.layers[1], dropout};
  spec.layers = {spec.layers[0], norm, residual, spec.layers[2]};
  spec.dtype = dtype;
  spec.seed = 11;
  spec.ema = 0.99;
  spec.hyper_parameters.optimizer = default_options(optimizer);
  if (optimizer == Optimizer::sgd) spec.hyper_parameters.optimizer.momentum = 0.9;
  spec.hyper_parameters.schedule.kind = Schedule::plateau;
  spec.hyper_parameters.schedule.factor = 0.5;
  spec.hyper_parameters.schedule.patience = 4;
  spec.hyper_parameters.regularization = {0.001, 0.01};
  spec.hyper_parameters.gradient_clip.norm = 1;
  return spec;
}

std::shared_ptr<const Dataset> points() {
  static const auto data = std::make_shared<const Dataset>(article_xor());
  return data;
}

const BatchPlan kPlan{32, true, {1.0, 2.0}};

struct Case {
  Dtype dtype;
  Optimizer optimizer;
};

class Equality : public testing::TestWithParam<Case> {
 protected:
  NetworkSpec spec() const { return rich_network(GetParam().dtype, GetParam().optimizer); }
  std::unique_ptr<Learner> bound(Executor& executor = serial()) const {
    auto learner = make_learner(spec(), executor);
    EXPECT_TRUE(learner->bind(points(), kPlan).ok());
    return learner;
  }
};

TEST_P(Equality, OfCutRestoredAndThreadedRuns) {
  const auto whole = bound();
  ASSERT_EQ(whole->advance(60, 1, {}).steps, 60u);
  const Digest expected = state_digest(whole->checkpoint());
  EXPECT_NE(expected, state_digest(bound()->checkpoint()));

  const auto cut = bound();
  for (std::uint64_t steps : {1u, 6u, 13u, 40u}) cut->advance(steps, 1, {});
  EXPECT_EQ(state_digest(cut->checkpoint()), expected) << "cut into calls";

  auto stored = bound();
  stored->advance(23, 1, {});  // in the middle of an epoch
  Result<std::unique_ptr<Learner>> again = Learner::restore(stored->checkpoint(), serial());
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(state_digest((*again)->checkpoint()), state_digest(stored->checkpoint()));
  ASSERT_TRUE((*again)->bind(points(), kPlan).ok());
  (*again)->advance(37, 1, {});
  EXPECT_EQ(state_digest((*again)->checkpoint()), expected) << "restored in between";

  test::ThreadExecutor threads(3);
  const auto parallel = bound(threads);
  parallel->advance(60, 1, {});
  EXPECT_EQ(state_digest(parallel->checkpoint()), expected) << "in threads";
}

TEST_P(Equality, TraceShowsWhatTheNextStepDoes) {
  auto learner = make_learner(spec());
  auto few = std::make_shared<Dataset>(*points());
  few->rows = 20;
  few->inputs.resize(40);
  few->targets.resize(40);
  ASSERT_TRUE(learner->bind(few, {}).ok());
  learner->advance(7, 0, {});
  const Digest before = state_digest(learner->checkpoint());
  const Result<Trace> trace = learner->trace(*few, {});
  ASSERT_TRUE(trace.ok()) << trace.error().message;
  EXPECT_EQ(state_digest(learner->checkpoint()), before);
  learner->advance(1, 0, {});
  const Checkpoint after = learner->checkpoint();
  std::vector<double> parameters;
  std::visit([&](const auto& values) { parameters.assign(values.begin(), values.end()); }, after.parameters);
  std::vector<double> traced;
  const std::function<void(const std::vector<TracedLayer>&)> collect =
      [&](const std::vector<TracedLayer>& layers) {
        for (const TracedLayer& layer : layers) {
          traced.insert(traced.end(), layer.weights_next.values.begin(), layer.weights_next.values.end());
          traced.insert(traced.end(), layer.bias_next.values.begin(), layer.bias_next.values.end());
          collect(layer.layers);
        }
      };
  collect(trace->layers);
  EXPECT_EQ(traced, parameters);
}

INSTANTIATE_TEST_SUITE_P(Networks, Equality,
                         testing::Values(Case{Dtype::float32, Optimizer::adam},
                                         Case{Dtype::float64, Optimizer::adamw},
                                         Case{Dtype::float32, Optimizer::sgd},
                                         Case{Dtype::float64, Optimizer::rmsprop},
                                         Case{Dtype::float32, Optimizer::adagrad}));

TEST(TrainingState, DamagedCheckpointsAreRefused) {
  const auto learner = make_learner(rich_network(Dtype::float64, Optimizer::adam));
  const Checkpoint good = learner->checkpoint();
  const auto refused = [](Checkpoint checkpoint) {
    const Result<std::unique_ptr<Learner>> made = Learner::restore(std::move(checkpoint), serial());
    return !made.ok() && made.error().code == ErrorCode::corrupted;
  };
  EXPECT_FALSE(refused(good));
  Checkpoint bad = good;
  std::get<std::vector<double>>(bad.parameters).pop_back();
  EXPECT_TRUE(refused(bad));
  bad = good;
  std::get<std::vector<double>>(bad.parameters)[0] = std::nan("");
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.parameters = std::vector<float>(size_of(good.parameters));
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.spec.layers[0].units = 7;
  EXPECT_TRUE(refused(bad));
  for (std::size_t i = 0; i < good.arrays.size(); ++i) {
    bad = good;
    bad.arrays.erase(bad.arrays.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_TRUE(refused(bad)) << good.arrays[i].name;
  }
}

TEST(TrainingState, DivergenceKeepsTheLastFiniteStateHoweverCallsAreCut) {
  NetworkSpec spec = dense_network(2, {5, 2}, Activation::relu, Activation::linear);
  spec.hyper_parameters.optimizer = default_options(Optimizer::sgd);
  spec.hyper_parameters.optimizer.learning_rate = 50;
  const auto whole = make_learner(spec);
  ASSERT_TRUE(whole->bind(points(), {}).ok());
  const Advance done = whole->advance(10'000, 0, {});
  EXPECT_TRUE(done.diverged);
  EXPECT_LT(done.steps, 10'000u);
  EXPECT_EQ(done.steps, whole->step());
  ASSERT_TRUE(Learner::restore(whole->checkpoint(), serial()).ok());
  const auto cut = make_learner(spec);
  ASSERT_TRUE(cut->bind(points(), {}).ok());
  std::uint64_t records = 0;
  while (!cut->advance(1, 1, [&](const Record& r) { records = r.step + 1; }).diverged) {
  }
  EXPECT_EQ(state_digest(cut->checkpoint()), state_digest(whole->checkpoint()));
  EXPECT_EQ(records, done.steps + 1);  // the record before the update that fails is the last
}

TEST(TrainingState, DivergenceRepeatsNothingOfBeforeAChange) {
  NetworkSpec spec = rich_network(Dtype::float32, Optimizer::sgd);  // its plateau listens to the records
  spec.hyper_parameters.gradient_clip = {};
  spec.hyper_parameters.optimizer.learning_rate = 0.001;
  HyperParameters wild = spec.hyper_parameters;
  wild.optimizer.learning_rate = 1e30;
  const auto run = [&](std::uint64_t cut) {
    const auto learner = make_learner(spec);
    EXPECT_TRUE(learner->bind(points(), kPlan).ok());
    std::uint64_t made = 0;
    const auto advance = [&](std::uint64_t steps, std::uint64_t record_every) {
      for (std::uint64_t done = 0; done < steps; done += cut) {
        const Advance part = learner->advance(std::min(cut, steps - done), record_every, {});
        made += part.steps;
        if (part.diverged) return true;
      }
      return false;
    };
    EXPECT_FALSE(advance(9, 1));
    EXPECT_FALSE(advance(5, 0));
    EXPECT_FALSE(advance(6, 2));
    EXPECT_TRUE(learner->set_hyper_parameters(wild).ok());
    EXPECT_TRUE(advance(40, 2));
    EXPECT_EQ(made, learner->step());
    EXPECT_GE(made, 20u);
    return state_digest(learner->checkpoint());
  };
  const Digest whole = run(1'000);
  for (const std::uint64_t cut : {1u, 2u, 3u, 7u}) EXPECT_EQ(run(cut), whole) << cut;
}

}  // namespace
}  // namespace mlpd::core
