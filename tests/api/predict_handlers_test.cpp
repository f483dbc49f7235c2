#include "api/predict_handlers.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class PredictHandlersTest : public ApiTest {
 protected:
  void make(const std::string& rest) {
    service.networks.clear();
    const auto response = post("/v1/networks", R"({"name":"n",)" + rest + "}");
    ASSERT_EQ(response.status, 201) << response.body;
  }
  Response predict(const std::string& body, Fields headers = {}, const std::string& query = {}) {
    return send("POST", "/v1/networks/n/predict" + query, body, std::move(headers));
  }
};

const std::string kLinear = R"("inputs":2,"layers":[{"units":1,"weights":[[2],[10]],"bias":[1]}])";

TEST_F(PredictHandlersTest, ComputesRowsAndFlatLists) {
  make(kLinear);
  EXPECT_EQ(predict(R"({"inputs":[[1,1],[0.5,-1]]})").body,
            "{\"outputs\":[[13],[-8]],\"network\":\"n\",\"step\":0}\n");
  EXPECT_EQ(predict(R"({"inputs":[1,1]})").body, "{\"outputs\":[[13]],\"network\":\"n\",\"step\":0}\n");
  make(R"("inputs":1,"dtype":"float64","layers":[{"units":1,"weights":[[0.1]],"bias":false}])");
  EXPECT_EQ(predict(R"({"inputs":[1,2,3]})").body,
            "{\"outputs\":[[0.1],[0.2],[0.30000000000000004]],\"network\":\"n\",\"step\":0}\n");
}

TEST_F(PredictHandlersTest, TakesEncodedArraysAndCsv) {
  make(kLinear);
  EXPECT_EQ(predict(R"({"inputs":{"dtype":"float32","shape":[1,2],"base64":"AACAPwAAgD8="}})").body,
            predict(R"({"inputs":[1,1]})").body);
  EXPECT_EQ(predict("a,b\n1,1\n", {{"Content-Type", "text/csv; charset=utf-8"}}).body,
            predict(R"({"inputs":[1,1]})").body);
  EXPECT_EQ(predict("1\n", {{"Content-Type", "text/csv"}}).status, 422);
}

TEST_F(PredictHandlersTest, NamesClasses) {
  const std::string layers = R"("inputs":1,"layers":[{"units":2,"weights":[[5,-5]],"bias":false}])";
  make(layers);
  EXPECT_NE(predict(R"({"inputs":[1,-1]})").body.find("\"classes\":[0,1]"), std::string::npos);
  make(layers + R"(,"class_labels":["a","b, c"])");
  EXPECT_NE(predict(R"({"inputs":[1,-1]})").body.find("\"classes\":[\"a\",\"b, c\"]"), std::string::npos);
  const auto csv = predict(R"({"inputs":[1,-1]})", {{"Accept", "text/csv"}});
  EXPECT_EQ(csv.body.substr(0, 23), "output_0,output_1,class");
  EXPECT_NE(csv.body.find(",\"b, c\"\n"), std::string::npos) << csv.body;
  const auto lines = predict(R"({"inputs":[1,-1]})", {}, "?format=ndjson");
  EXPECT_NE(lines.body.find("\"class\":\"a\"}\n{"), std::string::npos) << lines.body;
  make(R"("inputs":1,"layers":[{"units":1,"activation":"sigmoid","weights":[[5]],"bias":false}])");
  EXPECT_NE(predict(R"({"inputs":[1,-1]})").body.find("\"classes\":[1,0]"), std::string::npos);
}

