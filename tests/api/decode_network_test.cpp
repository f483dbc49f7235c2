#include "api/decode_network.h"

#include <gtest/gtest.h>

#include "api/encode_network.h"

namespace mlpd::api {
namespace {

core::Result<CreateNetwork> create(std::string_view text) { return decode_create(*parse_json(text), {}); }

TEST(DecodeNetwork, FillsInTheDefaultsOfTheContract) {
  const auto request = create(R"({"inputs":2,"layers":[{"units":8},{"units":2}]})");
  ASSERT_TRUE(request.ok()) << request.error().message;
  const core::NetworkSpec& spec = request->spec;
  EXPECT_EQ(request->name, "");
  EXPECT_EQ(spec.layers[0].kind, core::LayerKind::dense);
  EXPECT_EQ(spec.layers[0].activation, core::Activation::tanh);
  EXPECT_TRUE(spec.layers[0].bias);
  EXPECT_EQ(spec.layers[1].activation, core::Activation::softmax);
  EXPECT_EQ(spec.loss.kind, core::Loss::cross_entropy);
  EXPECT_EQ(spec.hyper_parameters.optimizer.kind, core::Optimizer::adam);
  EXPECT_EQ(spec.hyper_parameters.optimizer.learning_rate, 0.02);
  EXPECT_EQ(spec.hyper_parameters.schedule.kind, core::Schedule::constant);
  EXPECT_EQ(spec.seed, 0u);
  EXPECT_EQ(spec.dtype, core::Dtype::float32);
  EXPECT_FALSE(request->ttl_s);
}

TEST(DecodeNetwork, LastActivationAndLossFollowEachOther) {
  const struct {
    std::string_view last, loss;
    core::Activation activation;
    core::Loss kind;
  } kCases[] = {
      {R"("units":1)", "", core::Activation::linear, core::Loss::mean_squared_error},
      {R"("units":3)", "", core::Activation::softmax, core::Loss::cross_entropy},
      {R"("units":1,"activation":"sigmoid")", "", core::Activation::sigmoid,
       core::Loss::binary_cross_entropy},
      {R"("units":3,"activation":"linear")", "", core::Activation::linear, core::Loss::mean_squared_error},
      {R"("units":2,"activation":"tanh")", "", core::Activation::tanh, core::Loss::mean_squared_error},
      {R"("units":1)", "binary_cross_entropy", core::Activation::sigmoid, core::Loss::binary_cross_entropy},
      {R"("units":2)", "cross_entropy", core::Activation::softmax, core::Loss::cross_entropy},
      {R"("units":2)", "huber", core::Activation::linear, core::Loss::huber},
      {R"("units":2,"activation":"sigmoid")", "half_squared_error", core::Activation::sigmoid,
       core::Loss::half_squared_error},
  };
  for (const auto& c : kCases) {
    std::string body = R"({"inputs":2,"layers":[{"units":3},{)" + std::string(c.last) + "}]";
    if (!c.loss.empty()) body += R"(,"loss":")" + std::string(c.loss) + "\"";
    const auto request = create(body + "}");
    ASSERT_TRUE(request.ok()) << body << request.error().message;
    EXPECT_EQ(request->spec.layers[1].activation, c.activation) << body;
    EXPECT_EQ(request->spec.loss.kind, c.kind) << body;
  }
}

TEST(DecodeNetwork, TakesStartNumbersInBothForms) {
  const auto request =
      create(R"({"inputs":["a","b"],"layers":[{"units":1,"weights":[[7.038531e-26],[0.1]],"bias":[-0]}]})");
  ASSERT_TRUE(request.ok()) << request.error().message;
  EXPECT_EQ(request->spec.input_names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request->spec.inputs, 2u);
  EXPECT_EQ(static_cast<float>(request->spec.layers[0].start_weights[0]), to_float32(7.038531e-26));
  EXPECT_EQ(request->spec.layers[0].start_weights[1], static_cast<double>(0.1f));
  EXPECT_TRUE(create(R"({"inputs":1,"dtype":"float64","layers":[{"units":1,"weights":
      {"dtype":"float64","shape":[1,1],"base64":"AAAAAAAA8D8="}}]})")
                  .ok());
}

