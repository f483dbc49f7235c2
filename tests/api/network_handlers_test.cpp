#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

using NetworkHandlersTest = ApiTest;

TEST_F(NetworkHandlersTest, TheFirstSessionRuns) {
  const auto created = post("/v1/networks", R"({"name":"my","inputs":2,"layers":[{"units":8},{"units":2}]})");
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.header("Location"), "/v1/networks/my");
  const auto trained = post("/v1/networks/my/train", R"({"data":{"generator":"xor"},"steps":200})");
  ASSERT_EQ(trained.status, 200) << trained.body;
  EXPECT_EQ(text_at(json_of(trained), "state"), "succeeded");
  EXPECT_EQ(number_at(json_of(trained), "steps_done"), 200);
  const auto history = get("/v1/networks/my/history?fields=step,loss&max_points=10");
  ASSERT_EQ(history.status, 200) << history.body;
  const auto predicted = post("/v1/networks/my/predict", R"({"inputs":[0.5,-1]})");
  ASSERT_EQ(predicted.status, 200) << predicted.body;
}

}  // namespace
}  // namespace mlpd::api
