#include "core/trainer.h"

#include <gtest/gtest.h>

#include "core/generator.h"
#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

std::shared_ptr<const Dataset> noisy_moons() {
  GeneratorOptions options;
  options.kind = Generator::moons;
  options.rows = 60;
  options.noise = 0.4;
  options.seed = 3;
  return std::make_shared<const Dataset>(*generate(options));
}

NetworkSpec eager_network() {
  NetworkSpec spec = dense_network(2, {16, 2}, Activation::tanh, Activation::softmax);
  spec.hyper_parameters.optimizer.learning_rate = 0.1;
  return spec;
}

TrainingPlan judged_plan() {
  TrainingPlan plan;
  plan.steps = 2000;
  plan.validation_fraction = 0.3;
  plan.early_stopping = EarlyStopping{15, "validation_loss", 0};
  plan.keep_best = true;
  plan.record_every = 3;
  return plan;
}

TEST(TrainingRun, WhatCanNotBeDoneIsKnownBefore) {
  const struct {
    const char* pointer;
    std::function<void(NetworkSpec&, TrainingPlan&, Dataset&)> spoil;
  } kCases[] = {
      {"#/steps", [](NetworkSpec&, TrainingPlan& plan, Dataset&) { plan.steps = 0; }},
      {"#/validation/fraction",
       [](NetworkSpec&, TrainingPlan& plan, Dataset&) { plan.validation_fraction = 0.001; }},
      {"#/class_weights",
       [](NetworkSpec&, TrainingPlan& plan, Dataset&) { plan.batches.class_weights = {1}; }},
      {"#/class_weights",
       [](NetworkSpec&, TrainingPlan& plan, Dataset&) {
         plan.batches.class_weights = {0, 0};
       }},
      {"#/batch_size",
       [](NetworkSpec& spec, TrainingPlan& plan, Dataset&) {
         LayerSpec norm;
         norm.kind = LayerKind::batch_norm;
         spec.layers.insert(spec.layers.begin(), norm);
         plan.batches.batch_size = 59;  // of 60 rows
       }},
      {"#/batch_size",
       [](NetworkSpec& spec, TrainingPlan& plan, Dataset&) {
         spec.hyper_parameters.optimizer = default_options(Optimizer::lbfgs);
         plan.batches.batch_size = 20;
       }},
      {"#/optimizer/type",
       [](NetworkSpec& spec, TrainingPlan&, Dataset&) {
         LayerSpec dropout;
         dropout.kind = LayerKind::dropout;
         spec.layers.insert(spec.layers.begin(), dropout);
         spec.hyper_parameters.optimizer = default_options(Optimizer::lbfgs);
       }},
      {"#/data/targets/3", [](NetworkSpec&, TrainingPlan&, Dataset& data) { data.targets[6] = -0.5; }},
  };
  for (const auto& c : kCases) {
    NetworkSpec spec = eager_network();
    TrainingPlan plan;
    Dataset data = *noisy_moons();
    ASSERT_TRUE(check_plan(plan, spec, data).ok());
    c.spoil(spec, plan, data);
    const Result<void> checked = check_plan(plan, spec, data);
    ASSERT_FALSE(checked.ok()) << c.pointer;
    ASSERT_FALSE(checked.error().fields.empty());
    EXPECT_EQ(checked.error().fields[0].pointer, c.pointer);
  }
}

