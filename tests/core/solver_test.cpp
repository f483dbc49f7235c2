#include "core/solver.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include "core/generator.h"
#include "core/learner.h"
#include "core/named_table.h"

namespace mlpd::core {
namespace {

NetworkSpec xor_spec(Optimizer kind, Dtype dtype, std::uint64_t seed) {
  NetworkSpec spec;
  spec.inputs = 2;
  LayerSpec hidden;
  hidden.units = 8;
  LayerSpec last;
  last.units = 2;
  last.activation = Activation::softmax;
  spec.layers = {hidden, last};
  spec.loss.kind = Loss::cross_entropy;
  spec.hyper_parameters.optimizer = default_options(kind);
  spec.seed = seed;
  spec.dtype = dtype;
  return spec;
}

std::shared_ptr<const Dataset> article() { return std::make_shared<Dataset>(article_xor()); }

std::unique_ptr<Learner> make(const NetworkSpec& spec, Executor& executor) {
  Result<std::unique_ptr<Learner>> learner = Learner::create(spec, nullptr, executor);
  if (!learner) {
    ADD_FAILURE() << learner.error().message;
    return nullptr;
  }
  return std::move(*learner);
}

TEST(Solver, AutoSolvesXorFromEverySeed) {
  SerialExecutor executor;
  for (Dtype dtype : {Dtype::float32, Dtype::float64})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      auto learner = make(xor_spec(Optimizer::automatic, dtype, seed), executor);
      ASSERT_TRUE(learner->bind(article(), {}).ok());
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_TRUE(learner->advance(1000, 1, [](const Record&) {}).converged);
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
      const Evaluation evaluation = *learner->evaluate(article_xor());
      std::printf("%s seed %2u: accuracy %.4f loss %.5f in %.2f ms\n", std::string(name_of(dtype)).c_str(),
                  unsigned(seed), *evaluation.metric("accuracy"), evaluation.loss, took.count());
      EXPECT_GE(*evaluation.metric("accuracy"), 0.99);
    }
}

struct Case {
  Optimizer kind;
  Loss loss;
  Activation last;
};

// With a penalty the optimum is a point: both solvers must end where the gradient vanishes.
TEST(Solver, EndsWhereTheGradientVanishes) {
  SerialExecutor executor;
  const Case cases[] = {
      {Optimizer::lbfgs, Loss::cross_entropy, Activation::softmax},
      {Optimizer::lbfgs, Loss::half_squared_error, Activation::linear},
      {Optimizer::lbfgs, Loss::huber, Activation::tanh},
      {Optimizer::levenberg_marquardt, Loss::cross_entropy, Activation::softmax},
      {Optimizer::levenberg_marquardt, Loss::binary_cross_entropy, Activation::sigmoid},
      {Optimizer::levenberg_marquardt, Loss::half_squared_error, Activation::linear},
      {Optimizer::levenberg_marquardt, Loss::mean_squared_error, Activation::sigmoid},
      {Optimizer::levenberg_marquardt, Loss::mean_squared_error, Activation::softmax},
  };
  for (const Case& c : cases) {
    NetworkSpec spec = xor_spec(c.kind, Dtype::float64, 3);
    spec.loss.kind = c.loss;
    spec.layers.back().activation = c.last;
    spec.hyper_parameters.regularization.l2 = 1;
    auto learner = make(spec, executor);
    ASSERT_TRUE(learner->bind(article(), {}).ok());
    Record last;
    learner->advance(2000, 1, [&](const Record& record) { last = record; });
    EXPECT_LT(last.gradient_norm, 1e-7)
        << name_of<OptimizerRow>(optimizers(), c.kind) << " " << name_of<LossRow>(losses(), c.loss);
  }
}

TEST(Solver, IsTheSameInPiecesAndAcrossCheckpoints) {
  SerialExecutor executor;
  for (Optimizer kind : {Optimizer::lbfgs, Optimizer::levenberg_marquardt, Optimizer::automatic})
    for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
      auto whole = make(xor_spec(kind, dtype, 5), executor);
      ASSERT_TRUE(whole->bind(article(), {}).ok());
      whole->advance(40, 3, {});
      auto part = make(xor_spec(kind, dtype, 5), executor);
      for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(part->bind(article(), {}).ok());
        if (part->advance(5, 1, {}).converged) break;
        part = *Learner::restore(part->checkpoint(), executor);
      }
      EXPECT_EQ(state_digest(whole->checkpoint()).hex(), state_digest(part->checkpoint()).hex())
          << name_of<OptimizerRow>(optimizers(), kind);
    }
}

