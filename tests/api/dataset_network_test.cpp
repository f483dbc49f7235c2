#include "api/dataset_network.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

// 60 rows: two numbers, a category, a label of three classes that the first number decides.
std::string flowers() {
  std::string csv = "length,width,colour,species\n";
  const char* colours[] = {"red", "blue"};
  const char* species[] = {"setosa", "versicolor", "virginica"};
  for (int r = 0; r < 60; ++r)
    csv += std::to_string(r / 20 * 10 + r % 7) + ".5," + std::to_string(100 - r) + "," + colours[r % 2] +
           "," + species[r / 20] + "\n";
  return csv;
}

class DatasetNetworkTest : public ApiTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(send("POST", "/v1/datasets?name=flowers", flowers(), {{"Content-Type", "text/csv"}}).status,
              201);
    std::string line = "x,y\n";
    for (int r = 0; r < 40; ++r) line += std::to_string(r) + "," + std::to_string(1000 + 3 * r) + "\n";
    ASSERT_EQ(send("POST", "/v1/datasets?name=line", line, {{"Content-Type", "text/csv"}}).status, 201);
  }
  static std::vector<std::string> pointers(const Response& response) {
    std::vector<std::string> found;
    const Json errors = at(json_of(response), "errors");
    if (const auto* list = errors.as<JsonArray>())
      for (const Json& error : *list) found.push_back(text_at(error, "pointer"));
    return found;
  }
};

TEST_F(DatasetNetworkTest, LearnsFromRawRowsAndPredictsThem) {
  const Response made = post("/v1/networks", R"({"name":"iris","dataset":"flowers","layers":[{"units":8}]})");
  ASSERT_EQ(made.status, 201) << made.body;
  const Json network = json_of(made);
  EXPECT_EQ(number_at(network, "inputs"), 4);
  EXPECT_EQ(number_at(network, "layers/1/units"), 3);
  EXPECT_EQ(text_at(network, "layers/1/activation"), "softmax");
  EXPECT_EQ(text_at(network, "class_labels/2"), "virginica");
  EXPECT_EQ(text_at(network, "preprocess/columns/2/categories/0"), "blue");
  const Response trained =
      post("/v1/networks/iris/train", R"({"dataset":"flowers","steps":300,"validation":{"fraction":0.2}})");
  ASSERT_EQ(trained.status, 200) << trained.body;
  EXPECT_GT(number_at(json_of(trained), "metrics/accuracy"), 0.97);
  const Response raw = post(
      "/v1/networks/iris/predict",
      R"({"rows":[{"colour":"red","length":3.5,"width":95},{"length":23.5,"width":50,"colour":"blue"}]})");
  ASSERT_EQ(raw.status, 200) << raw.body;
  EXPECT_EQ(text_at(json_of(raw), "classes/0"), "setosa");
  EXPECT_EQ(text_at(json_of(raw), "classes/1"), "virginica");
  const Response csv =
      send("POST", "/v1/networks/iris/predict", "width,colour,length\n95,red,3.5\n50,blue,23.5\n",
           {{"Content-Type", "text/csv"}});
  EXPECT_EQ(csv.body, raw.body);
}

TEST_F(DatasetNetworkTest, RefusesRawRowsThatDoNotFitByName) {
  ASSERT_EQ(post("/v1/networks", R"({"name":"iris","dataset":"flowers"})").status, 201);
  const auto faults = [&](const std::string& body) {
    const Response refused = post("/v1/networks/iris/predict", body);
    EXPECT_EQ(refused.status, 422) << refused.body;
    return pointers(refused);
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(faults(R"({"rows":[{"length":1,"widht":2,"colour":"red"}]})"), (List{"#/rows", "#/rows"}));
  EXPECT_EQ(faults(R"({"rows":[{"length":1,"width":2,"colour":"green"},{"length":"x","width":2}]})"),
            (List{"#/rows/0/colour", "#/rows/1/length", "#/rows/1/colour"}));
  EXPECT_EQ(faults(R"({"rows":[]})"), List{"#/rows"});
  EXPECT_EQ(faults(R"({"rows":[3]})"), List{"#/rows"});
  EXPECT_EQ(faults(R"({"rows":[{"length":[1],"width":2,"colour":"red"}]})"), List{"#/rows/0/length"});
  ASSERT_EQ(post("/v1/networks", R"({"name":"plain","inputs":1,"layers":[{"units":1}]})").status, 201);
  EXPECT_EQ(pointers(post("/v1/networks/plain/predict", R"({"rows":[{"a":1}]})")), List{"#/rows"});
}

TEST_F(DatasetNetworkTest, PredictsNumbersInTheTargetsUnits) {
  ASSERT_EQ(post("/v1/networks", R"({"name":"line","dataset":"line","layers":[{"units":8}]})").status, 201);
  ASSERT_EQ(post("/v1/networks/line/train", R"({"dataset":"line","steps":600})").status, 200);
  const Json outputs = at(json_of(post("/v1/networks/line/predict", R"({"rows":[{"x":20}]})")), "outputs");
  ASSERT_NE(outputs.as<JsonRows>(), nullptr);
  const double predicted = outputs.as<JsonRows>()->values.at(0);
  EXPECT_NEAR(predicted, 1060, 5);
}

TEST_F(DatasetNetworkTest, CompletesTheOutputOnlyWhereItIsMissing) {
  const auto units = [&](const std::string& body) {
    const Json preview = json_of(post("/v1/networks?dry_run=true", body));
    const Json layers = at(preview, "layers");
    std::vector<double> all;
    for (std::size_t i = 0; layers.as<JsonArray>() && i < layers.as<JsonArray>()->size(); ++i)
      all.push_back(number_at(preview, "layers/" + std::to_string(i) + "/units"));
    return all;
  };
  using List = std::vector<double>;
  EXPECT_EQ(units(R"({"dataset":"flowers"})"), (List{32, 3}));
  EXPECT_EQ(units(R"({"dataset":"flowers","layers":[]})"), (List{3}));
  EXPECT_EQ(units(R"({"dataset":"flowers","layers":[{"units":5},{"units":3}]})"), (List{5, 3}));
  EXPECT_EQ(units(R"({"dataset":"line","layers":[{"units":4}]})"), (List{4, 1}));
}

TEST_F(DatasetNetworkTest, ADryRunShowsColumnsAndEncodings) {
  const Response preview = post("/v1/networks?dry_run=true",
                                R"({"name":"iris","dataset":"flowers","preprocess":{"*":{"scaling":"min_max"},
      "width":{"type":"ignored"},"colour":{"unseen":"other"}},"test":{"fraction":0.1}})");
  ASSERT_EQ(preview.status, 200) << preview.body;
  const Json json = json_of(preview);
  EXPECT_EQ(number_at(json, "inputs"), 4);
  EXPECT_EQ(text_at(json, "preprocess/columns/0/scaling"), "min_max");
  EXPECT_EQ(text_at(json, "preprocess/columns/1/type"), "ignored");
  EXPECT_EQ(number_at(json, "preprocess/held_out/test"), 0.1);
  EXPECT_EQ(get("/v1/networks/iris").status, 404);
}

