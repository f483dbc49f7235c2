#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/generator.h"
#include "core/learner.h"
#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

using nlohmann::json;

json golden(const std::string& name) {
  std::ifstream file("tests/golden/" + name);
  return json::parse(file);
}

std::vector<double> flat(const json& matrix) {
  std::vector<double> values;
  for (const json& row : matrix)
    for (const json& value : row) values.push_back(value.get<double>());
  return values;
}

/// The article's 2-h-2 network without biases under plain gradient descent.
NetworkSpec article_network(const json& run, std::size_t hidden, double rate) {
  NetworkSpec spec = dense_network(2, {hidden, 2}, Activation::sigmoid, Activation::sigmoid);
  spec.loss.kind = Loss::half_squared_error;
  spec.hyper_parameters.optimizer = default_options(Optimizer::sgd);
  spec.hyper_parameters.optimizer.learning_rate = rate;
  spec.layers[0].bias = spec.layers[1].bias = false;
  spec.layers[0].start_weights = flat(run["W1"]);
  spec.layers[1].start_weights = flat(run["W2"]);
  return spec;
}

void expect_close(const std::vector<double>& made, const json& expected, double absolute, double relative,
                  const std::string& name) {
  const std::vector<double> wanted = flat(expected);
  ASSERT_EQ(made.size(), wanted.size()) << name;
  for (std::size_t i = 0; i < made.size(); ++i)
    EXPECT_NEAR(made[i], wanted[i], absolute + relative * std::fabs(wanted[i])) << name << '[' << i << ']';
}

TEST(Article, StepAsPrintedAndInFloat64) {
  const json step = golden("article_step.json");
  const NetworkSpec spec = article_network(step, 3, step["learning_rate"]);
  Dataset data;
  data.rows = 1;
  data.input_count = data.output_count = 2;
  data.inputs = flat(step["X"]);
  data.targets = flat(step["Y"]);
  const auto learner = make_learner(spec);
  const Result<Trace> trace = learner->trace(data, {});
  ASSERT_TRUE(trace.ok()) << trace.error().message;
  const TracedLayer& first = trace->layers[0];
  const TracedLayer& second = trace->layers[1];
  const std::vector<std::pair<std::string, const std::vector<double>*>> matrices = {
      {"z1", &first.z.values},
      {"h1", &first.h.values},
      {"z2", &second.z.values},
      {"h2", &second.h.values},
      {"dLoss_dh2", &second.dloss_dh.values},
      {"dz2_dW2", &second.input.values},
      {"dLoss_dW2", &second.dloss_dweights.values},
      {"dLoss_dh1", &first.dloss_dh.values},
      {"dh1_dz1", &first.dh_dz.values},
      {"dLoss_dW1", &first.dloss_dweights.values},
      {"W1_next", &first.weights_next.values},
      {"W2_next", &second.weights_next.values},
      {"dh2_dz2", &second.dh_dz.values},
      {"dLoss_dz2", &second.dloss_dz.values},
      {"dLoss_dz1", &first.dloss_dz.values},
  };
  std::size_t compared = 0;
  for (const auto& [name, values] : matrices) {
    if (step["printed_in_article"].contains(name)) {
      ++compared;
      expect_close(*values, step["printed_in_article"][name], 2e-8, 0, name);
    }
    if (step["float64"].contains(name)) {
      ++compared;
      expect_close(*values, step["float64"][name], 0, 1e-14, name);
    }
  }
  EXPECT_GE(compared, step["printed_in_article"].size());
  ASSERT_TRUE(learner->bind(std::make_shared<Dataset>(data), {}).ok());
  ASSERT_EQ(learner->advance(1, 0, {}).steps, 1u);
  const auto parameters = std::get<std::vector<double>>(learner->checkpoint().parameters);
  EXPECT_EQ(std::vector<double>(parameters.begin(), parameters.begin() + 6), first.weights_next.values);
  EXPECT_EQ(std::vector<double>(parameters.begin() + 6, parameters.end()), second.weights_next.values);
}

TEST(Article, Trajectories) {
  const json runs = golden("article_runs.json")["runs"];
  ASSERT_FALSE(runs.empty());
  for (const json& run : runs) {
    NetworkSpec spec = article_network(run, run["hidden"], run["learning_rate"]);
    spec.hyper_parameters.regularization.l2 = run["l2"];
    Dataset data = article_xor();
    if (run["rows"] == "first 50 of xor_300") {
      data.rows = 50;
      data.inputs.resize(100);
      data.targets.resize(100);
    }
    const auto learner = make_learner(spec);
    ASSERT_TRUE(learner->bind(std::make_shared<Dataset>(data), {}).ok());
    std::map<std::uint64_t, Record> records;
    const std::uint64_t last = run["at"].back()["step"];
    learner->advance(last + 1, 1, [&](const Record& record) { records[record.step] = record; });
    for (const json& at : run["at"]) {
      const Record& record = records.at(at["step"]);
      EXPECT_NEAR(record.loss, at["loss"], 1e-10) << run["hidden"] << " at " << at["step"];
      EXPECT_NEAR(record.data_loss, at["data_loss"], 1e-10);
      EXPECT_NEAR(record.penalty, at["penalty"], 1e-10);
      EXPECT_EQ(record.accuracy, at["accuracy"].get<double>());
    }
  }
}

TEST(Article, HonestExplosion) {
  const json golden_run = golden("exploding.json");
  NetworkSpec spec = article_network(golden_run, 50, golden_run["learning_rate"]);
  spec.layers[0].activation = Activation::tanh;
  spec.layers[1].activation = Activation::linear;
  spec.layers[0].bias = spec.layers[1].bias = true;
  const auto learner = make_learner(spec);
  ASSERT_TRUE(learner->bind(std::make_shared<Dataset>(article_xor()), {}).ok());
  std::vector<double> made;
  learner->advance(101, 1, [&](const Record& record) { made.push_back(record.loss); });
  ASSERT_GE(made.size(), 100u);
  std::size_t burst = 0;
  while (burst < made.size() && made[burst] <= 10) ++burst;
  EXPECT_NEAR(static_cast<double>(burst), golden_run["first_step_with_loss_over_10"].get<double>(), 2);
  for (const auto& [step, loss] : golden_run["loss_at"].items())
    if (std::stoul(step) <= 80) {
      EXPECT_NEAR(made[std::stoul(step)], loss.get<double>(), 1e-9) << step;
    }
  // Far past the burst the numbers stop being finite: the last finite state is kept and reported.
  const Advance rest = learner->advance(1000, 1, {});
  EXPECT_TRUE(rest.diverged);
  EXPECT_LT(rest.steps, 1000u);
  // After the burst the last bits decide, and those of tanh differ from NumPy's.
  EXPECT_NEAR(static_cast<double>(learner->step()), golden_run["first_non_finite_step"].get<double>(), 10);
}

}  // namespace
}  // namespace mlpd::core