// What was evaluated last is not evaluated again, but for another function.
TEST(Solver, TakesNothingOverFromAnotherFunction) {
  SerialExecutor executor;
  const auto moons = std::make_shared<Dataset>(*generate({.kind = Generator::moons, .rows = 80}));
  for (Optimizer kind : {Optimizer::lbfgs, Optimizer::levenberg_marquardt})
    for (const bool other_data : {false, true}) {
      auto kept = make(xor_spec(kind, Dtype::float64, 5), executor);
      ASSERT_TRUE(kept->bind(article(), {}).ok());
      kept->advance(5, 1, {});
      auto fresh = *Learner::restore(kept->checkpoint(), executor);
      ASSERT_TRUE(fresh->bind(article(), {}).ok());
      for (Learner* learner : {kept.get(), fresh.get()}) {
        if (other_data) {
          ASSERT_TRUE(learner->bind(moons, {}).ok());
        } else {
          HyperParameters settings = learner->spec().hyper_parameters;
          settings.regularization.l2 = 3;
          ASSERT_TRUE(learner->set_hyper_parameters(settings).ok());
        }
        learner->advance(5, 2, {});
      }
      EXPECT_EQ(state_digest(kept->checkpoint()).hex(), state_digest(fresh->checkpoint()).hex());
    }
}

TEST(Solver, RefusesByName) {
  SerialExecutor executor;
  NetworkSpec spec = xor_spec(Optimizer::levenberg_marquardt, Dtype::float32, 0);
  LayerSpec dropout;
  dropout.kind = LayerKind::dropout;
  LayerSpec norm;
  norm.kind = LayerKind::batch_norm;
  spec.layers.insert(spec.layers.begin() + 1, {dropout, norm});
  spec.loss.kind = Loss::huber;
  const auto refused = Learner::create(spec, nullptr, executor);
  ASSERT_FALSE(refused.ok());
  ASSERT_EQ(refused.error().fields.size(), 3U);
  EXPECT_NE(refused.error().fields[0].detail.find("dropout"), std::string::npos);
  EXPECT_NE(refused.error().fields[1].detail.find("batch_norm"), std::string::npos);

  spec = xor_spec(Optimizer::levenberg_marquardt, Dtype::float32, 0);
  spec.layers[0].units = 200;
  ASSERT_FALSE(
      Learner::create(spec, nullptr, executor).ok());  // 1,002 parameters, one and a bit past the bound

  auto learner = make(xor_spec(Optimizer::lbfgs, Dtype::float32, 0), executor);
  BatchPlan plan;
  plan.batch_size = 32;
  const Result<void> bound = learner->bind(article(), plan);
  ASSERT_FALSE(bound.ok());
  EXPECT_EQ(bound.error().fields.front().pointer, "#/batch_size");
}

TEST(Solver, AutoChooses) {
  const Network small(xor_spec(Optimizer::automatic, Dtype::float32, 0));
  EXPECT_EQ(choose_optimizer(small, 300, 300), Optimizer::levenberg_marquardt);
  EXPECT_EQ(choose_optimizer(small, 300, 32), Optimizer::adam);
  EXPECT_EQ(choose_optimizer(small, 10'000'000, 10'000'000), Optimizer::adam);
  NetworkSpec spec = xor_spec(Optimizer::automatic, Dtype::float32, 0);
  spec.layers[0].units = 500;
  const Network wide(spec);
  EXPECT_EQ(choose_optimizer(wide, 300, 300), Optimizer::lbfgs);
  LayerSpec dropout;
  dropout.kind = LayerKind::dropout;
  spec.layers.insert(spec.layers.begin(), dropout);
  const Network dropped(spec);
  EXPECT_EQ(choose_optimizer(dropped, 300, 300), Optimizer::adam);
}

}  // namespace
}  // namespace mlpd::core
