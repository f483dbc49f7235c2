#include "api/diagnosis_handlers.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class DiagnosisHandlersTest : public ApiTest {
 protected:
  void SetUp() override {
    const auto made = post("/v1/networks", R"({"name":"n","inputs":2,"layers":[{"units":8},{"units":2}]})");
    ASSERT_EQ(made.status, 201) << made.body;
  }
};

TEST_F(DiagnosisHandlersTest, AnUntrainedNetworkHasNothingToJudge) {
  const auto response = get("/v1/networks/n/diagnosis");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(text_at(json_of(response), "verdict"), "healthy");
  EXPECT_TRUE(at(json_of(response), "since_step").is_null());
}

TEST_F(DiagnosisHandlersTest, ShowsEachLayerOfATrainedOne) {
  ASSERT_EQ(post("/v1/networks/n/train", R"({"steps":50,"data":{"generator":"xor"}})").status, 200);
  const auto response = get("/v1/networks/n/diagnosis");
  const Json diagnosis = json_of(response);
  EXPECT_EQ(text_at(diagnosis, "verdict"), "healthy") << response.body;
  EXPECT_EQ(number_at(diagnosis, "step"), 50);
  EXPECT_EQ(number_at(diagnosis, "layers/1/index"), 1);
  EXPECT_GT(number_at(diagnosis, "layers/0/gradient_norm"), 0);
  EXPECT_GT(number_at(diagnosis, "layers/0/update_ratio"), 0);
  EXPECT_TRUE(at(diagnosis, "layers/0/dead").is_null()) << "tanh units can't die";
  EXPECT_GT(number_at(diagnosis, "evidence/learning_rate"), 0);
}

TEST_F(DiagnosisHandlersTest, WarnsWithRemediesWhereTheRateIsTooLarge) {
  ASSERT_EQ(post("/v1/networks", R"({"name":"fast","inputs":2,"loss":"half_squared_error",
      "layers":[{"units":8},{"units":2,"activation":"linear"}],
      "optimizer":{"type":"sgd","learning_rate":5}})")
                .status,
            201);
  ASSERT_EQ(post("/v1/networks/fast/train", R"({"steps":1,"data":{"generator":"xor"}})").status, 200);
  const auto response = get("/v1/networks/fast/diagnosis");
  const Json diagnosis = json_of(response);
  const std::string verdict = text_at(diagnosis, "verdict");
  EXPECT_TRUE(verdict == "warning" || verdict == "exploding") << response.body;
  EXPECT_GT(number_at(diagnosis, "evidence/rate_times_curvature"), 2);
  EXPECT_EQ(text_at(diagnosis, "remedies/0/request/path"), "/v1/networks/fast/fork");
}

TEST_F(DiagnosisHandlersTest, RefusesWhatIsNotThere) {
  ASSERT_EQ(post("/v1/networks/n/train", R"({"steps":1,"data":{"generator":"xor"}})").status, 200);
  EXPECT_EQ(get("/v1/networks/none/diagnosis").status, 404);
  EXPECT_EQ(get("/v1/networks/n/diagnosis?step=9").status, 404);
  EXPECT_EQ(get("/v1/networks/n/diagnosis?step=x").status, 422);
}

}  // namespace
}  // namespace mlpd::api
