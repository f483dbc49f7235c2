#include "api/recipes.h"

#include <utility>

namespace mlpd::api {
namespace {

core::LayerSpec dense(std::size_t units, core::Activation activation) {
  core::LayerSpec layer;
  layer.units = units;
  layer.activation = activation;
  return layer;
}

core::NetworkSpec xor_spec(std::size_t units) {
  core::NetworkSpec spec;
  spec.inputs = 2;
  spec.layers = {dense(units, core::Activation::tanh), dense(2, core::Activation::softmax)};
  spec.loss.kind = core::Loss::cross_entropy;
  spec.hyper_parameters.optimizer.learning_rate = 0.02;
  return spec;
}

core::NetworkSpec exploding_spec() {
  core::NetworkSpec spec;
  spec.inputs = 2;
  spec.dtype = core::Dtype::float64;
  spec.layers = {dense(50, core::Activation::tanh), dense(2, core::Activation::linear)};
  spec.layers[0].start_weights.assign(exploding_hidden_weights().begin(), exploding_hidden_weights().end());
  spec.layers[1].start_weights.assign(exploding_output_weights().begin(), exploding_output_weights().end());
  spec.loss.kind = core::Loss::half_squared_error;
  spec.hyper_parameters.optimizer = core::default_options(core::Optimizer::sgd);
  spec.hyper_parameters.optimizer.learning_rate = 0.78;
  return spec;
}

core::NetworkSpec vanishing_spec() {
  static constexpr std::size_t kDepth = 8;
  core::NetworkSpec spec = xor_spec(8);
  spec.layers.assign(kDepth, dense(8, core::Activation::sigmoid));
  spec.layers.push_back(dense(2, core::Activation::softmax));
  spec.hyper_parameters.optimizer = core::default_options(core::Optimizer::sgd);
  return spec;
}

Recipe over_dataset(std::string_view name, std::string_view about, std::string_view dataset,
                    core::NetworkSpec spec, std::uint64_t steps, std::uint64_t batch_size) {
  Recipe recipe{name, about, std::move(spec), steps};
  recipe.dataset = dataset;
  recipe.batch_size = batch_size;
  return recipe;
}

core::NetworkSpec iris_spec() {
  core::NetworkSpec spec = xor_spec(8);
  spec.inputs = 4;
  spec.layers.back().units = 3;
  spec.hyper_parameters.regularization.l2 = 1;
  return spec;
}

core::NetworkSpec digits_spec() {
  core::NetworkSpec spec = xor_spec(48);
  spec.inputs = 49;
  spec.layers[0].activation = core::Activation::relu;
  spec.layers.back().units = 10;
  spec.hyper_parameters.optimizer.learning_rate = 0.005;
  spec.hyper_parameters.regularization.l2 = 1;  // else it learns its 800 rows by heart
  return spec;
}

template <class Change>
Recipe remedy(std::string_view name, std::string_view about, Change change) {
  Recipe recipe{name, about, exploding_spec(), 1'940, true, exploding_spec().hyper_parameters};
  change(recipe.changed);
  return recipe;
}

std::vector<Recipe> make_recipes() {
  return {
      {"xor-3", "The article's 300 points, three hidden units, as few as can do it.", xor_spec(3), 2'000},
      {"xor-50", "The same points, fifty hidden units: it learns in a blink.", xor_spec(50), 2'000},
      {"exploding",
       "Plain gradient descent at rate 0.78 learns well, then bursts near step 90 and diverges. The "
       "diagnosis "
       "warns from step 72 on.",
       exploding_spec(), 300},
      {"vanishing",
       "Eight layers of sigmoid units under plain gradient descent: hardly any gradient reaches the first.",
       vanishing_spec(), 2'000},
      remedy("lower-rate", "The exploding network branched off at step 60, at a quarter of the rate.",
             [](core::HyperParameters& settings) { settings.optimizer.learning_rate /= 4; }),
      remedy("decaying-rate",
             "The exploding network branched off at step 60, its rate decaying with the steps.",
             [](core::HyperParameters& settings) {
               settings.schedule.kind = core::Schedule::inverse_time;
               settings.schedule.decay = 0.02;
             }),
      remedy("stronger-l2", "The exploding network branched off at step 60, its weights held back by L2.",
             [](core::HyperParameters& settings) { settings.regularization.l2 = 1; }),
      remedy("stronger-l1", "The exploding network branched off at step 60, its weights held back by L1.",
             [](core::HyperParameters& settings) { settings.regularization.l1 = 0.3; }),
      over_dataset("iris", "Three kinds of iris told apart by four measures of their flowers.", "sample-iris",
                   iris_spec(), 300, 0),
      over_dataset("digits", "A thousand handwritten digits of 7 × 7 pixels.", "sample-digits", digits_spec(),
                   500, 64),
  };
}

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> table = make_recipes();
  return table;
}

}  // namespace mlpd::api
