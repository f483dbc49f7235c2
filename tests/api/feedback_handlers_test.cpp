#include "api/feedback_handlers.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

const std::string kClasses = R"("inputs":1,"layers":[{"units":2,"weights":[[5,-5]],"bias":false}],)"
                             R"("class_labels":["a","b"])";
const std::string kPair = R"("inputs":1,"layers":[{"units":1,"activation":"sigmoid"}])";
const std::string kNumber = R"("inputs":1,"layers":[{"units":1}])";
const std::string kNumbers = R"("inputs":1,"layers":[{"units":2,"activation":"linear"}])";

class FeedbackHandlersTest : public ApiTest {
 protected:
  void make(const std::string& rest) {
    service.networks.clear();
    service.feedback.predictions.clear();
    ASSERT_EQ(post("/v1/networks", R"({"name":"n",)" + rest + "}").status, 201);
  }
  std::string predict(const std::string& inputs) {
    const auto response = post("/v1/networks/n/predict?prediction_id", R"({"inputs":)" + inputs + "}");
    EXPECT_EQ(response.status, 200) << response.body;
    return std::string(response.header("Prediction-Id").value_or(""));
  }
  Response feedback(const std::string& id, const std::string& rest) {
    return post("/v1/networks/n/feedback", R"({"prediction_id":")" + id + "\"," + rest + "}");
  }
};

TEST_F(FeedbackHandlersTest, AnIdIsGivenWhereItIsAskedFor) {
  make(kNumber);
  EXPECT_EQ(post("/v1/networks/n/predict", R"({"inputs":[1]})").body.find("prediction_id"),
            std::string::npos);
  const auto asked = post("/v1/networks/n/predict?prediction_id=true", R"({"inputs":[1]})");
  EXPECT_EQ(text_at(json_of(asked), "prediction_id"), "p-1");
  EXPECT_EQ(asked.header("Prediction-Id"), "p-1");
  const auto csv = post("/v1/networks/n/predict?prediction_id&format=csv", R"({"inputs":[1]})");
  EXPECT_EQ(csv.header("Prediction-Id"), "p-2");
  EXPECT_EQ(csv.body.find("p-2"), std::string::npos);
  EXPECT_FALSE(service.feedback.pinned);
  EXPECT_EQ(post("/v1/networks/n/predict?prediction_id&version=1", R"({"inputs":[1]})").status, 200);
  EXPECT_TRUE(service.feedback.pinned);
  EXPECT_EQ(post("/v1/networks/n/predict?prediction_id&alias=stable", R"({"inputs":[1]})").status, 200);
  EXPECT_FALSE(service.feedback.pinned);
  for (const char* query : {"prediction_id&step=0", "prediction_id=yes"}) {
    const auto refused = post("/v1/networks/n/predict?" + std::string(query), R"({"inputs":[1]})");
    EXPECT_EQ(refused.status, 422) << refused.body;
    EXPECT_NE(refused.body.find("?prediction_id"), std::string::npos) << refused.body;
  }
  service.feedback.rows_max = 1;
  EXPECT_EQ(post("/v1/networks/n/predict?prediction_id", R"({"inputs":[1,2]})").status, 422);
  EXPECT_EQ(post("/v1/networks/n/predict", R"({"inputs":[1,2]})").status, 200);
}

TEST_F(FeedbackHandlersTest, TheInferenceProtocolGivesIdsToo) {
  make(kNumber);
  const std::string tensor = R"("inputs":[{"name":"inputs","datatype":"FP32","shape":[1,1],"data":[1]}]})";
  EXPECT_EQ(post("/v2/models/n/infer", "{" + tensor).body.find("parameters"), std::string::npos);
  const auto asked = post("/v2/models/n/infer", R"({"parameters":{"prediction_id":true},)" + tensor);
  EXPECT_EQ(text_at(json_of(asked), "parameters/prediction_id"), "p-1");
  EXPECT_EQ(asked.header("Prediction-Id"), "p-1");
  EXPECT_FALSE(service.feedback.pinned);
  EXPECT_EQ(post("/v2/models/n/versions/1/infer", "{" + tensor).status, 200);
  EXPECT_TRUE(service.feedback.pinned);
  EXPECT_EQ(post("/v2/models/n/infer", R"({"parameters":{"prediction_id":1},)" + tensor).status, 400);
  service.feedback.rows_max = 0;
  EXPECT_EQ(post("/v2/models/n/infer", R"({"parameters":{"prediction_id":true},)" + tensor).status, 400);
}

TEST_F(FeedbackHandlersTest, TakesTargetsAsTrainingDoes) {
  struct Case {
    const std::string& spec;
    std::string inputs;
    std::string body;
    std::vector<double> numbers;
  };
  const Case cases[] = {
      {kClasses, "[1]", R"("target":1)", {1}},
      {kClasses, "[1]", R"("target":"b")", {1}},
      {kClasses, "[1]", R"("target":[0.2,0.8])", {1}},
      {kClasses, "[1,2,3]", R"("targets":["b",0,null])", {1, 0, 0}},
      {kClasses, "[1,2]", R"("targets":[[1,0],[0,1]])", {0, 1}},
      {kClasses, "[1,2]", R"("targets":[1,0])", {1, 0}},
      {kPair, "[1]", R"("target":1)", {1}},
      {kPair, "[1]", R"("target":[1])", {1}},
      {kNumber, "[1]", R"("target":-2.5)", {-2.5}},
      {kNumber, "[1,2]", R"("targets":[[3],[4]])", {3, 4}},
      {kNumbers, "[1]", R"("target":[1,2])", {1, 2}},
      {kNumbers, "[1,2]", R"("targets":[[1,2],null])", {1, 2, 0, 0}},
  };
  for (const Case& c : cases) {
    make(c.spec);
    const auto answer = feedback(predict(c.inputs), c.body);
    ASSERT_EQ(answer.status, 200) << c.body << answer.body;
    EXPECT_EQ(service.feedback.truth.numbers, c.numbers) << c.body;
    EXPECT_EQ(text_at(json_of(answer), "version"), "live");
  }
}

