#include "api/model_handlers.h"

#include <algorithm>

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class ModelHandlersTest : public ApiTest {
 protected:
  void SetUp() override {
    post("/v1/networks", R"({"name":"n","inputs":2,"layers":[{"units":3},{"units":2}]})");
    post("/v1/networks/n/train", R"({"data":{"generator":"xor","rows":20},"steps":5,"batch_size":8})");
  }
};

TEST_F(ModelHandlersTest, ExportImportContinueIsTheSame) {
  const auto model = get("/v1/networks/n/model");
  ASSERT_EQ(model.status, 200);
  const auto imported = send("PUT", "/v1/networks/copy/model", model.body);
  ASSERT_EQ(imported.status, 201) << imported.body;
  EXPECT_EQ(imported.header("Location"), "/v1/networks/copy");
  EXPECT_EQ(imported.header("ETag"), get("/v1/networks/copy").header("ETag"));
  for (auto name : {"n", "copy"})
    post("/v1/networks/" + std::string(name) + "/train",
         R"({"data":{"generator":"xor","rows":20},"steps":7,"batch_size":8})");
  EXPECT_EQ(service.networks.at("n").view.state_sha256, service.networks.at("copy").view.state_sha256);
}

TEST_F(ModelHandlersTest, ReplacesUnderIfMatchAndTakesPrettyText) {
  const auto pretty = get("/v1/networks/n/model?pretty&history=true");
  EXPECT_NE(pretty.body.find("\"history\""), std::string::npos);
  EXPECT_EQ(send("PUT", "/v1/networks/n/model", pretty.body, {{"If-Match", "\"stale\""}}).status, 412);
  EXPECT_EQ(send("PUT", "/v1/networks/n/model", pretty.body, {{"If-Match", "*"}}).status, 200);
  EXPECT_EQ(send("PUT", "/v1/networks/n/model", pretty.body, {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(send("PUT", "/v1/networks/fresh/model", pretty.body, {{"If-None-Match", "*"}}).status, 201);
  EXPECT_EQ(send("PUT", "/v1/networks/fresh/model", pretty.body, {{"If-None-Match", "\"e1\""}}).status, 422);
}

TEST_F(ModelHandlersTest, RefusesDamageAndBadNames) {
  std::string model = get("/v1/networks/n/model").body;
  EXPECT_EQ(send("PUT", "/v1/networks/Bad/model", model).status, 422);
  EXPECT_EQ(send("PUT", "/v1/networks/x/model", "{").status, 400);
  EXPECT_EQ(send("PUT", "/v1/networks/x/model", "{}").status, 422);
  const auto digit = model.find("\"parameters\":[") + 16;
  model[digit] = model[digit] == '1' ? '2' : '1';
  EXPECT_EQ(send("PUT", "/v1/networks/x/model", model).status, 422);
  EXPECT_EQ(service.networks.count("x"), 0u);
  EXPECT_EQ(get("/v1/networks/none/model").status, 404);
  EXPECT_EQ(get("/v1/networks/n/model?step=99").status, 404);
}

class Pieces final : public BodyReader {
 public:
  Pieces(std::string text, std::size_t limit) : text_(std::move(text)), limit_(limit) {}
  core::Result<std::size_t> read(char* buffer, std::size_t size) override {
    if (at_ >= limit_) return core::Error{core::ErrorCode::resource_exhausted, "too large", {}};
    const std::size_t count = text_.copy(buffer, std::min<std::size_t>(size, 100), at_);
    at_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t limit_;
  std::size_t at_ = 0;
};

TEST_F(ModelHandlersTest, ReadsTheBodyPieceByPiece) {
  const std::string model = get("/v1/networks/n/model").body;
  for (const bool fits : {true, false}) {
    Pieces pieces(model, fits ? model.size() + 1 : 500);
    Request request;
    request.method = "PUT";
    request.path = "/v1/networks/streamed/model";
    request.body_stream = &pieces;
    EXPECT_EQ(handler->handle(request).status, fits ? 201 : 413);
  }
}

}  // namespace
}  // namespace mlpd::api
