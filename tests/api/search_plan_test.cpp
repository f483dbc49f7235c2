#include "api/search_plan.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class SearchPlanTest : public ApiTest {
 protected:
  void SetUp() override {
    std::string csv = "a,b,kind\n", line = "x,y\n";
    for (int r = 0; r < 60; ++r) {
      csv += std::to_string(r / 20 * 10 + r % 7) + "," + std::to_string(r % 5) + ",k" +
             std::to_string(r / 20) + "\n";
      line += std::to_string(r) + "," + std::to_string(3 * r + r % 4) + "\n";
    }
    for (const auto& [name, rows] : {std::pair("kinds", csv), std::pair("line", line)})
      ASSERT_EQ(
          send("POST", "/v1/datasets?name=" + std::string(name), rows, {{"Content-Type", "text/csv"}}).status,
          201);
  }

  // "pointer: detail" of each fault.
  std::string faults(const Response& response) {
    std::string found;
    const Json errors = at(json_of(response), "errors");
    if (const auto* list = errors.as<JsonArray>())
      for (const Json& error : *list)
        found += text_at(error, "pointer") + ": " + text_at(error, "detail") + "\n";
    return found;
  }
};

TEST_F(SearchPlanTest, AcceptsAndShowsASearch) {
  const Response made =
      post("/v1/searches", R"({"name":"s","dataset":"kinds","network":{"layers":[{"units":4}]},
    "space":{"network":{"/layers/0/units":[2,4,8],"/optimizer":[{"type":"sgd"},{"type":"adam"}]},
             "train":{"/batch_size":[8,16]}}})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.header("Location"), "/v1/searches/s");
  const Json search = json_of(made);
  EXPECT_EQ(number_at(search, "networks_total"), 12);
  EXPECT_EQ(text_at(search, "metric"), "validation_loss");
  EXPECT_EQ(text_at(search, "definition/dataset"), "kinds");
  EXPECT_EQ(get("/v1/searches/s").status, 200);
  EXPECT_EQ(text_at(json_of(get("/v1/searches")), "searches/0/name"), "s");
  EXPECT_EQ(at(json_of(get("/v1/searches")), "searches/0/leaderboard").is_null(), true);
  EXPECT_EQ(send("DELETE", "/v1/searches/s").status, 409);
  EXPECT_EQ(text_at(json_of(post("/v1/searches/s/cancel", "")), "state"), "cancelled");
  EXPECT_EQ(send("DELETE", "/v1/searches/s").status, 204);
  for (const char* path : {"/v1/searches/s", "/v1/searches/no"}) EXPECT_EQ(get(path).status, 404);
  EXPECT_EQ(post("/v1/searches/s/cancel", "").status, 404);
  EXPECT_EQ(send("DELETE", "/v1/searches/s").status, 404);
}

TEST_F(SearchPlanTest, ADryRunShowsAndKeepsNothing) {
  const char* body = R"({"name":"s","dataset":"kinds","space":{"train":{"/steps":[5,6,7]}}})";
  const Response shown = post("/v1/searches?dry_run=true", body);
  ASSERT_EQ(shown.status, 200) << shown.body;
  EXPECT_EQ(number_at(json_of(shown), "networks_total"), 3);
  EXPECT_TRUE(service.searches.searches.empty());
}