TEST_F(DatasetNetworkTest, RefusesWhatDoesNotFitTheDataSet) {
  const auto faults = [&](const std::string& body) { return pointers(post("/v1/networks", body)); };
  using List = std::vector<std::string>;
  EXPECT_EQ(faults(R"({"dataset":"none"})"), List{"#/dataset"});
  EXPECT_EQ(faults(R"({"dataset":"flowers","inputs":3})"), List{"#/inputs"});
  EXPECT_EQ(faults(R"({"dataset":"flowers","preprocess":{"lenght":{"missing":"mean"},"width":{"scale":1}},
                       "validation":{"fraction":1}})"),
            (List{"#/preprocess/lenght", "#/preprocess/width/scale", "#/validation/fraction"}));
  EXPECT_EQ(faults(R"({"dataset":"flowers","preprocess":{"colour":{"type":"number"}}})"), List{"#/dataset"});
}

TEST_F(DatasetNetworkTest, ValidationNeverUsesRowsThatTheFitSaw) {
  ASSERT_EQ(
      post("/v1/networks", R"({"name":"iris","dataset":"flowers","validation":{"fraction":0.1}})").status,
      201);
  const auto train = [&](const std::string& fraction) {
    return post("/v1/networks/iris/train",
                R"({"dataset":"flowers","steps":1,"validation":{"fraction":)" + fraction + "}}");
  };
  EXPECT_EQ(train("0.1").status, 200);
  EXPECT_EQ(pointers(train("0.2")), std::vector<std::string>{"#/validation/fraction"});
}

TEST_F(DatasetNetworkTest, EvaluatesAPartAlone) {
  ASSERT_EQ(post("/v1/networks", R"({"name":"iris","dataset":"flowers","test":{"fraction":0.1}})").status,
            201);
  const auto rows = [&](const std::string& part) {
    return number_at(
        json_of(post("/v1/networks/iris/evaluate", R"({"dataset":"flowers","part":")" + part + "\"}")),
        "rows");
  };
  EXPECT_EQ(rows("test"), 6);
  EXPECT_EQ(rows("validation"), 11);
  EXPECT_EQ(rows("training"), 43);
  EXPECT_EQ(rows("trainable"), 54);
  EXPECT_EQ(rows("all"), 60);
  EXPECT_EQ(pointers(post("/v1/networks/iris/evaluate", R"({"part":"test"})")),
            std::vector<std::string>{"#/part"});
}

TEST_F(DatasetNetworkTest, EvaluateSaysWhichRawColumnsMatter) {
  ASSERT_EQ(post("/v1/networks", R"({"name":"line","dataset":"line"})").status, 201);
  ASSERT_EQ(post("/v1/networks/line/train", R"({"dataset":"line","steps":500})").status, 200);
  const Json json = json_of(post("/v1/networks/line/evaluate", R"({"dataset":"line"})"));
  EXPECT_EQ(text_at(json, "importance/0/column"), "x");
  EXPECT_GT(number_at(json, "importance/0/importance"), 1);
  // In the target's units: the targets' variance is about 1200.
  EXPECT_GT(number_at(json, "metrics/r2"), 0.9);
  EXPECT_NEAR(number_at(json, "metrics/mean_squared_error"), 1200 * (1 - number_at(json, "metrics/r2")), 1);
  const Json without =
      json_of(post("/v1/networks/line/evaluate", R"({"dataset":"line","importance":false})"));
  EXPECT_EQ(without.find("importance"), nullptr);
  EXPECT_EQ(pointers(post("/v1/networks/line/trace", R"({"dataset":"line","importance":true})")),
            std::vector<std::string>{"#/importance"});
}

}  // namespace
}  // namespace mlpd::api
