#include "api/dataset_handlers.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class DatasetHandlersTest : public ApiTest {
 protected:
  Response upload(const std::string& query, const std::string& body, const std::string& type = "text/csv") {
    return send("POST", "/v1/datasets" + query, body, {{"Content-Type", type}});
  }
  static std::vector<std::string> pointers(const Response& response) {
    std::vector<std::string> found;
    const Json errors = at(json_of(response), "errors");
    if (const auto* list = errors.as<JsonArray>())
      for (const Json& error : *list) found.push_back(text_at(error, "pointer"));
    return found;
  }
};

const std::string kFlowers = "length,colour,species\n1.5,red,a\n2.5,blue,b\n3.5,red,a\n4.5,blue,b\n";

TEST_F(DatasetHandlersTest, CsvBecomesADataSetWithSchemaStatisticsAndPreview) {
  const Response made = upload("?name=flowers&target=species", kFlowers);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.header("Location"), "/v1/datasets/flowers");
  const Json json = json_of(get("/v1/datasets/flowers"));
  EXPECT_EQ(number_at(json, "rows"), 4);
  EXPECT_EQ(text_at(json, "columns/0/type"), "number");
  EXPECT_EQ(number_at(json, "columns/0/mean"), 3);
  EXPECT_EQ(number_at(json, "columns/0/quantiles/0.5"), 3);
  EXPECT_EQ(text_at(json, "columns/1/type"), "category");
  EXPECT_EQ(text_at(json, "columns/1/top/0/value"), "blue");
  EXPECT_EQ(text_at(json, "columns/2/type"), "label");
  EXPECT_EQ(number_at(json, "preview/1/length"), 2.5);
}

TEST_F(DatasetHandlersTest, TakesEveryFormOfTheSameRows) {
  const std::string ndjson = "{\"length\":1.5,\"species\":\"a\"}\n{\"length\":2.5,\"species\":\"b\"}\n";
  const std::string rows = R"([{"length":1.5,"species":"a"},{"length":2.5,"species":"b"}])";
  const std::string arrays = R"({"rows":[[1.5,"a"],[2.5,"b"]],"columns":["length","species"],"name":"f5"})";
  EXPECT_EQ(upload("?name=f1", "length,species\n1.5,a\n2.5,b\n").status, 201);
  EXPECT_EQ(upload("?name=f2", ndjson, "application/x-ndjson").status, 201);
  EXPECT_EQ(upload("?name=f3", rows, "application/json").status, 201);
  EXPECT_EQ(
      upload("", R"({"name":"f4","rows":)" + rows + R"(,"target":"species"})", "application/json").status,
      201);
  EXPECT_EQ(upload("", arrays, "application/json").status, 201);
  EXPECT_EQ(upload("?name=f6", rows, "application/x-www-form-urlencoded").status, 201);
  EXPECT_EQ(upload("?name=f7", "length,species\n1.5,a\n2.5,b\n", "application/x-www-form-urlencoded").status,
            201);
  for (int i = 1; i <= 7; ++i)
    EXPECT_EQ(get("/v1/datasets/f" + std::to_string(i) + "/rows").body,
              "{\"rows\":[{\"length\":1.5,\"species\":\"a\"},{\"length\":2.5,\"species\":\"b\"}]}\n")
        << i;
  EXPECT_EQ(upload("?name=x", "a", "image/png").status, 415);
}

TEST_F(DatasetHandlersTest, StreamsItsBodyInPieces) {
  struct Pieces final : BodyReader {
    std::string text;
    std::size_t at = 0;
    std::optional<core::Error> failure;
    core::Result<std::size_t> read(char* buffer, std::size_t size) override {
      if (at == text.size() && failure) return *failure;
      const std::size_t n = std::min({size, text.size() - at, std::size_t{7}});
      text.copy(buffer, n, at);
      at += n;
      return n;
    }
  } pieces;
  Request request;
  request.method = "POST";
  request.path = "/v1/datasets";
  request.query = {{"name", "flowers"}};
  request.headers = {{"Content-Type", "text/csv"}};
  request.body_stream = &pieces;
  pieces.text = kFlowers;
  EXPECT_EQ(handler->handle(request).status, 201);
  const std::pair<core::ErrorCode, int> failures[] = {{core::ErrorCode::resource_exhausted, 413},
                                                      {core::ErrorCode::invalid_argument, 400},
                                                      {core::ErrorCode::unavailable, 408}};
  for (const auto& [code, status] : failures) {
    pieces.at = 0;
    pieces.failure = core::Error{code, "cut", {}};
    request.query = {{"name", "cut"}};
    EXPECT_EQ(handler->handle(request).status, status);
    EXPECT_EQ(get("/v1/datasets/cut").status, 404);
  }
}

