#include "api/network_handlers.h"

#include <algorithm>

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class NetworkHandlersTest : public ApiTest {
 protected:
  Response create(const std::string& name) {
    return post("/v1/networks",
                R"({"name":")" + name + R"(","inputs":2,"layers":[{"units":8},{"units":2}]})");
  }
};

TEST_F(NetworkHandlersTest, TheFirstSessionRuns) {
  const auto created = create("my");
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.header("Location"), "/v1/networks/my");
  EXPECT_EQ(number_at(json_of(created), "parameters"), 42);
  const auto trained = post("/v1/networks/my/train", R"({"data":{"generator":"xor"},"steps":200})");
  ASSERT_EQ(trained.status, 200) << trained.body;
  EXPECT_EQ(text_at(json_of(trained), "state"), "succeeded");
  EXPECT_EQ(number_at(json_of(trained), "steps_done"), 200);
  const Json history = json_of(get("/v1/networks/my/history?fields=step,loss&max_points=10"));
  ASSERT_EQ(history.as<JsonObject>()->size(), 2u);
  EXPECT_EQ(history.find("step")->as<JsonNumbers>()->size(), history.find("loss")->as<JsonNumbers>()->size());
  const auto predicted = post("/v1/networks/my/predict", R"({"inputs":[0.5,-1]})");
  ASSERT_EQ(predicted.status, 200) << predicted.body;
  EXPECT_EQ(number_at(json_of(predicted), "step"), 200);
  EXPECT_EQ(number_at(json_of(get("/v1/networks/my")), "last_record/step"), 199);
}

TEST_F(NetworkHandlersTest, CreateGivesNamesAndRefusesTakenOnes) {
  const auto unnamed = post("/v1/networks", R"({"inputs":1,"layers":[{"units":1}]})");
  EXPECT_EQ(unnamed.header("Location"), "/v1/networks/id-1");
  EXPECT_EQ(create("a").status, 201);
  EXPECT_EQ(create("a").status, 409);
  EXPECT_EQ(post("/v1/networks", "").status, 400);
  EXPECT_EQ(post("/v1/networks", "{}").status, 422);
  EXPECT_EQ(send("POST", "/v1/networks", "a,b", {{"Content-Type", "text/csv"}}).status, 415);
  EXPECT_EQ(
      send("POST", "/v1/networks", "{}", {{"Content-Type", "application/x-www-form-urlencoded"}}).status,
      422);
}

TEST_F(NetworkHandlersTest, DryRunChangesNothing) {
  const auto dry = post("/v1/networks?dry_run=true", R"({"name":"a","inputs":2,"layers":[{"units":3}]})");
  ASSERT_EQ(dry.status, 200) << dry.body;
  const Json json = json_of(dry);
  EXPECT_EQ(number_at(json, "parameters"), 9);
  EXPECT_GT(number_at(json, "memory_bytes"), 0);
  EXPECT_EQ(text_at(json, "layers/0/activation"), "softmax");
  EXPECT_TRUE(service.networks.empty());
  EXPECT_EQ(create("a").status, 201);
  EXPECT_EQ(post("/v1/networks?dry_run", R"({"name":"a","inputs":2,"layers":[{"units":3}]})").status, 409);
  EXPECT_EQ(post("/v1/networks?dry_run=maybe", "{}").status, 422);
}

TEST_F(NetworkHandlersTest, PassesTheIdempotencyKeyOn) {
  const std::string body = R"({"inputs":1,"layers":[{"units":1}]})";
  EXPECT_EQ(send("POST", "/v1/networks", body, {{"idempotency-key", "k1"}}).status, 201);
  EXPECT_EQ(service.last_create.idempotency.key, "k1");
  const auto digest = service.last_create.idempotency.request_digest;
  send("POST", "/v1/networks", body, {{"Idempotency-Key", "k1"}});
  EXPECT_EQ(service.last_create.idempotency.request_digest, digest);
  send("POST", "/v1/networks", body + " ", {{"Idempotency-Key", "k1"}});
  EXPECT_NE(service.last_create.idempotency.request_digest, digest);
  EXPECT_EQ(send("POST", "/v1/networks", body, {{"Idempotency-Key", ""}}).status, 422);
  EXPECT_EQ(send("POST", "/v1/networks", body, {{"Idempotency-Key", std::string(255, 'k')}}).status, 201);
  EXPECT_EQ(send("POST", "/v1/networks", body, {{"Idempotency-Key", std::string(256, 'k')}}).status, 422);
}