struct Bad {
  std::string_view body, pointer;
};

class BadNetworks : public ::testing::TestWithParam<Bad> {};

TEST_P(BadNetworks, AreRefusedWithAPointer) {
  const auto request = create(GetParam().body);
  ASSERT_FALSE(request.ok());
  EXPECT_EQ(request.error().code, core::ErrorCode::invalid_argument);
  std::string pointers;
  for (const auto& field : request.error().fields) pointers += field.pointer + " ";
  EXPECT_NE(pointers.find(std::string(GetParam().pointer) + " "), std::string::npos) << pointers;
}

INSTANTIATE_TEST_SUITE_P(
    , BadNetworks,
    ::testing::Values(
        Bad{"[]", "#"}, Bad{"{}", "#/inputs"}, Bad{"{}", "#/layers"},
        Bad{R"({"inputs":2,"layers":[]})", "#/layers"}, Bad{R"({"inputs":2,"layers":5})", "#/layers"},
        Bad{R"({"inputs":2,"layers":[5]})", "#/layers"},
        Bad{R"({"inputs":2,"layers":[{"units":2},"x"]})", "#/layers/1"},
        Bad{R"({"inputs":0,"layers":[{"units":2}]})", "#/inputs"},
        Bad{R"({"inputs":["a","a"],"layers":[{"units":2}]})", "#/inputs/1"},
        Bad{R"({"inputs":[""],"layers":[{"units":2}]})", "#/inputs/0"},
        Bad{R"({"inputs":2,"layers":[{}]})", "#/layers/0/units"},
        Bad{R"({"inputs":2,"layers":[{"units":0}]})", "#/layers/0/units"},
        Bad{R"({"inputs":2,"layers":[{"units":65537}]})", "#/layers/0/units"},
        Bad{R"({"inputs":2,"layers":[{"units":1000000000}]})", "#/layers/0/units"},
        Bad{R"({"inputs":2,"layers":[{"units":-1}]})", "#/layers/0/units"},
        Bad{R"({"inputs":2,"layers":[{"units":2,"type":"dens"}]})", "#/layers/0/type"},
        Bad{R"({"inputs":2,"layers":[{"units":2,"rate":0.1}]})", "#/layers/0/rate"},
        Bad{R"({"inputs":2,"layers":[{"type":"residual"},{"units":2}]})", "#/layers/0/layers"},
        Bad{R"({"inputs":2,"layers":[{"units":2,"weights":[[1,2],[3]]}]})", "#/layers/0/weights/1"},
        Bad{R"({"inputs":2,"layers":[{"units":2,"weights":[[1,2]]}]})", "#/layers/0/weights"},
        Bad{R"({"inputs":2,"layers":[{"units":2,"bias":[1]}]})", "#/layers/0/bias"},
        Bad{R"({"inputs":2,"layers":[{"units":2,"initializer":"uniform"}]})", "#/layers/0/initializer"},
        Bad{R"({"inputs":2,"layers":[{"units":2,"initializer":{"type":"uniform"}}]})",
            "#/layers/0/initializer/limit"},
        Bad{R"({"inputs":2,"layers":[{"units":2,"initializer":{"type":"zeros","limit":1}}]})",
            "#/layers/0/initializer/limit"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"loss":"cross"})", "#/loss"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"loss":{"type":"huber","label_smoothing":0.1}})",
            "#/loss/label_smoothing"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"optimizer":5})", "#/optimizer"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"optimizer":{"type":"adam","momentum":0.5}})",
            "#/optimizer/momentum"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"optimizer":{"learning_rate":-1}})",
            "#/optimizer/learning_rate"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"optimizer":{"betas":[0.9]}})", "#/optimizer/betas"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"schedule":"step"})", "#/schedule"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"schedule":{"type":"step","every":10}})",
            "#/schedule/factor"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"schedule":{"every":10}})", "#/schedule/type"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"regularization":{"l2":-1}})", "#/regularization/l2"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"regularization":{"l3":1}})", "#/regularization/l3"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"gradient_clip":1})", "#/gradient_clip"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"dtype":"float16"})", "#/dtype"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"seed":-1})", "#/seed"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"ttl_s":0})", "#/ttl_s"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"labels":{"a":1}})", "#/labels/a"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"name":"A"})", "#/name"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"name":"../x"})", "#/name"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"name":""})", "#/name"},
        Bad{R"({"inputs":2,"layers":[{"units":2}],"nmae":"x"})", "#/nmae"}));

