#include "api/decode_train.h"

#include <gtest/gtest.h>

#include "api/decode_network.h"

namespace mlpd::api {
namespace {

NetworkView network(std::string_view spec) {
  NetworkView view;
  auto request = decode_create(*parse_json(spec), {});
  EXPECT_TRUE(request.ok());
  view.name = "n";
  view.spec = request->spec;
  return view;
}

const std::string kTwoClasses = R"({"inputs":2,"class_labels":["no","yes"],"layers":[{"units":2}]})";
const std::string kOneToOne = R"({"inputs":1,"layers":[{"units":1}]})";
const std::string kTwoToOne = R"({"inputs":2,"layers":[{"units":1}]})";
const std::string kPlainClasses = R"({"inputs":2,"layers":[{"units":3}]})";

struct Shape {
  std::string_view network;
  std::string_view data;
  std::size_t rows;
  std::vector<double> targets;
};

TEST(DecodeTrain, ReadsEveryFormOfTargets) {
  const Shape kCases[] = {
      {kTwoClasses, R"({"inputs":[[0,0],[0,1]],"targets":[0,1]})", 2, {1, 0, 0, 1}},
      {kTwoClasses, R"({"inputs":[[0,0],[0,1]],"targets":["yes","no"]})", 2, {0, 1, 1, 0}},
      {kTwoClasses, R"({"inputs":[[0,0],[0,1]],"targets":["yes",0]})", 2, {0, 1, 1, 0}},
      {kTwoClasses, R"({"inputs":[[0,0],[0,1]],"targets":[[0.2,0.8],[1,0]]})", 2, {0.2, 0.8, 1, 0}},
      {kTwoClasses, R"({"inputs":[3,4],"targets":[1]})", 1, {0, 1}},
      {kOneToOne, R"({"inputs":[1,2,3],"targets":[2,4,6]})", 3, {2, 4, 6}},
      {kOneToOne, R"({"inputs":[[1],[2]],"targets":[[2],[4]]})", 2, {2, 4}},
      {kTwoToOne, R"({"inputs":[1,2],"targets":[7]})", 1, {7}},
      {kTwoToOne, R"({"inputs":[[1,2],[3,4]],"targets":[7,8]})", 2, {7, 8}},
  };
  for (const auto& c : kCases) {
    const auto request =
        decode_train(*parse_json("{\"data\":" + std::string(c.data) + "}"), network(c.network), {});
    ASSERT_TRUE(request.ok()) << c.data << request.error().message;
    const auto& data = *std::get<std::shared_ptr<const core::Dataset>>(*request->data);
    EXPECT_EQ(data.rows, c.rows) << c.data;
    EXPECT_EQ(data.targets, c.targets) << c.data;
    EXPECT_EQ(data.inputs.size(), data.rows * data.input_count);
  }
}

TEST(DecodeTrain, HasTheDefaultsOfTheContract) {
  const auto request = decode_train(*parse_json("{}"), network(kTwoClasses), {});
  ASSERT_TRUE(request.ok());
  EXPECT_FALSE(request->data);
  EXPECT_EQ(request->plan, core::TrainingPlan{});
  EXPECT_EQ(request->plan.steps, 1000u);
  EXPECT_FALSE(request->hyper_parameters);
  const auto validated =
      decode_train(*parse_json(R"({"validation":{"fraction":0.2}})"), network(kTwoClasses), {});
  EXPECT_TRUE(validated->plan.keep_best);
  const auto last =
      decode_train(*parse_json(R"({"validation":{"fraction":0.2},"keep":"last"})"), network(kTwoClasses), {});
  EXPECT_FALSE(last->plan.keep_best);
}

TEST(DecodeTrain, ReadsEveryField) {
  const auto request = decode_train(
      *parse_json(
          R"({"data":{"generator":"moons","rows":10,"noise":0.1,"seed":3},"epochs":4,"batch_size":5,"shuffle":true,
       "validation":{"fraction":0.25},"early_stopping":{"patience":3,"metric":"validation_accuracy","min_delta":0.5},
       "record_every":2,"checkpoint_every":50,"pace":{"steps_per_second":20},"class_weights":{"yes":2,"0":0.5},
       "max_seconds":9,"optimizer":{"learning_rate":0.5}})"),
      network(kTwoClasses), {});
  ASSERT_TRUE(request.ok()) << request.error().message;
  EXPECT_EQ(std::get<core::GeneratorOptions>(*request->data).kind, core::Generator::moons);
  EXPECT_EQ(request->epochs, 4u);
  EXPECT_EQ(request->plan.batches.class_weights, (std::vector<double>{0.5, 2}));
  EXPECT_EQ(request->plan.early_stopping->patience, 3u);
  EXPECT_EQ(request->pace_steps_per_second, 20);
  EXPECT_EQ(request->checkpoint_every, 50u);
  EXPECT_EQ(request->hyper_parameters->optimizer.learning_rate, 0.5);
  const auto named = decode_train(*parse_json(R"({"dataset":"iris"})"), network(kTwoClasses), {});
  EXPECT_EQ(std::get<std::string>(*named->data), "iris");
}

TEST(DecodeTrain, TakesTheLabelsOfANetworkThatHasNoneFromItsRows) {
  const auto body = R"({"data":{"inputs":[[1,2],[3,4],[5,6],[7,8]],"targets":["owl","cat","dog","cat"]},
      "class_weights":{"dog":3}})";
  const auto request = decode_train(*parse_json(body), network(kPlainClasses), {});
  ASSERT_TRUE(request.ok()) << request.error().message;
  EXPECT_EQ(request->class_labels, (std::vector<std::string>{"cat", "dog", "owl"}));
  const auto& data = *std::get<std::shared_ptr<const core::Dataset>>(*request->data);
  EXPECT_EQ(data.targets, (std::vector<double>{0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0}));
  EXPECT_EQ(request->plan.batches.class_weights, (std::vector<double>{1, 3, 1}));
  const auto indices = R"({"data":{"inputs":[[1,2]],"targets":[2]}})";
  EXPECT_TRUE(decode_train(*parse_json(indices), network(kPlainClasses), {})->class_labels.empty());
}

