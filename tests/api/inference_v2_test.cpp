
#include "api/infer_handler.h"
#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  std::string out;
  for (T value : values) out.append(reinterpret_cast<const char*>(&value), sizeof(T));
  return out;
}

class InferenceV2Test : public ApiTest {
 protected:
  void SetUp() override { make(R"("inputs":2,"layers":[{"units":1,"weights":[[2],[10]],"bias":[1]}])"); }
  void make(const std::string& rest) {
    service.networks.clear();
    const auto response = post("/v1/networks", R"({"name":"n",)" + rest + "}");
    ASSERT_EQ(response.status, 201) << response.body;
  }
  /// The JSON part and the tensors behind it.
  Response infer(const std::string& json, const std::string& tensors) {
    return send("POST", "/v2/models/n/infer", json + tensors,
                {{"Inference-Header-Content-Length", std::to_string(json.size())}});
  }
  Response infer(const std::string& json) { return post("/v2/models/n/infer", json); }
  static std::string input(const std::string& datatype, const std::string& data,
                           const std::string& shape = "[2,2]") {
    return R"({"inputs":[{"name":"inputs","datatype":")" + datatype + R"(","shape":)" + shape +
           R"(,"data":)" + data + "}]}";
  }
  static std::string binary_input(const std::string& datatype, std::size_t size) {
    return R"({"inputs":[{"name":"inputs","datatype":")" + datatype +
           R"(","shape":[2,2],"parameters":{"binary_data_size":)" + std::to_string(size) + "}}]}";
  }
};

TEST_F(InferenceV2Test, AnswersWithNumbersAndEchoesTheId) {
  const auto response =
      infer(R"({"id":"7","inputs":[{"name":"inputs","datatype":"FP32","shape":[2,2],"data":[1,1,0.5,-1]}]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"model_name":"n","model_version":"live","id":"7","outputs":[{"name":"outputs",)"
            R"("datatype":"FP32","shape":[2,1],"data":[13,-8]}]})"
            "\n");
}

TEST_F(InferenceV2Test, TakesEveryDatatypeInBothForms) {
  struct Case {
    const char* datatype;
    std::string bytes;  // 1, 1, 0, 1
  };
  const Case cases[] = {
      {"BOOL", bytes_of<std::uint8_t>({1, 1, 0, 1})},
      {"UINT8", bytes_of<std::uint8_t>({1, 1, 0, 1})},
      {"UINT16", bytes_of<std::uint16_t>({1, 1, 0, 1})},
      {"UINT32", bytes_of<std::uint32_t>({1, 1, 0, 1})},
      {"UINT64", bytes_of<std::uint64_t>({1, 1, 0, 1})},
      {"INT8", bytes_of<std::int8_t>({1, 1, 0, 1})},
      {"INT16", bytes_of<std::int16_t>({1, 1, 0, 1})},
      {"INT32", bytes_of<std::int32_t>({1, 1, 0, 1})},
      {"INT64", bytes_of<std::int64_t>({1, 1, 0, 1})},
      {"FP32", bytes_of<float>({1, 1, 0, 1})},
      {"FP64", bytes_of<double>({1, 1, 0, 1})},
      {"FP16", bytes_of<std::uint16_t>({0x3c00, 0x3c00, 0, 0x3c00})},
      {"BF16", bytes_of<std::uint16_t>({0x3f80, 0x3f80, 0, 0x3f80})},
  };
  for (const char* dtype : {"float32", "float64"}) {
    make(R"("inputs":2,"dtype":")" + std::string(dtype) +
         R"(","layers":[{"units":1,"weights":[[2],[10]],"bias":[1]}])");
    for (const Case& c : cases) {
      const auto binary = infer(binary_input(c.datatype, c.bytes.size()), c.bytes);
      EXPECT_NE(binary.body.find("\"data\":[13,11]"), std::string::npos) << c.datatype << binary.body;
      const auto json = infer(input(c.datatype, "[[1,1],[0,1]]"));
      if (std::string(c.datatype).find("F16") == std::string::npos && std::string(c.datatype) != "FP16") {
        EXPECT_EQ(json.body, binary.body) << c.datatype;
      } else {
        EXPECT_EQ(json.status, 400);
        EXPECT_NE(json.body.find(c.datatype), std::string::npos) << json.body;
      }
    }
  }
}

TEST_F(InferenceV2Test, AnswersInBinary) {
  const std::string tensors = bytes_of<float>({1, 1, 0.5F, -1});
  std::string json = binary_input("FP32", tensors.size());
  json.insert(1, R"("parameters":{"binary_data_output":true},)");
  const auto response = infer(json, tensors);
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.header("Content-Type"), "application/octet-stream");
  const auto length = std::stoul(std::string(*response.header("Inference-Header-Content-Length")));
  const auto head = parse_json(response.body.substr(0, length));
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(number_at(*head, "outputs/0/parameters/binary_data_size"), 8);
  EXPECT_EQ(response.body.substr(length), bytes_of<float>({13, -8}));

  const auto raw = send("POST", "/v2/models/n/infer", tensors, {{"Inference-Header-Content-Length", "0"}});
  ASSERT_EQ(raw.status, 200) << raw.body;
  EXPECT_EQ(raw.body.substr(raw.body.size() - 8), bytes_of<float>({13, -8}));
}

