#include "api/learning_rate_handlers.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class LearningRateHandlersTest : public ApiTest {
 protected:
  void SetUp() override {
    const auto made = post("/v1/networks", R"({"name":"n","inputs":2,"layers":[{"units":8},{"units":2}]})");
    ASSERT_EQ(made.status, 201) << made.body;
  }
  const std::string path_ = "/v1/networks/n/learning_rate_test";
};

TEST_F(LearningRateHandlersTest, SuggestsARateAndChangesNothing) {
  const std::string before = service.networks.at("n").view.state_sha256;
  const auto response = post(path_, R"({"data":{"generator":"xor"},"steps":60,"batch_size":50})");
  ASSERT_EQ(response.status, 200) << response.body;
  const Json curve = json_of(response);
  EXPECT_GT(number_at(curve, "suggestion"), 0);
  EXPECT_EQ(number_at(curve, "request/body/optimizer/learning_rate"), number_at(curve, "suggestion"));
  const Json rates = at(curve, "learning_rate"), losses = at(curve, "loss");
  ASSERT_NE(rates.as<JsonNumbers>(), nullptr);
  EXPECT_EQ(rates.as<JsonNumbers>()->size(), losses.as<JsonNumbers>()->size());
  EXPECT_NEAR(rates.as<JsonNumbers>()->front(), 1e-5, 1e-12);
  EXPECT_EQ(core::state_digest(service.networks.at("n").learner->checkpoint()).hex(), before);
}

TEST_F(LearningRateHandlersTest, NamesEveryFault) {
  for (const auto& [body, status] :
       std::vector<std::pair<std::string, int>>{{"{}", 422},  // never trained: no data to use again
                                                {R"({"data":{"generator":"xor"},"steps":9})", 422},
                                                {R"({"data":{"generator":"xor"},"steps":1001})", 422},
                                                {R"({"data":{"generator":"xor"},"from":1,"to":0.5})", 422},
                                                {R"({"data":{"generator":"xor"},"rate":1})", 422},
                                                {"{", 400}}) {
    const auto response = post(path_, body);
    EXPECT_EQ(response.status, status) << body << ": " << response.body;
  }
  EXPECT_EQ(post("/v1/networks/none/learning_rate_test", "{}").status, 404);
}

}  // namespace
}  // namespace mlpd::api
