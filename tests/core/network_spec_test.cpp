#include "core/network_spec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "tests/core/network_builders.h"

namespace mlpd::core {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Fault {
  std::string pointer;
  std::function<void(NetworkSpec&)> make;
};

LayerSpec layer(LayerKind kind) {
  LayerSpec made;
  made.kind = kind;
  return made;
}

ScheduleOptions schedule(Schedule kind, std::uint64_t every, double factor) {
  ScheduleOptions made;
  made.kind = kind;
  made.every = every;
  made.factor = factor;
  return made;
}

void insert(NetworkSpec& spec, LayerSpec made) { spec.layers.insert(spec.layers.begin(), std::move(made)); }

const std::vector<Fault>& faults() {
  static const std::vector<Fault> kFaults = {
      {"#/inputs", [](NetworkSpec& s) { s.inputs = 0; }},
      {"#/inputs", [](NetworkSpec& s) { s.inputs = 65'537; }},
      {"#/inputs/1",
       [](NetworkSpec& s) {
         s.input_names = {"a", "a"};
       }},
      {"#/layers", [](NetworkSpec& s) { s.layers.clear(); }},
      {"#/layers", [](NetworkSpec& s) { s.layers.insert(s.layers.begin(), 63, s.layers[0]); }},
      {"#/layers", [](NetworkSpec& s) { s.layers[0].units = 65'536, insert(s, s.layers[0]); }},
      {"#/layers/0/units", [](NetworkSpec& s) { s.layers[0].units = 0; }},
      {"#/layers/0/units", [](NetworkSpec& s) { s.layers[0].units = 65'537; }},
      {"#/layers/0/units",
       [](NetworkSpec& s) { s.layers[0].units = std::numeric_limits<std::size_t>::max(); }},
      {"#/layers/0/activation", [](NetworkSpec& s) { s.layers[0].activation = Activation::softmax; }},
      {"#/layers/0/weights",
       [](NetworkSpec& s) {
         s.layers[0].start_weights = {1, 2};
       }},
      {"#/layers/0/weights", [](NetworkSpec& s) { s.layers[0].start_weights.assign(6, kNan); }},
      {"#/layers/0/weights",
       [](NetworkSpec& s) { s.dtype = Dtype::float32, s.layers[0].start_weights.assign(6, 1e39); }},
      {"#/layers/0/bias", [](NetworkSpec& s) { s.layers[0].start_bias = {1}; }},
      {"#/layers/0/bias",
       [](NetworkSpec& s) {
         s.layers[0].bias = false, s.layers[0].start_bias = {1, 2, 3};
       }},
      {"#/layers/0/initializer/limit",
       [](NetworkSpec& s) {
         s.layers[0].initializer = InitializerOptions{Initializer::uniform, 0};
       }},
      {"#/layers/0/initializer/deviation",
       [](NetworkSpec& s) {
         s.layers[0].initializer = InitializerOptions{Initializer::normal, -1};
       }},
      {"#/layers/0/rate", [](NetworkSpec& s) { insert(s, layer(LayerKind::dropout)), s.layers[0].rate = 1; }},
      {"#/layers/0/momentum",
       [](NetworkSpec& s) { insert(s, layer(LayerKind::batch_norm)), s.layers[0].momentum = 0; }},
      {"#/layers/0/epsilon",
       [](NetworkSpec& s) { insert(s, layer(LayerKind::layer_norm)), s.layers[0].epsilon = 0; }},
      {"#/layers/0/layers", [](NetworkSpec& s) { insert(s, layer(LayerKind::residual)); }},
      {"#/layers/0/layers",
       [](NetworkSpec& s) { insert(s, layer(LayerKind::residual)), s.layers[0].layers = {s.layers[1]}; }},
      {"#/layers/2/type", [](NetworkSpec& s) { s.layers.push_back(layer(LayerKind::dropout)); }},
      {"#/loss/label_smoothing", [](NetworkSpec& s) { s.loss.label_smoothing = 1; }},
      {"#/loss/label_smoothing",
       [](NetworkSpec& s) {
         s.loss = {Loss::huber, 0.1};
       }},
      {"#/loss", [](NetworkSpec& s) { s.layers[1].units = 1, s.layers[1].activation = Activation::sigmoid; }},
      {"#/layers/1/units", [](NetworkSpec& s) { s.layers[1].units = 1; }},
      {"#/ema", [](NetworkSpec& s) { s.ema = 1; }},
      {"#/optimizer/learning_rate", [](NetworkSpec& s) { s.hyper_parameters.optimizer.learning_rate = -1; }},
      {"#/optimizer/betas/0", [](NetworkSpec& s) { s.hyper_parameters.optimizer.beta1 = 1; }},
      {"#/optimizer/betas/1", [](NetworkSpec& s) { s.hyper_parameters.optimizer.beta2 = kNan; }},
      {"#/optimizer/epsilon", [](NetworkSpec& s) { s.hyper_parameters.optimizer.epsilon = 0; }},
      {"#/optimizer/nesterov",
       [](NetworkSpec& s) {
         s.hyper_parameters.optimizer = default_options(Optimizer::sgd);
         s.hyper_parameters.optimizer.nesterov = true;
       }},
      {"#/regularization/l1", [](NetworkSpec& s) { s.hyper_parameters.regularization.l1 = -1; }},
      {"#/regularization/l2", [](NetworkSpec& s) { s.hyper_parameters.regularization.l2 = kNan; }},
      {"#/gradient_clip/norm", [](NetworkSpec& s) { s.hyper_parameters.gradient_clip.norm = -1; }},
      {"#/gradient_clip/value", [](NetworkSpec& s) { s.hyper_parameters.gradient_clip.value = -1; }},
      {"#/schedule/factor",
       [](NetworkSpec& s) { s.hyper_parameters.schedule = schedule(Schedule::step, 1, 0); }},
      {"#/schedule/every",
       [](NetworkSpec& s) { s.hyper_parameters.schedule = schedule(Schedule::step, 0, 0.5); }},
      {"#/schedule/maximum",
       [](NetworkSpec& s) { s.hyper_parameters.schedule = schedule(Schedule::one_cycle, 1, 1); }},
      {"#/schedule/then",
       [](NetworkSpec& s) { s.hyper_parameters.schedule = schedule(Schedule::warmup, 1, 1); }},
  };
  return kFaults;
}

TEST(NetworkSpec, EachFaultIsNamedWithItsPointer) {
  const NetworkSpec good = dense_network(2, {3, 2}, Activation::tanh, Activation::softmax);
  ASSERT_TRUE(validate(good, {}).ok());
  EXPECT_EQ(parameter_count(good), 17u);
  for (std::size_t i = 0; i < faults().size(); ++i) {
    NetworkSpec bad = good;
    faults()[i].make(bad);
    const Result<void> valid = validate(bad, {});
    ASSERT_FALSE(valid.ok()) << i << ' ' << faults()[i].pointer;
    const auto& fields = valid.error().fields;
    EXPECT_TRUE(std::any_of(fields.begin(), fields.end(),
                            [&](const FieldError& field) { return field.pointer == faults()[i].pointer; }))
        << i << ' ' << faults()[i].pointer << " but " << fields[0].pointer;
  }
}

TEST(NetworkSpec, AllFaultsAreReportedTogether) {
  NetworkSpec bad = dense_network(2, {3, 2}, Activation::tanh, Activation::softmax);
  bad.inputs = 0;
  bad.layers[0].units = 0;
  bad.ema = 2;
  bad.hyper_parameters.optimizer.learning_rate = 0;
  bad.hyper_parameters.regularization.l2 = -1;
  EXPECT_EQ(validate(bad, {}).error().fields.size(), 5u);
}

}  // namespace
}  // namespace mlpd::core
