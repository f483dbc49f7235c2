#include "api/time_travel_handlers.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class TimeTravelHandlersTest : public ApiTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(post("/v1/networks", R"({"name":"n","inputs":2,"layers":[{"units":2}]})").status, 201);
  }
};

TEST_F(TimeTravelHandlersTest, ListsAndSavesCheckpoints) {
  const Json list = json_of(get("/v1/networks/n/checkpoints"));
  EXPECT_EQ(number_at(list, "checkpoints/0/step"), 9);
  EXPECT_EQ(number_at(list, "bytes"), 190);
  EXPECT_EQ(number_at(list, "disk_bytes"), 250);
  EXPECT_EQ(number_at(list, "replayable_from"), 0);
  const Response saved = post("/v1/networks/n/checkpoints", "");
  EXPECT_EQ(saved.status, 201);
  EXPECT_EQ(number_at(json_of(saved), "bytes"), 100);
  EXPECT_EQ(post("/v1/networks/n/checkpoints", R"({"step":3})").status, 422);
  EXPECT_EQ(get("/v1/networks/no/checkpoints").status, 404);
}

TEST_F(TimeTravelHandlersTest, RestoreWantsAStep) {
  struct Case {
    const char* body;
    int status;
    const char* pointer;
  };
  for (const Case& c :
       {Case{R"({"step":4})", 200, ""}, Case{"{}", 422, "#/step"}, Case{R"({"step":-1})", 422, "#/step"},
        Case{R"({"stp":1,"step":1})", 422, "#/stp"}, Case{R"({"step":10})", 404, ""}}) {
    const Response response = post("/v1/networks/n/restore", c.body);
    EXPECT_EQ(response.status, c.status) << c.body;
    if (*c.pointer) EXPECT_EQ(text_at(json_of(response), "errors/0/pointer"), c.pointer);
  }
  EXPECT_EQ(send("POST", "/v1/networks/n/restore", R"({"step":4})", {{"If-Match", "\"old\""}}).status, 412);
}

TEST_F(TimeTravelHandlersTest, ForkTakesChangesAndNamesItsParent) {
  const Response forked = post(
      "/v1/networks/n/fork", R"({"name":"f","step":3,"optimizer":{"learning_rate":0.5},"labels":{"a":"b"}})");
  ASSERT_EQ(forked.status, 201) << forked.body;
  EXPECT_EQ(forked.header("Location"), "/v1/networks/f");
  const Json json = json_of(forked);
  EXPECT_EQ(number_at(json, "optimizer/learning_rate"), 0.5);
  EXPECT_EQ(text_at(json, "optimizer/type"), "adam");
  EXPECT_EQ(text_at(json, "forked_from/network"), "n");
  EXPECT_EQ(number_at(json, "forked_from/step"), 3);
  EXPECT_EQ(text_at(json, "labels/a"), "b");
  EXPECT_EQ(post("/v1/networks/n/fork", "").status, 201);
  const Response wrong = post("/v1/networks/n/fork", R"({"name":"F","stepp":3,"optimizer":{"type":"adm"}})");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(at(json_of(wrong), "errors").as<JsonArray>()->size(), 3u);
  EXPECT_EQ(post("/v1/networks/no/fork", "{}").status, 404);
}

TEST_F(TimeTravelHandlersTest, ALongReplayIsAJob) {
  const auto expect_later = [](const Response& response) {
    EXPECT_EQ(response.status, 202) << response.body;
    EXPECT_EQ(response.header("Location"), "/v1/jobs/replay");
    EXPECT_EQ(text_at(json_of(response), "kind"), "replay");
    EXPECT_EQ(number_at(json_of(response), "steps_total"), 6);
  };
  expect_later(get("/v1/networks/n/model?step=6"));
  expect_later(get("/v1/networks/n/boundary?step=6"));
  expect_later(get("/v1/networks/n/diagnosis?step=6"));
  expect_later(post("/v1/networks/n/predict?step=6", R"({"inputs":[0,1]})"));
  expect_later(post("/v1/networks/n/evaluate?step=6", R"({"data":{"generator":"xor"}})"));
  expect_later(post("/v1/networks/n/trace?step=6", R"({"data":{"generator":"xor"}})"));
  expect_later(post("/v1/networks/n/restore", R"({"step":6})"));
  expect_later(post("/v1/networks/n/fork", R"({"step":6})"));
  expect_later(post("/v1/networks/n/versions", R"({"step":6})"));
  EXPECT_EQ(get("/v1/networks/n/model?step=7").status, 429);
  EXPECT_EQ(post("/v1/networks/n/restore", R"({"step":5})").status, 200);
}

}  // namespace
}  // namespace mlpd::api
