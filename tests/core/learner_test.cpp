#include "core/learner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/named_table.h"
#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

using nlohmann::json;

/// tests/golden/torch_goldens.json; see make_torch_goldens.py beside it.
const json& goldens() {
  static const json document = [] {
    std::ifstream file("tests/golden/torch_goldens.json");
    return json::parse(file);
  }();
  return document;
}

template <class Row>
auto value_of(std::span<const Row> table, const json& name) {
  const Row* row = find_by_name(table, name.get_ref<const std::string&>());
  EXPECT_NE(row, nullptr) << name;
  return row->value;
}

std::vector<LayerSpec> layers_of(const json& layers) {
  std::vector<LayerSpec> made;
  for (const json& layer : layers) {
    LayerSpec spec;
    spec.kind = value_of(layer_kinds(), layer["type"]);
    spec.units = layer.value("units", 0);
    spec.bias = layer.value("bias", true);
    if (layer.contains("activation")) spec.activation = value_of(activations(), layer["activation"]);
    spec.rate = layer.value("rate", spec.rate);
    spec.momentum = layer.value("momentum", spec.momentum);
    spec.epsilon = layer.value("epsilon", spec.epsilon);
    if (layer.contains("layers")) spec.layers = layers_of(layer["layers"]);
    made.push_back(spec);
  }
  return made;
}

OptimizerOptions optimizer_of(const json& optimizer) {
  OptimizerOptions options = default_options(value_of(optimizers(), optimizer["type"]));
  options.learning_rate = optimizer["learning_rate"];
  options.momentum = optimizer.value("momentum", options.momentum);
  options.nesterov = optimizer.value("nesterov", options.nesterov);
  options.decay = optimizer.value("decay", options.decay);
  options.epsilon = optimizer.value("epsilon", options.epsilon);
  options.weight_decay = optimizer.value("weight_decay", options.weight_decay);
  if (optimizer.contains("betas")) {
    options.beta1 = optimizer["betas"][0];
    options.beta2 = optimizer["betas"][1];
  }
  return options;
}

ScheduleOptions schedule_of(const json& schedule) {
  ScheduleOptions options;
  options.kind = value_of(schedules(), schedule["type"]);
  options.every = schedule.value("every", options.every);
  options.factor = schedule.value("factor", options.factor);
  options.decay = schedule.value("decay", options.decay);
  options.steps = schedule.value("steps", options.steps);
  options.minimum = schedule.value("minimum", options.minimum);
  options.maximum = schedule.value("maximum", options.maximum);
  options.patience = schedule.value("patience", options.patience);
  if (schedule.contains("then")) options.then.push_back(schedule_of(schedule["then"]));
  return options;
}

NetworkSpec spec_of(const json& test) {
  NetworkSpec spec;
  spec.inputs = goldens()["inputs"][0].size();
  spec.dtype = Dtype::float64;
  spec.layers = layers_of(test["layers"]);
  spec.loss.kind = value_of(losses(), test["loss"]);
  spec.loss.label_smoothing = test.value("label_smoothing", 0.0);
  spec.hyper_parameters.optimizer = optimizer_of(test["optimizer"]);
  spec.hyper_parameters.schedule = schedule_of(test["schedule"]);
  const json none = json::object();
  const json penalty = test.value("regularization", none);
  const json clip = test.value("gradient_clip", none);
  spec.hyper_parameters.regularization = {penalty.value("l1", 0.0), penalty.value("l2", 0.0)};
  spec.hyper_parameters.gradient_clip = {clip.value("norm", 0.0), clip.value("value", 0.0)};
  spec.ema = test.value("ema", 0.0);
  return spec;
}

std::shared_ptr<Dataset> data_of(const json& test) {
  auto data = std::make_shared<Dataset>();
  const json& targets = goldens()["targets"][test["targets"].get<std::string>()];
  data->rows = targets.size();
  data->input_count = goldens()["inputs"][0].size();
  data->output_count = targets[0].size();
  for (const json& row : goldens()["inputs"])
    for (const json& value : row) data->inputs.push_back(value);
  for (const json& row : targets)
    for (const json& value : row) data->targets.push_back(value);
  return data;
}

const std::vector<double>& numbers(const NumberArray& array) { return std::get<std::vector<double>>(array); }

const std::vector<double>* find_array(const Checkpoint& checkpoint, const std::string& name) {
  for (const NamedArray& array : checkpoint.arrays)
    if (array.name == name) return &numbers(array.values);
  return nullptr;
}

/// A learner that starts from the golden's numbers.
std::unique_ptr<Learner> start(const json& test) {
  Checkpoint checkpoint = make_learner(spec_of(test))->checkpoint();
  checkpoint.parameters = test["start"].get<std::vector<double>>();
  for (NamedArray& array : checkpoint.arrays)
    if (array.name == "ema") array.values = checkpoint.parameters;
  Result<std::unique_ptr<Learner>> learner = Learner::restore(checkpoint, serial());
  EXPECT_TRUE(learner.ok()) << test["name"] << learner.error().message;
  return std::move(*learner);
}

void expect_near(const std::vector<double>& made, const std::vector<double>& wanted,
                 const std::string& name) {
  ASSERT_EQ(made.size(), wanted.size()) << name;
  for (std::size_t i = 0; i < made.size(); ++i)
    EXPECT_NEAR(made[i], wanted[i], 1e-9 * std::max(1.0, std::fabs(wanted[i]))) << name << '[' << i << ']';
}

class TorchGolden : public testing::TestWithParam<std::size_t> {};

TEST_P(TorchGolden, FiftySteps) {
  const json& test = goldens()["cases"][GetParam()];
  const std::string name = test["name"];
  ASSERT_TRUE(validate(spec_of(test), {}).ok()) << name;
  const auto learner = start(test);
  BatchPlan plan;
  plan.batch_size = test["batch_size"];
  plan.class_weights = test.value("class_weights", std::vector<double>{});
  ASSERT_TRUE(learner->bind(data_of(test), plan).ok()) << name;
  std::vector<double> losses;
  const Advance done =
      learner->advance(goldens()["steps"], 1, [&](const Record& r) { losses.push_back(r.loss); });
  EXPECT_EQ(done.steps, goldens()["steps"]);
  const Checkpoint end = learner->checkpoint();
  expect_near(losses, test["losses"], name + " losses");
  expect_near(numbers(end.parameters), test["end"], name + " parameters");
  std::vector<double> running;
  for (const NamedArray& array : end.arrays)
    if (array.name.rfind("batch_norm.", 0) == 0)
      running.insert(running.end(), numbers(array.values).begin(), numbers(array.values).end());
  expect_near(running, test["running"], name + " running statistics");
  if (test.contains("average")) {
    const std::vector<double>* average = find_array(end, "ema");
    ASSERT_NE(average, nullptr);
    expect_near(*average, test["average"], name + " average");
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, TorchGolden, testing::Range<std::size_t>(0, goldens()["cases"].size()));

/// Every row of the tables occurs in a golden.
TEST(TorchGoldens, CoverTheTables) {
  const std::string all = goldens()["cases"].dump();
  const auto expect_named = [&](std::string_view name) {
    EXPECT_NE(all.find('"' + std::string(name) + '"'), std::string::npos) << name;
  };
  for (const auto& row : activations()) expect_named(row.name);
  for (const auto& row : losses()) expect_named(row.name);
  for (const auto& row : schedules()) expect_named(row.name);
  for (const auto& row : layer_kinds()) expect_named(row.name);
  for (const char* name : {"sgd", "rmsprop", "adagrad", "adam", "adamw"}) expect_named(name);
}

}  // namespace
}  // namespace mlpd::core
