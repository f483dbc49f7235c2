#include "api/job_handlers.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class JobHandlersTest : public ApiTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(post("/v1/networks", R"({"name":"n","inputs":2,"layers":[{"units":2}]})").status, 201);
  }
  Response train(Fields headers, const std::string& body = R"({"data":{"generator":"xor"},"steps":5})") {
    return send("POST", "/v1/networks/n/train", body, std::move(headers));
  }
};

TEST_F(JobHandlersTest, WaitsAsThePreferenceSays) {
  service.hold_jobs = true;
  const struct {
    std::string prefer, applied;
    std::int64_t waited_ms;
  } kCases[] = {{"", "", 30'000},
                {"wait=5", "wait=5", 5'000},
                {"Wait=0", "wait=0", -1},
                {"respond-async", "respond-async", -1},
                {"respond-async, wait=9", "respond-async", -1},
                {"wait=100000", "wait=600", 600'000},
                {"handling=lenient", "", 30'000}};
  for (const auto& c : kCases) {
    service.last_wait = std::chrono::milliseconds(-1);
    const auto response = train(c.prefer.empty() ? Fields{} : Fields{{"Prefer", c.prefer}});
    EXPECT_EQ(response.status, 202);
    EXPECT_EQ(response.header("Location"), "/v1/jobs/" + text_at(json_of(response), "id"));
    EXPECT_EQ(response.header("Preference-Applied").value_or(""), c.applied);
    EXPECT_EQ(service.last_wait.count(), c.waited_ms) << c.prefer;
  }
  EXPECT_EQ(train({{"Prefer", "wait=soon"}}).status, 422);
}

TEST_F(JobHandlersTest, AnswersTheFinishedJob) {
  const auto response = train({});
  ASSERT_EQ(response.status, 200) << response.body;
  const Json job = json_of(response);
  EXPECT_EQ(text_at(job, "stop_reason"), "completed");
  EXPECT_EQ(number_at(job, "step"), 5);
  EXPECT_GE(number_at(job, "metrics/accuracy"), 0);
  EXPECT_EQ(get("/v1/jobs/" + text_at(job, "id")).body, response.body);
}

TEST_F(JobHandlersTest, PassesThePlanOn) {
  train({{"Idempotency-Key", "k"}},
        R"({"data":{"generator":"xor"},"steps":5,"optimizer":{"learning_rate":0.5}})");
  EXPECT_EQ(service.last_train.plan.steps, 5u);
  EXPECT_EQ(service.last_train.idempotency.key, "k");
  EXPECT_EQ(service.last_train.hyper_parameters->optimizer.learning_rate, 0.5);
  EXPECT_EQ(train({}, R"({"steps":1})").status, 200);  // the data used before
}

TEST_F(JobHandlersTest, RefusesWhatCanNotTrain) {
  EXPECT_EQ(train({}, "{}").status, 422);  // no data yet
  EXPECT_EQ(train({}, "").status, 422);    // no body: everything as before, and that is nothing
  EXPECT_EQ(train({}, R"({"stpes":1})").status, 422);
  EXPECT_EQ(post("/v1/networks/none/train", "{}").status, 404);
  EXPECT_TRUE(service.jobs.empty());
}

TEST_F(JobHandlersTest, DryRunSaysWhatWouldBe) {
  const auto dry = post(
      "/v1/networks/n/train?dry_run=true",
      R"({"data":{"generator":"xor","rows":100},"epochs":3,"batch_size":30,"validation":{"fraction":0.2}})");
  ASSERT_EQ(dry.status, 200) << dry.body;
  const Json json = json_of(dry);
  EXPECT_EQ(number_at(json, "training_rows"), 80);
  EXPECT_EQ(number_at(json, "validation_rows"), 20);
  EXPECT_EQ(number_at(json, "batches_per_epoch"), 3);
  EXPECT_EQ(number_at(json, "steps_total"), 9);
  EXPECT_GT(number_at(json, "estimated_seconds"), 0);
  EXPECT_TRUE(service.jobs.empty());
  EXPECT_EQ(post("/v1/networks/n/train?dry_run=true",
                 R"({"data":{"inputs":[1,2],"targets":[1]},"validation":{"fraction":0.9}})")
                .status,
            422);
}

TEST_F(JobHandlersTest, JobsAreListedAndSteered) {
  service.hold_jobs = true;
  const std::string id = text_at(json_of(train({{"Prefer", "respond-async"}})), "id");
  EXPECT_EQ(text_at(json_of(get("/v1/jobs")), "jobs/0/id"), id);
  EXPECT_EQ(json_of(get("/v1/jobs?network=other")).find("jobs")->as<JsonNumbers>()->size(), 0u);
  const std::string csv = get("/v1/jobs?format=csv").body;
  EXPECT_EQ(csv.rfind("id,network,state,", 0), 0u);
  EXPECT_TRUE(csv.ends_with(",\n")) << csv;  // it trains, as most do
  service.jobs[id].replay = true;
  EXPECT_EQ(text_at(json_of(get("/v1/jobs")), "jobs/0/kind"), "replay");
  EXPECT_TRUE(get("/v1/jobs?format=csv").body.ends_with(",replay\n"));
  EXPECT_EQ(get("/v1/jobs?format=ndjson").body, get("/v1/jobs/" + id).body);
  EXPECT_EQ(text_at(json_of(post("/v1/jobs/" + id + "/pause", "")), "state"), "paused");
  EXPECT_EQ(text_at(json_of(post("/v1/jobs/" + id + "/resume", "{}")), "state"), "queued");
  EXPECT_EQ(text_at(json_of(post("/v1/jobs/" + id + "/cancel", "")), "state"), "cancelled");
  for (auto verb : {"", "/cancel", "/pause", "/resume"})
    EXPECT_EQ(send(*verb ? "POST" : "GET", "/v1/jobs/none" + std::string(verb)).status, 404);
}

TEST_F(JobHandlersTest, AnEndedJobCanBeCancelledButNotPaused) {
  const std::string id = text_at(json_of(train({})), "id");
  EXPECT_EQ(text_at(json_of(post("/v1/jobs/" + id + "/cancel", "")), "state"), "succeeded");
  EXPECT_EQ(post("/v1/jobs/" + id + "/pause", "").status, 409);
  EXPECT_EQ(post("/v1/jobs/" + id + "/resume", "").status, 409);
}

}  // namespace
}  // namespace mlpd::api