TEST_F(FeedbackHandlersTest, RefusesWhatIsNoTarget) {
  struct Case {
    const std::string& spec;
    std::string inputs;
    std::string body;
    std::string says;
  };
  const Case cases[] = {
      {kClasses, "[1]", R"("target":2)", "#/target\",\"detail\":\"must be a class index from 0 to 1"},
      {kClasses, "[1]", R"("target":-1)", "class index"},
      {kClasses, "[1]", R"("target":0.5)", "class index"},
      {kClasses, "[1]", R"("target":"c")", "unknown label"},
      {kClasses, "[1]", R"("target":[1])", "#/target"},
      {kClasses, "[1]", R"("target":null)", "#/target"},
      {kClasses, "[1]", R"("target":{})", "#/target"},
      {kClasses, "[1,2]", R"("target":1)", "give targets"},
      {kClasses, "[1,2]", R"("targets":[1])", "has 1 rows, but the prediction has 2"},
      {kClasses, "[1,2]", R"("targets":[1,7])", "#/targets/1"},
      {kClasses, "[1]", R"("targets":1)", "#/targets"},
      {kClasses, "[1]", R"("target":1,"targets":[1])", "can't both"},
      {kClasses, "[1]", R"("tagret":1)", "did you mean"},
      {kPair, "[1]", R"("target":"yes")", "the network has none"},
      {kPair, "[1]", R"("target":0.3)", "class index"},
      {kNumber, "[1]", R"("target":"a")", "#/target"},
      {kNumber, "[1]", R"("target":[1,2])", "must be a number"},
      {kNumbers, "[1]", R"("target":1)", "an array of 2 numbers"},
      {kNumbers, "[1]", R"("target":[1,2,3])", "an array of 2 numbers"},
  };
  for (const Case& c : cases) {
    make(c.spec);
    service.feedback.truth = {};
    const auto answer = feedback(predict(c.inputs), c.body);
    EXPECT_EQ(answer.status, 422) << c.body << answer.body;
    EXPECT_NE(answer.body.find(c.says), std::string::npos) << c.body << answer.body;
    EXPECT_TRUE(service.feedback.truth.known.empty()) << c.body;
  }
  EXPECT_EQ(feedback("p-9", R"("target":1)").status, 404);
  EXPECT_EQ(post("/v1/networks/n/feedback", "{}").status, 422);
}

TEST_F(FeedbackHandlersTest, AShadowByTable) {
  make(kNumber);
  struct Case {
    const char* method;
    const char* body;
    int status;
  };
  const Case cases[] = {
      {"GET", "", 404},
      {"DELETE", "", 404},
      {"PUT", R"({"version":1})", 201},
      {"PUT", R"({"version":"live"})", 200},
      {"PUT", R"({"version":2})", 404},
      {"PUT", R"({"version":"dead"})", 422},
      {"PUT", R"({"version":1.5})", 422},
      {"PUT", "{}", 422},
      {"PUT", R"({"version":1,"alias":"a"})", 422},
      {"GET", "", 200},
      {"DELETE", "", 204},
      {"GET", "", 404},
  };
  for (const Case& c : cases)
    EXPECT_EQ(send(c.method, "/v1/networks/n/shadow", c.body).status, c.status) << c.method << c.body;
}

TEST_F(FeedbackHandlersTest, ShowsScoresOfClassesAndNumbers) {
  make(kNumber);
  ShadowView& view = service.feedback.view.emplace();
  view.dropped = 7;
  view.failed = 2;
  view.against = {{1, {true, 8, 6, 0}, {true, 4, 3, 0}, {true, 4, 2, 0}}, {2, {false, 4, 0, 1}, {}, {}}};
  EXPECT_EQ(get("/v1/networks/n/shadow").body,
            R"({"version":"live","since":"1970-01-01T00:00:00.000Z","dropped":7,"failed":2,"against":[)"
            R"({"version":1,"rows":8,"agreement":0.75,"feedback":{"rows":4,"accuracy":0.75,)"
            R"("shadow_accuracy":0.5}},{"version":2,"rows":4,"mean_absolute_difference":0.25}]})"
            "\n");
  service.feedback.judged = {{{}, {true, 2, 1, 0}}, {3, {false, 2, 0, 3}}};
  const Json stats = json_of(get("/v2/models/n/stats"));
  EXPECT_EQ(text_at(stats, "model_stats/0/version"), "live");
  EXPECT_EQ(number_at(stats, "model_stats/0/feedback/accuracy"), 0.5);
  EXPECT_EQ(text_at(stats, "model_stats/1/version"), "3");
  EXPECT_EQ(number_at(stats, "model_stats/1/feedback/mean_absolute_error"), 1.5);
}

}  // namespace
}  // namespace mlpd::api