TEST(TrainingRun, StopsEarlyWithTheBestParametersHoweverItIsCut) {
  const auto whole = make_learner(eager_network());
  Result<TrainingRun> run = TrainingRun::start(*whole, noisy_moons(), judged_plan());
  ASSERT_TRUE(run.ok()) << run.error().message;
  ASSERT_EQ(run->run(1'000'000, {}), StopReason::early_stopped);
  EXPECT_LT(run->progress().steps_done, 2000u);
  const std::uint64_t best = *run->progress().best_step;
  EXPECT_LT(best, run->progress().steps_done);
  const Result<Split> parts = split(noisy_moons(), 0.3, 0);
  ASSERT_TRUE(parts.ok());
  EXPECT_DOUBLE_EQ(whole->evaluate(*parts->validation)->loss, *run->progress().best_value);

  auto cut = make_learner(eager_network());
  TrainingProgress progress;
  std::optional<StopReason> reason;
  for (std::uint64_t slice = 1; !reason; slice = slice % 7 + 1) {
    Result<TrainingRun> part = TrainingRun::start(*cut, noisy_moons(), judged_plan(), progress);
    ASSERT_TRUE(part.ok());
    reason = part->run(slice, {});
    progress = part->progress();
    if (!reason) cut = std::move(*Learner::restore(cut->checkpoint(), serial()));
  }
  EXPECT_EQ(reason, StopReason::early_stopped);
  EXPECT_EQ(progress.steps_done, run->progress().steps_done);
  EXPECT_EQ(state_digest(cut->checkpoint()), state_digest(whole->checkpoint()));
}

TEST(TrainingRun, CompletesAndEvaluatesTheTrainingSet) {
  const auto learner = make_learner(eager_network());
  TrainingPlan plan;
  plan.steps = 500;
  plan.record_every = 100;
  Result<TrainingRun> run = TrainingRun::start(*learner, std::make_shared<Dataset>(article_xor()), plan);
  ASSERT_TRUE(run.ok());
  std::vector<std::uint64_t> steps;
  EXPECT_EQ(run->run(499, [&](const Record& r) { steps.push_back(r.step); }), std::nullopt);
  EXPECT_EQ(run->run(499, {}), StopReason::completed);
  EXPECT_EQ(steps, (std::vector<std::uint64_t>{0, 100, 200, 300, 400}));
  EXPECT_GE(run->evaluate_training()->metric("accuracy").value_or(0), 0.95);
}

TEST(TrainingRun, ImpossiblePlansAreRefusedByName) {
  const std::vector<std::pair<std::string, std::function<void(TrainingPlan&)>>> faults = {
      {"#/steps", [](TrainingPlan& p) { p.steps = 0; }},
      {"#/record_every", [](TrainingPlan& p) { p.record_every = 0; }},
      {"#/validation/fraction", [](TrainingPlan& p) { p.validation_fraction = 1; }},
      {"#/early_stopping/patience", [](TrainingPlan& p) { p.early_stopping->patience = 0; }},
      {"#/early_stopping/min_delta", [](TrainingPlan& p) { p.early_stopping->min_delta = -1; }},
      {"#/early_stopping/metric", [](TrainingPlan& p) { p.early_stopping->metric = "losss"; }},
      {"#/early_stopping/metric", [](TrainingPlan& p) { p.validation_fraction = 0; }},
      {"#/class_weights", [](TrainingPlan& p) { p.batches.class_weights = {1}; }},
      {"#/class_weights",
       [](TrainingPlan& p) {
         p.batches.class_weights = {1, -1};
       }},
  };
  const auto learner = make_learner(eager_network());
  const Digest before = state_digest(learner->checkpoint());
  for (const auto& [pointer, make] : faults) {
    TrainingPlan plan = judged_plan();
    make(plan);
    const Result<TrainingRun> run = TrainingRun::start(*learner, noisy_moons(), plan);
    ASSERT_FALSE(run.ok()) << pointer;
    EXPECT_EQ(run.error().fields.at(0).pointer, pointer);
  }
  NetworkSpec norm = eager_network();
  norm.layers.insert(norm.layers.begin(), LayerSpec{});
  norm.layers[0].kind = LayerKind::batch_norm;
  TrainingPlan plan;
  plan.batches.batch_size = 59;  // 60 rows leave one over
  EXPECT_EQ(TrainingRun::start(*make_learner(norm), noisy_moons(), plan).error().fields.at(0).pointer,
            "#/batch_size");
  EXPECT_EQ(state_digest(learner->checkpoint()), before);
}

}  // namespace
}  // namespace mlpd::core