TEST_F(InferenceV2Test, Classifies) {
  make(R"("inputs":1,"layers":[{"units":3,"activation":"linear","weights":[[1,3,2]],"bias":false}])");
  const std::string tensor =
      R"({"inputs":[{"name":"inputs","datatype":"FP32","shape":[2,1],"data":[1,-1]}],)";
  EXPECT_NE(infer(tensor + R"("outputs":[{"name":"outputs","parameters":{"classification":2}}]})")
                .body.find(R"("datatype":"BYTES","shape":[2,2],"data":["3:1","2:2","-1:0","-2:2"])"),
            std::string::npos);
  EXPECT_NE(infer(tensor + R"("outputs":[{"name":"outputs","parameters":{"classification":9}}]})")
                .body.find(R"("shape":[2,3])"),
            std::string::npos);
  const auto binary = infer(
      tensor + R"("outputs":[{"name":"outputs","parameters":{"classification":1,"binary_data":true}}]})");
  EXPECT_EQ(binary.body.substr(binary.body.size() - 15), std::string("\3\0\0\0003:1\4\0\0\0-1:0", 15));
}

TEST_F(InferenceV2Test, RefusesWithOneSentence) {
  const std::string good = R"([{"name":"inputs","datatype":"FP32","shape":[1,2],"data":[1,2]}])";
  struct Case {
    std::string body;
    std::string says;
  };
  const Case cases[] = {
      {"", "body is empty"},
      {"[]", "must be an object"},
      {"{}", "at least one tensor"},
      {R"({"inputs":[]})", "at least one tensor"},
      {R"({"inputs":7})", "must be an array"},
      {R"({"inputs":[{}]})", "shape"},
      {input("FP32", "[1,2]", "[1,-2]"), "whole number"},
      {input("FP32", "[1,2]", "[1,2.5]"), "whole number"},
      {input("FP32", "[1,2]", "[4294967296,4294967296,4294967296]"), "more elements than can be counted"},
      {input("FP32", "[1,2]", "[9007199254740992,2]"), "shape says"},
      {input("FP32", "[1,2,3]", "[1,2]"), "has 3 elements, but its shape says 2"},
      {input("FP32", "[1,2,3]", "[1,3]"), "expected [-1,2], got [1,3]"},
      {input("FP32", "[1,2]", "[2]"), "expected [-1,2]"},
      {input("FLOAT", "[1,2]", "[1,2]"), "unknown"},
      {input("BYTES", R"(["a","b"])", "[1,2]"), "BYTES"},
      {input("INT8", "[1,128]", "[1,2]"), "no INT8"},
      {input("UINT8", "[1,-1]", "[1,2]"), "no UINT8"},
      {input("INT32", "[1,1.5]", "[1,2]"), "no INT32"},
      {input("FP32", "[1,1e39]", "[1,2]"), "no FP32"},
      {input("FP64", "[1,1e39]", "[1,2]"), "not finite"},
      {input("FP32", R"([1,"a"])", "[1,2]"), "a string"},
      {R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]})",
       "unexpected inference input"},
      {R"({"inputs":)" + good + R"(,"outputs":[{"name":"x"}]})", "unexpected inference output"},
      {R"({"inputs":)" + good + R"(,"outputs":[{"name":"outputs"},{"name":"outputs"}]})", "twice"},
      {R"({"inputs":)" + good + R"(,"outputs":[{"name":"outputs","parameters":{"classification":0}}]})",
       "from 1"},
      {R"({"inputs":)" + good + R"(,"parameters":{"binary_data_output":1}})", "true or false"},
      {R"({"inputs":)" + good + R"(,"parameters":{"shared_memory_region":"a"}})", "no shared memory"},
      {R"({"inputs":)" + good + R"(,"id":7})", "must be a string"},
  };
  for (const Case& c : cases) {
    const auto response = infer(c.body);
    EXPECT_EQ(response.status, 400) << c.body;
    const std::string error = text_at(json_of(response), "error");
    EXPECT_NE(error.find(c.says), std::string::npos) << c.body << " → " << error;
  }
}