TEST(DecodeTrain, SaysWhichLabelsItKnowsOrMisses) {
  const auto detail = [](std::string_view spec, std::string_view targets) {
    const std::string body = R"({"data":{"inputs":[[1,2],[3,4]],"targets":)" + std::string(targets) + "}}";
    const auto request = decode_train(*parse_json(body), network(spec), {});
    return request.ok() ? std::string() : request.error().fields.at(0).detail;
  };
  EXPECT_EQ(detail(kTwoClasses, R"(["yes","maybe"])"), R"("maybe" is an unknown label; known: no or yes)");
  EXPECT_EQ(detail(kTwoClasses, R"(["yes","yse"])"), R"("yse" is an unknown label; did you mean "yes"?)");
  EXPECT_EQ(
      detail(kPlainClasses, R"(["b","a"])"),
      "has 2 labels (a or b), but the network has 3 outputs, one for each; class_labels at its creation "
      "name those that no row has");
}

struct Bad {
  std::string_view network, body, pointer;
};

class BadTrainBodies : public ::testing::TestWithParam<Bad> {};

TEST_P(BadTrainBodies, AreRefusedWithAPointer) {
  const auto request = decode_train(*parse_json(GetParam().body), network(GetParam().network), {});
  ASSERT_FALSE(request.ok()) << GetParam().body;
  std::string pointers;
  for (const auto& field : request.error().fields) pointers += field.pointer + " ";
  EXPECT_NE(pointers.find(std::string(GetParam().pointer) + " "), std::string::npos) << pointers;
}