TEST_F(DatasetHandlersTest, ReportsEveryFaultWithItsLine) {
  const Response ragged = upload("?name=x", "a,b\n1\n2,3\n4,5,6\n");
  EXPECT_EQ(ragged.status, 422);
  EXPECT_EQ(pointers(ragged), (std::vector<std::string>{"#/lines/2", "#/lines/4"}));
  const Response words = upload("?name=x", "a,b\n1,1\nx,2\n3,3\n4,4\n5,y\n");
  EXPECT_EQ(pointers(words), (std::vector<std::string>{"#/lines/3/a", "#/lines/6/b"}));
  EXPECT_EQ(upload("?name=x&types=a:ignored", "a,b\n1,1\nx,2\n3,3\n4,4\n").status, 201);
}

TEST_F(DatasetHandlersTest, RefusesWrongOptionsAllAtOnce) {
  EXPECT_EQ(pointers(upload("?name=A B&types=a&delimiter=x&header=maybe", kFlowers)),
            (std::vector<std::string>{"?types", "?name", "?delimiter", "?header"}));
  EXPECT_EQ(upload("?name=x&targett=a", kFlowers).status, 422);
  EXPECT_EQ(pointers(upload("?name=x&types=length:numbr", kFlowers)), std::vector<std::string>{"?types"});
  EXPECT_EQ(pointers(upload("?name=x&target=specie", kFlowers)), std::vector<std::string>{"#/target"});
  EXPECT_EQ(pointers(upload("", R"({"name":"x","row":[]})", "application/json")),
            (std::vector<std::string>{"#/rows", "#/row"}));
  EXPECT_EQ(upload("", "{", "application/json").status, 400);
  EXPECT_EQ(upload("?name=x", "").status, 422);
  service.fake_limits.body_bytes_max = 20;
  EXPECT_EQ(upload("?name=x", R"([{"a":1,"b":2},{"a":2,"b":3}])", "application/json").status, 413);
}

TEST_F(DatasetHandlersTest, GeneratorsMakeDataSets) {
  EXPECT_EQ(
      post("/v1/datasets", R"({"name":"moons","generator":"moons","rows":50,"noise":0.1,"seed":3})").status,
      201);
  const Json json = json_of(get("/v1/datasets/moons"));
  EXPECT_EQ(text_at(json, "source"), "moons");
  EXPECT_EQ(text_at(json, "target"), "class");
  EXPECT_EQ(number_at(json, "rows"), 50);
  EXPECT_EQ(post("/v1/datasets", R"({"name":"line","generator":"sine"})").status, 201);
  EXPECT_EQ(text_at(json_of(get("/v1/datasets/line")), "columns/1/type"), "number");
  EXPECT_EQ(post("/v1/datasets", R"({"name":"no","generator":"spiral"})").status, 422);
}

TEST_F(DatasetHandlersTest, ListsPagesAndDeletes) {
  for (const char* name : {"a", "b", "c"})
    ASSERT_EQ(upload("?name=" + std::string(name), kFlowers).status, 201);
  EXPECT_EQ(upload("?name=a", kFlowers).status, 409);
  const Json page = json_of(get("/v1/datasets?limit=2"));
  EXPECT_EQ(text_at(page, "next_cursor"), "b");
  EXPECT_EQ(text_at(json_of(get("/v1/datasets?cursor=b")), "datasets/0/name"), "c");
  EXPECT_EQ(send("DELETE", "/v1/datasets/a").status, 204);
  EXPECT_EQ(send("DELETE", "/v1/datasets/a").status, 404);
}

TEST_F(DatasetHandlersTest, KeepsWhatANetworkWasTrainedOnUnlessForced) {
  ASSERT_EQ(upload("?name=f", kFlowers).status, 201);
  ASSERT_EQ(post("/v1/networks", R"({"name":"n","inputs":1,"layers":[{"units":1}]})").status, 201);
  service.networks.at("n").view.datasets = {"f"};
  const Response refused = send("DELETE", "/v1/datasets/f");
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("the network n "), std::string::npos);
  EXPECT_EQ(send("DELETE", "/v1/datasets/f?force=true").status, 204);
}

TEST_F(DatasetHandlersTest, GivesRowsAsJsonCsvAndNdjsonInPages) {
  ASSERT_EQ(upload("?name=f", "n,t\n1.50,\"a,b\"\n,c\n").status, 201);
  EXPECT_EQ(get("/v1/datasets/f/rows?format=csv").body, "n,t\n1.50,\"a,b\"\n,c\n");
  EXPECT_EQ(get("/v1/datasets/f/rows?format=ndjson").body,
            "{\"n\":1.5,\"t\":\"a,b\"}\n{\"n\":null,\"t\":\"c\"}\n");
  const Json first = json_of(get("/v1/datasets/f/rows?limit=1"));
  EXPECT_EQ(text_at(first, "next_cursor"), "1");
  EXPECT_EQ(get("/v1/datasets/f/rows?cursor=1").body, "{\"rows\":[{\"n\":null,\"t\":\"c\"}]}\n");
  EXPECT_EQ(get("/v1/datasets/f/rows?cursor=9").body, "{\"rows\":[]}\n");
  EXPECT_EQ(get("/v1/datasets/f/rows?cursor=x").status, 422);
}

}  // namespace
}  // namespace mlpd::api