TEST_F(SearchPlanTest, TellsAllFaultsAtOnce) {
  struct Case {
    const char* body;
    std::vector<std::string> wanted;  ///< each is part of the faults
  };
  const Case cases[] = {
      {R"({})", {"#/dataset: ", "#/space: "}},
      {R"({"dataset":"no","space":{"train":{"/steps":[5]}}})", {"#/dataset: names no data set"}},
      {R"({"dataset":"kinds","method":"best","metric":"speed","keep":"some","max_networks":0,"max_seconds":0,
           "name":"A","sede":1,"space":{"train":{"/steps":[5]}}})",
       {"#/method: ", "#/metric: ", "#/keep: ", "#/max_networks: ", "#/max_seconds: ", "#/name: ",
        "#/sede: "}},
      {R"({"dataset":"kinds","network":{"inputs":2,"name":"x"},"train":{"data":{}},
           "space":{"train":{"/steps":[5]}}})",
       {"#/network/inputs: comes from the search", "#/network/name: ", "#/train/data: "}},
      {R"({"dataset":"kinds","network":{"loss":"huber"},
           "space":{"network":{"/loss/x":[5],"seed":[1],"/dataset":["x"]},
           "train":{"/steps":[],"/epochs":5}}})",
       {"#/space/network/~1loss~1x: leads nowhere", "#/space/network/seed: must be a JSON pointer",
        "#/space/network/~1dataset: comes from the search", "#/space/train/~1steps: must have at least one",
        "#/space/train/~1epochs: must be a list"}},
      {R"({"dataset":"kinds","network":{"layers":[{"units":4}]},
           "space":{"network":{"/layers/0/units":[4,0,99999999],"/layers/0/activation":["tanh","tahn"]},
                    "train":{"/batch_size":[8,-1]}}})",
       {"#/space/network/~1layers~10~1units/1: ", "(with 0)", "#/space/network/~1layers~10~1units/2: ",
        "#/space/network/~1layers~10~1activation/1: ", "#/space/train/~1batch_size/1: "}},
      {R"({"dataset":"kinds","space":{"network":{"/layers/0/units":[5]}}})",
       {"#/space/network/~1layers~10~1units/0: "}},
      {R"({"dataset":"kinds","network":{"layrs":[]},"space":{"train":{"/steps":[5]}}})",
       {"#/network/layrs: "}},
      {R"({"dataset":"kinds","train":{"stepps":1},"space":{"train":{"/steps":[5]}}})", {"#/train/stepps: "}},
      {R"({"dataset":"kinds","network":{"validation":{"fraction":0}},"space":{"train":{"/steps":[5]}}})",
       {"#/train/validation: must hold rows out"}},
      {R"({"dataset":"line","metric":"validation_accuracy","space":{"train":{"/steps":[5]}}})",
       {"#/metric: is for data sets whose target is a label"}},
  };
  for (const Case& c : cases) {
    const Response refused = post("/v1/searches", c.body);
    EXPECT_EQ(refused.status, 422) << c.body << refused.body;
    const std::string found = faults(refused);
    for (const std::string& wanted : c.wanted)
      EXPECT_NE(found.find(wanted), std::string::npos) << wanted << " is not in\n" << found;
  }
  EXPECT_TRUE(service.searches.searches.empty());
}

TEST_F(SearchPlanTest, HoldsItsLimits) {
  service.fake_limits.search_networks_max = 6;
  const auto body = [](const std::string& more, int values) {
    std::string list;
    for (int i = 1; i <= values; ++i) list += (i > 1 ? "," : "") + std::to_string(i);
    return R"({"dataset":"kinds",)" + more + R"("space":{"train":{"/steps":[)" + list + "]}}}";
  };
  EXPECT_EQ(post("/v1/searches", body("", 6)).status, 201);
  EXPECT_NE(faults(post("/v1/searches", body("", 7))).find("#/space: is a grid of 7 networks"),
            std::string::npos);
  EXPECT_EQ(post("/v1/searches", body(R"("max_networks":6,)", 7)).status, 201);
  EXPECT_EQ(post("/v1/searches", body(R"("max_networks":7,)", 7)).status, 422);
  const std::string name(61, 'a');
  EXPECT_EQ(post("/v1/searches", body("\"name\":\"" + name + "\",", 2)).status, 201);
  EXPECT_EQ(post("/v1/searches", body("\"name\":\"" + name + "a\",", 2)).status, 422);
  EXPECT_EQ(post("/v1/searches", body("", 2) + std::string(kSearchBytesMax, ' ')).status, 413);
  for (const int fields : {16, 17}) {
    std::string space;
    for (int i = 0; i < fields; ++i) space += (i ? ",\"/f" : "\"/f") + std::to_string(i) + "\":[1]";
    const std::string found =
        faults(post("/v1/searches", R"({"dataset":"kinds","space":{"train":{)" + space + "}}}"));
    EXPECT_EQ(found.find("at most 16") != std::string::npos, fields == 17) << found;
  }
}

TEST_F(SearchPlanTest, ACandidateIsWhatItsOwnRequestsWouldBe) {
  const auto json = parse_json(R"({"name":"s","dataset":"kinds","network":{"layers":[{"units":4}],"seed":3},
    "train":{"steps":50},
    "space":{"network":{"/optimizer/learning_rate":[0.1,0.2]},"train":{"/batch_size":[8,16]}}})");
  const Limits limits;
  const auto plan = decode_search(*json, "unused", limits);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  ASSERT_EQ(plan->candidates.size(), 4u);
  const auto candidate = make_candidate(*plan, 2, service.datasets, limits);
  ASSERT_TRUE(candidate.ok()) << candidate.error().message;
  EXPECT_EQ(candidate->network.name, "s-2");
  EXPECT_EQ(candidate->network.spec.hyper_parameters.optimizer.learning_rate, 0.2);
  EXPECT_EQ(candidate->network.spec.seed, 3u);
  EXPECT_EQ(candidate->train.plan.batches.batch_size, 8u);
  EXPECT_EQ(candidate->train.plan.validation_fraction, 0.2);
  EXPECT_TRUE(candidate->train.plan.keep_best);
  std::string values;
  JsonWriter out(values);
  write_candidate_values(out, *plan, 2);
  EXPECT_EQ(values, R"({"network":{"/optimizer/learning_rate":0.2},"train":{"/batch_size":8}})");
}

}  // namespace
}  // namespace mlpd::api