INSTANTIATE_TEST_SUITE_P(
    , BadTrainBodies,
    ::testing::Values(
        Bad{kTwoClasses, "5", "#"}, Bad{kTwoClasses, R"({"data":5})", "#/data"},
        Bad{kTwoClasses, R"({"data":{}})", "#/data/inputs"},
        Bad{kTwoClasses, R"({"data":{"inputs":[1,2]}})", "#/data/targets"},
        Bad{kTwoClasses, R"({"data":{"inputs":[],"targets":[]}})", "#/data/inputs"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[]],"targets":[1]}})", "#/data/inputs"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[1,2],[3]],"targets":[0,1]}})", "#/data/inputs/1"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[1,2,3]],"targets":[0]}})", "#/data/inputs"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[1,"x"]],"targets":[0]}})", "#/data/inputs/0/1"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[1,1e39]],"targets":[0]}})", "#/data/inputs"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[1,2]],"targets":[0,1]}})", "#/data/targets"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[1,2]],"targets":[2]}})", "#/data/targets/0"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[1,2]],"targets":[0.5]}})", "#/data/targets/0"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[1,2]],"targets":[-1]}})", "#/data/targets/0"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[1,2]],"targets":["yse"]}})", "#/data/targets/0"},
        Bad{kPlainClasses, R"({"data":{"inputs":[[1,2]],"targets":["yes"]}})", "#/data/targets"},
        Bad{kPlainClasses, R"({"data":{"inputs":[[1,2],[1,2],[1,2],[1,2]],"targets":["a","b","c","d"]}})",
            "#/data/targets"},
        Bad{kPlainClasses, R"({"data":{"inputs":[[1,2],[1,2],[1,2]],"targets":["a","b",0]}})",
            "#/data/targets/2"},
        Bad{kPlainClasses, R"({"data":{"inputs":[[1,2],[1,2]],"targets":["a",["b"]]}})", "#/data/targets/1"},
        Bad{kTwoClasses, R"({"data":{"inputs":[[1,2]],"targets":[[1,2,3]]}})", "#/data/targets"},
        Bad{kTwoToOne, R"({"data":{"inputs":[[1,2]],"targets":[[1,2]]}})", "#/data/targets"},
        Bad{kTwoToOne, R"({"data":{"inputs":[[1,2]],"targets":["a"]}})", "#/data/targets/0"},
        Bad{kTwoClasses, R"({"data":{"inptus":[[1,2]],"targets":[1]}})", "#/data/inptus"},
        Bad{kTwoClasses, R"({"data":{"generator":"xro"}})", "#/data/generator"},
        Bad{kTwoClasses, R"({"data":{"generator":"xor","rows":0}})", "#/data/rows"},
        Bad{kTwoClasses, R"({"data":{"generator":"xor","rows":1000001}})", "#/data/rows"},
        Bad{kTwoClasses, R"({"data":{"generator":"xor","noise":-1}})", "#/data/noise"},
        Bad{kTwoClasses, R"({"data":{"generator":"blobs","classes":17}})", "#/data/classes"},
        Bad{kTwoClasses, R"({"data":{"generator":"xor"},"dataset":"x"})", "#/dataset"},
        Bad{kTwoClasses, R"({"steps":0})", "#/steps"}, Bad{kTwoClasses, R"({"steps":1000000001})", "#/steps"},
        Bad{kTwoClasses, R"({"steps":1,"epochs":1})", "#/epochs"},
        Bad{kTwoClasses, R"({"epochs":0})", "#/epochs"},
        Bad{kTwoClasses, R"({"batch_size":0})", "#/batch_size"},
        Bad{kTwoClasses, R"({"shuffle":1})", "#/shuffle"},
        Bad{kTwoClasses, R"({"validation":{"fraction":1}})", "#/validation/fraction"},
        Bad{kTwoClasses, R"({"validation":{}})", "#/validation/fraction"},
        Bad{kTwoClasses, R"({"early_stopping":{}})", "#/early_stopping/metric"},
        Bad{kTwoClasses, R"({"early_stopping":{"metric":"lossy"}})", "#/early_stopping/metric"},
        Bad{kTwoClasses, R"({"early_stopping":{"metric":"loss","patience":0}})", "#/early_stopping/patience"},
        Bad{kTwoClasses, R"({"record_every":0})", "#/record_every"},
        Bad{kTwoClasses, R"({"checkpoint_every":0})", "#/checkpoint_every"},
        Bad{kTwoClasses, R"({"pace":{"steps_per_second":0}})", "#/pace/steps_per_second"},
        Bad{kTwoClasses, R"({"max_seconds":0})", "#/max_seconds"},
        Bad{kTwoClasses, R"({"keep":"first"})", "#/keep"},
        Bad{kTwoClasses, R"({"class_weights":{"2":1}})", "#/class_weights/2"},
        Bad{kTwoClasses, R"({"class_weights":{"yes":-1}})", "#/class_weights/yes"},
        Bad{kTwoToOne, R"({"class_weights":{"0":1}})", "#/class_weights"},
        Bad{kTwoClasses, R"({"optimizer":{"learning_rate":-1}})", "#/optimizer/learning_rate"},
        Bad{kTwoClasses, R"({"optimizer":{"type":"admm"}})", "#/optimizer/type"},
        Bad{kTwoClasses, R"({"stpes":5})", "#/stpes"}));

TEST(DecodeTrain, TakesLimitsUpToTheLast) {
  EXPECT_TRUE(decode_train(*parse_json(R"({"steps":1000000000})"), network(kTwoClasses), {}).ok());
  EXPECT_TRUE(
      decode_train(*parse_json(R"({"data":{"generator":"xor","rows":1000000}})"), network(kTwoClasses), {})
          .ok());
}

TEST(DecodeTrain, DataBodiesTakeDataAlone) {
  const auto spec = network(kTwoClasses).spec;
  EXPECT_TRUE(decode_data_body(*parse_json(R"({"data":{"inputs":[1,2],"targets":[1]}})"), spec, true)
                  ->source.has_value());
  EXPECT_FALSE(decode_data_body(*parse_json("{}"), spec, true)->source.has_value());
  EXPECT_FALSE(decode_data_body(*parse_json(R"({"steps":1})"), spec, true).ok());
}

}  // namespace
}  // namespace mlpd::api