TEST_F(PredictHandlersTest, RefusesBadBodiesWithPointers) {
  make(kLinear);
  const struct {
    std::string_view body;
    int status;
    std::string_view says;
  } kCases[] = {
      {"", 400, "empty"},
      {"{\"inputs\":[1,NaN]}", 400, "line 1, column"},
      {"{\"inputs\":[1,1e999]}", 400, "line 1, column"},
      {"{\"inputs\":[1,2]", 400, "line 1, column"},
      {"{\"inputs\":[1,2],\"inputs\":[1,2]}", 400, "twice"},
      {"{}", 422, "#/inputs"},
      {"[]", 422, "\"#\""},
      {"{\"inputs\":[]}", 422, "at least one row"},
      {"{\"inputs\":[[]]}", 422, "#/inputs"},
      {"{\"inputs\":[1,2,3]}", 422, "3 numbers a row"},
      {"{\"inputs\":[[1,2],[3]]}", 422, "#/inputs/1"},
      {"{\"inputs\":[[1,\"2\"]]}", 422, "#/inputs/0/1"},
      {"{\"inputs\":[[[1,2]]]}", 422, "#/inputs/0"},
      {"{\"inputs\":null}", 422, "#/inputs"},
      {"{\"inputs\":[1e39,0]}", 422, "past float32"},
      {"{\"inputs\":[1,2],\"row\":1}", 422, "#/row"},
      {"{\"rows\":[{\"a\":1}]}", 422, "made from a data set"},
      {"{\"inputs\":[3e38,3e38]}", 422, "overflows"},
  };
  for (const auto& c : kCases) {
    const auto response = predict(std::string(c.body));
    EXPECT_EQ(response.status, c.status) << c.body << response.body;
    EXPECT_NE(response.body.find(c.says), std::string::npos) << c.body << response.body;
  }
  EXPECT_EQ(predict("{}", {{"Accept", "image/png"}}).status, 406);
  EXPECT_EQ(predict("{}", {}, "?step=x").status, 422);
  EXPECT_EQ(predict(R"({"inputs":[1,1]})", {}, "?step=8").status, 404);
  EXPECT_EQ(predict(R"({"inputs":[1,1]})", {}, "?step=0").status, 200);
  EXPECT_EQ(post("/v1/networks/none/predict", "{}").status, 404);
}

TEST_F(PredictHandlersTest, ARowHasTheSameBitsInEveryBatch) {
  make(R"("inputs":2,"layers":[{"units":30},{"units":3}],"seed":5)");
  const Json alone = json_of(predict(R"({"inputs":[[0.3,-0.7]]})"));
  std::string many = R"({"inputs":[)";
  for (int i = 0; i < 40; ++i) many += "[" + std::to_string(i) + ",1],";
  const Json together = json_of(predict(many + "[0.3,-0.7]]}"));
  const auto* one = alone.find("outputs")->as<JsonRows>();
  const auto* all = together.find("outputs")->as<JsonRows>();
  EXPECT_EQ(one->values, std::vector<double>(all->values.end() - 3, all->values.end()));
}

TEST_F(PredictHandlersTest, EvaluateMeasuresAndChangesNothing) {
  make(R"("inputs":1,"layers":[{"units":2,"weights":[[5,-5]],"bias":false}])");
  const auto response = post("/v1/networks/n/evaluate", R"({"data":{"inputs":[1,-1,2],"targets":[0,1,1]}})");
  ASSERT_EQ(response.status, 200) << response.body;
  const Json json = json_of(response);
  EXPECT_EQ(number_at(json, "rows"), 3);
  EXPECT_NEAR(number_at(json, "metrics/accuracy"), 2.0 / 3, 1e-6);
  EXPECT_EQ(post("/v1/networks/n/evaluate", "{}").status, 422);
  EXPECT_EQ(post("/v1/networks/n/evaluate", R"({"dta":1})").status, 422);
  EXPECT_EQ(service.networks.at("n").view.step, 0u);
}

TEST_F(PredictHandlersTest, TraceShowsEveryMatrixAndKeepsItsLimits) {
  make(kLinear);
  const auto response = post("/v1/networks/n/trace", R"({"data":{"inputs":[1,1],"targets":[12]}})");
  ASSERT_EQ(response.status, 200) << response.body;
  const Json json = json_of(response);
  EXPECT_EQ(number_at(json, "loss"), 1);
  const Json layer = at(json, "layers/0");
  for (auto name : {"input", "weights", "bias", "z", "h", "dh_dz", "dloss_dh", "dloss_dz", "dloss_dweights",
                    "dloss_dbias", "weights_next", "bias_next", "formulas"})
    EXPECT_NE(layer.find(name), nullptr) << name;
  service.fake_limits.trace.rows = 1;
  EXPECT_EQ(post("/v1/networks/n/trace", R"({"data":{"inputs":[[1,1],[2,2]],"targets":[1,2]}})").status, 422);
}

TEST_F(PredictHandlersTest, CountsRequestsByVersion) {
  make(kLinear);
  predict(R"({"inputs":[[1,1],[2,2]]})");
  predict(R"({"inputs":[1,1]})", {}, "?alias=stable");
  predict(R"({"inputs":[1]})");
  predict(R"({"inputs":[1)");
  predict(R"({"inputs":[1,1]})", {}, "?step=0");  // no version's
  EXPECT_EQ(service.inference.versions, (std::vector<std::string>{"live", "1", "live", "live"}));
  EXPECT_TRUE(service.inference.records[0].succeeded);
  EXPECT_EQ(service.inference.records[0].rows, 2u);
  EXPECT_FALSE(service.inference.records[2].succeeded);
  EXPECT_FALSE(service.inference.records[3].succeeded);
}

}  // namespace
}  // namespace mlpd::api