TEST_F(InferenceV2Test, RefusesBinaryThatDoesNotFit) {
  const std::string four = bytes_of<float>({1, 1, 1, 1});
  EXPECT_EQ(infer(binary_input("FP32", 16), four).status, 200);
  struct Case {
    std::string json, tensors, says;
  };
  const Case cases[] = {
      {binary_input("FP32", 12), four.substr(4), "got 12 bytes"},
      {binary_input("FP32", 16), four.substr(1), "only 15 bytes are left"},
      {binary_input("FP32", 16), four + "x", "leaves 1 bytes"},
      {binary_input("FP32", 16), bytes_of<float>({1, 1, std::numeric_limits<float>::quiet_NaN(), 1}),
       "not finite"},
      {binary_input("FP16", 8), bytes_of<std::uint16_t>({0x7c00, 0, 0, 0}), "not finite"},
  };
  for (const Case& c : cases) {
    const auto response = infer(c.json, c.tensors);
    EXPECT_EQ(response.status, 400) << c.says;
    EXPECT_NE(response.body.find(c.says), std::string::npos) << response.body;
  }
  for (const char* length : {"-1", "x", "999", ""})
    EXPECT_EQ(send("POST", "/v2/models/n/infer", "{}", {{"Inference-Header-Content-Length", length}}).status,
              400);
  for (const std::string& body : {std::string(), std::string("1234567")})
    EXPECT_EQ(send("POST", "/v2/models/n/infer", body, {{"Inference-Header-Content-Length", "0"}}).status,
              400);
}

TEST_F(InferenceV2Test, DescribesServerModelAndConfig) {
  for (const char* root : {"/v2", "/v2/"}) EXPECT_EQ(text_at(json_of(get(root)), "name"), "mlpd") << root;
  EXPECT_EQ(
      get("/v2/models/n").body,
      R"({"name":"n","versions":["live","1"],"platform":"mlpd_model","inputs":[{"name":"inputs",)"
      R"("datatype":"FP32","shape":[-1,2]}],"outputs":[{"name":"outputs","datatype":"FP32","shape":[-1,1]}]})"
      "\n");
  EXPECT_EQ(get("/v2/models/n/versions/live").body, get("/v2/models/n").body);
  EXPECT_EQ(text_at(json_of(get("/v2/models/n/config")), "input/0/data_type"), "TYPE_FP32");
  for (const char* path : {"/v2/models/x", "/v2/models/x/ready", "/v2/models/x/config", "/v2/models/x/stats",
                           "/v2/models/n/versions/9", "/v2/models/n/versions/9/ready"}) {
    const auto response = get(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_NE(text_at(json_of(response), "error").find("no"), std::string::npos) << response.body;
  }
}

TEST_F(InferenceV2Test, LoadsAndUnloads) {
  EXPECT_EQ(post("/v2/repository/models/n/unload", R"({"parameters":{"unload_dependents":false}})").status,
            200);
  EXPECT_EQ(get("/v2/models/n/ready").body, "{\"name\":\"n\",\"ready\":false}\n");
  EXPECT_EQ(get("/v2/models/n/ready").status, 503);
  EXPECT_EQ(infer(input("FP32", "[1,1,1,1]")).status, 503);
  EXPECT_EQ(post("/v2/repository/index", "").body,
            "[{\"name\":\"n\",\"version\":\"live\",\"state\":\"UNAVAILABLE\",\"reason\":\"unloaded\"},"
            "{\"name\":\"n\",\"version\":\"1\",\"state\":\"UNAVAILABLE\",\"reason\":\"unloaded\"}]\n");
  EXPECT_EQ(post("/v2/repository/index", R"({"ready":true})").body, "[]\n");
  EXPECT_EQ(post("/v2/repository/models/n/load", "").status, 200);
  EXPECT_EQ(get("/v2/models/n/ready").body, "{\"name\":\"n\",\"ready\":true}\n");
  EXPECT_EQ(post("/v2/repository/models/x/load", "").status, 404);
  EXPECT_EQ(post("/v2/repository/models/n/load", R"({"parameters":{"config":"{}"}})").status, 400);
  EXPECT_EQ(post("/v2/repository/models/n/load", R"({"parameters":null})").status, 400);
}

TEST_F(InferenceV2Test, CountsRequests) {
  infer(input("FP32", "[1,1,1,1]"));
  infer(input("FP32", "[1,1,1]"));
  ASSERT_EQ(service.inference.records.size(), 2u);
  EXPECT_TRUE(service.inference.records[0].succeeded);
  EXPECT_EQ(service.inference.records[0].rows, 2u);
  EXPECT_FALSE(service.inference.records[1].succeeded);
  service.inference.answer = {{"live", 5, 2, 1, {1, 3}, {}, {1, 1}, {1, 1}, {1, 1}}};
  for (const char* path : {"/v2/models/n/stats", "/v2/models/n/versions/live/stats", "/v2/models/stats"})
    EXPECT_EQ(number_at(json_of(get(path)), "model_stats/0/inference_stats/success/ns"), 3) << path;
}

TEST_F(InferenceV2Test, ServesANetworkCalledStats) {
  make(R"("inputs":1,"layers":[{"units":1}])");
  ASSERT_EQ(post("/v1/networks", R"({"name":"stats","inputs":1,"layers":[{"units":1}]})").status, 201);
  EXPECT_EQ(get("/v2/models/stats/ready").status, 200);
}

}  // namespace
}  // namespace mlpd::api
