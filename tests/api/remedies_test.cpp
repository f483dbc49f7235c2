#include "api/remedies.h"

#include <gtest/gtest.h>

#include "api/decode_network.h"
#include "api/json.h"

namespace mlpd::api {
namespace {

using core::Verdict;

NetworkView network(std::string name = "n") {
  NetworkView view;
  view.name = std::move(name);
  view.spec.inputs = 2;
  view.spec.layers.resize(2);
  view.spec.layers[0].units = 4;
  view.spec.layers[0].activation = core::Activation::sigmoid;
  view.spec.layers[1].units = 2;
  view.spec.layers[1].activation = core::Activation::softmax;
  view.spec.loss.kind = core::Loss::cross_entropy;
  view.spec.hyper_parameters.optimizer = core::default_options(core::Optimizer::sgd);
  return view;
}

TEST(RemediesTest, BranchOffBeforeAnInstability) {
  EXPECT_EQ(fork_step_before(72, 0), 60u);
  EXPECT_EQ(fork_step_before(72, 65), 65u);
  EXPECT_EQ(fork_step_before(0, 0), 0u);
}

TEST(RemediesTest, EveryIllnessHasSomeAndHealthHasNone) {
  struct Row {
    Verdict verdict;
    std::size_t count;
  };
  for (const Row& row : {Row{Verdict::healthy, 0}, Row{Verdict::warning, 4}, Row{Verdict::exploding, 4},
                         Row{Verdict::diverged, 4}, Row{Verdict::vanishing, 1}, Row{Verdict::saturated, 2},
                         Row{Verdict::dead, 2}, Row{Verdict::plateaued, 1}, Row{Verdict::overfitting, 2}})
    EXPECT_EQ(remedies(network(), row.verdict, 72, 300).size(), row.count) << core::name_of(row.verdict);
}

TEST(RemediesTest, BodiesAreReadyToSend) {
  const std::vector<Remedy> forks = remedies(network(), Verdict::exploding, 72, 300);
  EXPECT_EQ(forks[0].path, "/v1/networks/n/fork");
  EXPECT_EQ(forks[0].body, R"({"name":"n-lower-rate","step":60,"optimizer":{"learning_rate":0.025}})");
  EXPECT_EQ(forks[2].body, R"({"name":"n-l2","step":60,"regularization":{"l2":1}})");
  EXPECT_EQ(forks[3].body, R"({"name":"n-l1","step":60,"regularization":{"l1":0.3}})");
  for (const Remedy& remedy : remedies(network(), Verdict::vanishing, 0, 300)) {
    const auto json = parse_json(remedy.body);
    ASSERT_TRUE(json.ok()) << remedy.body;
    const auto created = decode_create(*json, {});
    ASSERT_TRUE(created.ok()) << created.error().message;
    EXPECT_EQ(created->spec.layers[0].activation, core::Activation::relu);
    EXPECT_EQ(created->spec.layers[1].activation, core::Activation::softmax);
  }
}

TEST(RemediesTest, LongNamesStayNames) {
  const auto list =
      remedies(network(std::string(48, 'a') + "." + std::string(14, 'b')), Verdict::warning, 9, 9);
  for (const Remedy& remedy : list) {
    const auto json = parse_json(remedy.body);
    ASSERT_TRUE(json.ok());
    EXPECT_TRUE(is_valid_name(*json->find("name")->as<std::string>())) << remedy.body;
  }
}

}  // namespace
}  // namespace mlpd::api