TEST(DecodeNetwork, ReportsAllFaultsAtOnce) {
  const auto request =
      create(R"({"inptus":2,"layers":[{"units":8,"activation":"tahn"},{"units":-2},{"unit":3}],"seed":"x"})");
  ASSERT_FALSE(request.ok());
  EXPECT_GE(request.error().fields.size(), 7u);
}

TEST(DecodeNetwork, NamesAreCheckedToTheLetter) {
  for (auto good : {"a", "0", "a.b", "a-b_c.d", "x9"}) EXPECT_TRUE(is_valid_name(good)) << good;
  EXPECT_TRUE(is_valid_name(std::string(63, 'a')));
  for (auto bad : {"", "A", "-a", "a-", ".", "a/b", "a b", "é"}) EXPECT_FALSE(is_valid_name(bad)) << bad;
  EXPECT_FALSE(is_valid_name(std::string(64, 'a')));
}

TEST(DecodeNetwork, LabelsHaveBounds) {
  std::string body = R"({"inputs":2,"layers":[{"units":2}],"labels":{)";
  for (std::size_t i = 0; i < kLabelsMax; ++i) body += (i ? ",\"l" : "\"l") + std::to_string(i) + "\":\"\"";
  EXPECT_TRUE(create(body + "}}").ok());
  EXPECT_FALSE(create(body + ",\"more\":\"\"}}").ok());
  const std::string full(kLabelBytesMax, 'x');
  EXPECT_TRUE(create(R"({"inputs":2,"layers":[{"units":2}],"labels":{"a":")" + full + "\"}}").ok());
  EXPECT_FALSE(create(R"({"inputs":2,"layers":[{"units":2}],"labels":{"a":")" + full + "x\"}}").ok());
}

NetworkView network() {
  NetworkView view;
  view.spec = create(R"({"inputs":2,"layers":[{"units":2}]})")->spec;
  view.labels = {{"team", "a"}, {"x", "y"}};
  return view;
}

TEST(DecodePatch, MergesOntoWhatIsThere) {
  const auto patch = decode_patch(
      *parse_json(R"({"labels":{"team":null,"new":"z"},"optimizer":{"learning_rate":0.5},"ttl_s":null})"),
      network());
  ASSERT_TRUE(patch.ok()) << patch.error().message;
  EXPECT_EQ(*patch->labels, (Labels{{"new", "z"}, {"x", "y"}}));
  EXPECT_EQ(patch->hyper_parameters->optimizer.kind, core::Optimizer::adam);
  EXPECT_EQ(patch->hyper_parameters->optimizer.learning_rate, 0.5);
  ASSERT_TRUE(patch->ttl_s);
  EXPECT_FALSE(*patch->ttl_s);
}

TEST(DecodePatch, AChangedTypeStartsFromItsDefaults) {
  const auto patch =
      decode_patch(*parse_json(R"({"optimizer":{"type":"sgd"},"schedule":"constant"})"), network());
  ASSERT_TRUE(patch.ok()) << patch.error().message;
  EXPECT_EQ(patch->hyper_parameters->optimizer, core::default_options(core::Optimizer::sgd));
  EXPECT_FALSE(patch->labels);
  EXPECT_FALSE(patch->ttl_s);
}

TEST(DecodePatch, RefusesWhatCanNotChange) {
  for (auto body :
       {R"({"layers":[]})", R"({"seed":1})", R"({"name":"x"})", R"({"optimizer":{"rate":null,"x":1}})",
        R"({"stpe":1})", R"({"labels":5})", R"({"optimizer":{"learning_rate":0}})", "[]"})
    EXPECT_FALSE(decode_patch(*parse_json(body), network()).ok()) << body;
}

}  // namespace
}  // namespace mlpd::api