TEST_F(NetworkHandlersTest, ConditionsFollowTheETag) {
  create("a");
  const std::string tag(*get("/v1/networks/a").header("ETag"));
  EXPECT_EQ(send("GET", "/v1/networks/a", "", {{"If-None-Match", tag}}).status, 304);
  const Response read = send("GET", "/v1/networks/a", "", {{"If-None-Match", "\"other\""}});
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(number_at(json_of(read), "disk_bytes"), 4321);
  EXPECT_EQ(send("PATCH", "/v1/networks/a", "{}", {{"If-Match", "\"stale\""}}).status, 412);
  EXPECT_EQ(send("PATCH", "/v1/networks/a", "{}", {{"If-Match", "\"stale\", " + tag}}).status, 200);
  EXPECT_EQ(send("PATCH", "/v1/networks/a", "{}", {{"If-Match", tag}}).status, 412);  // it has changed
  EXPECT_EQ(send("PATCH", "/v1/networks/a", "{}", {{"If-Match", "*"}}).status, 200);
  EXPECT_EQ(send("DELETE", "/v1/networks/a", "", {{"If-Match", "\"x\""}}).status, 412);
  EXPECT_EQ(send("DELETE", "/v1/networks/a", "", {{"If-Match", "*"}}).status, 204);
}

TEST_F(NetworkHandlersTest, PatchChangesAndTellsTheNewTag) {
  create("a");
  const auto patched = send("PATCH", "/v1/networks/a",
                            R"({"labels":{"team":"x"},"optimizer":{"learning_rate":0.5},"ttl_s":60})");
  ASSERT_EQ(patched.status, 200) << patched.body;
  const Json json = json_of(patched);
  EXPECT_EQ(number_at(json, "optimizer/learning_rate"), 0.5);
  EXPECT_EQ(text_at(json, "labels/team"), "x");
  EXPECT_EQ(number_at(json, "ttl_s"), 60);
  EXPECT_EQ(patched.header("ETag"), get("/v1/networks/a").header("ETag"));
  EXPECT_EQ(send("PATCH", "/v1/networks/a", R"({"layers":[]})").status, 422);
  EXPECT_EQ(send("PATCH", "/v1/networks/none", "{}").status, 404);
}

TEST_F(NetworkHandlersTest, DeleteWaitsForJobsUnlessForced) {
  create("a");
  service.hold_jobs = true;
  EXPECT_EQ(
      send("POST", "/v1/networks/a/train", R"({"data":{"generator":"xor"}})", {{"Prefer", "respond-async"}})
          .status,
      202);
  EXPECT_EQ(send("DELETE", "/v1/networks/a").status, 409);
  const auto deleted = send("DELETE", "/v1/networks/a?force=true");
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.body, "");
  EXPECT_EQ(send("DELETE", "/v1/networks/a").status, 404);
}

TEST_F(NetworkHandlersTest, ListsComeInPagesAndForms) {
  for (auto name : {"a", "b", "c"}) create(name);
  const Json page = json_of(get("/v1/networks?limit=2"));
  EXPECT_EQ(page.find("networks")->as<JsonArray>()->size(), 2u);
  const Json rest = json_of(get("/v1/networks?limit=2&cursor=" + text_at(page, "next_cursor")));
  EXPECT_EQ(text_at(rest, "networks/0/name"), "c");
  EXPECT_EQ(rest.find("next_cursor"), nullptr);
  const auto csv = get("/v1/networks?format=csv");
  EXPECT_EQ(csv.header("Content-Type"), "text/csv");
  EXPECT_EQ(csv.body.rfind("name,state,step,parameters,loss,created_at\na,idle,0,42,,1970", 0), 0u)
      << csv.body;
  const auto lines = send("GET", "/v1/networks", "", {{"Accept", "application/x-ndjson"}});
  EXPECT_EQ(std::count(lines.body.begin(), lines.body.end(), '\n'), 3);
  for (auto bad : {"limit=0", "limit=1001", "limit=-1", "limit=x", "cursor=\x01", "cursor=x"})
    EXPECT_EQ(get("/v1/networks?" + std::string(bad)).status, 422) << bad;
  EXPECT_EQ(get("/v1/networks?limit=1000").status, 200);
}

TEST_F(NetworkHandlersTest, HistoryComesInColumnsRowsAndLines) {
  create("a");
  post("/v1/networks/a/train", R"({"data":{"generator":"xor"},"steps":3})");
  EXPECT_EQ(get("/v1/networks/a/history?fields=step,epoch&from_step=1").body,
            "{\"step\":[1,2],\"epoch\":[2,3]}\n");
  EXPECT_EQ(get("/v1/networks/a/history?fields=step,epoch&format=csv&to_step=0").body, "step,epoch\n0,1\n");
  EXPECT_EQ(get("/v1/networks/a/history?fields=step&format=ndjson").body,
            "{\"step\":0}\n{\"step\":1}\n{\"step\":2}\n");
  for (auto bad :
       {"max_points=1", "max_points=x", "from_step=x", "from_step=5&to_step=4", "fields=los", "format=png"})
    EXPECT_GE(get("/v1/networks/a/history?" + std::string(bad)).status, 406) << bad;
  EXPECT_NE(get("/v1/networks/a/history?fields=los").body.find("did you mean"), std::string::npos);
  EXPECT_EQ(get("/v1/networks/none/history").status, 404);
}

}  // namespace
}  // namespace mlpd::api
