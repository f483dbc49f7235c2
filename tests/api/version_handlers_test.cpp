#include "api/version_handlers.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

TEST_F(ApiTest, VersionsAndAliasesByTable) {
  ASSERT_EQ(post("/v1/networks", R"({"name":"n","inputs":2,"layers":[{"units":2}]})").status, 201);
  struct Case {
    const char* method;
    const char* path;
    const char* body;
    int status;
  };
  const Case cases[] = {
      {"GET", "versions", "", 200},
      {"POST", "versions", "", 201},
      {"POST", "versions", R"({"step":0})", 201},
      {"POST", "versions", R"({"stp":0})", 422},
      {"GET", "versions/1", "", 200},
      {"GET", "versions/2", "", 404},
      {"GET", "versions/one", "", 404},
      {"DELETE", "versions/1", "", 409},
      {"GET", "aliases/stable", "", 200},
      {"GET", "aliases/no", "", 404},
      {"PUT", "aliases/stable", R"({"version":1})", 200},
      {"PUT", "aliases/new", R"({"version":1})", 201},
      {"PUT", "aliases/new", R"({"version":2})", 404},
      {"PUT", "aliases/7", R"({"version":1})", 422},
      {"PUT", "aliases/new", "{}", 422},
      {"DELETE", "aliases/stable", "", 204},
      {"POST", "predict?version=1", R"({"inputs":[1,2]})", 200},
      {"POST", "predict?alias=stable", R"({"inputs":[1,2]})", 200},
      {"POST", "predict?version=2", R"({"inputs":[1,2]})", 404},
      {"POST", "predict?version=1&step=0", R"({"inputs":[1,2]})", 422},
  };
  for (const Case& c : cases)
    EXPECT_EQ(send(c.method, "/v1/networks/n/" + std::string(c.path), c.body).status, c.status)
        << c.method << " " << c.path << " " << c.body;
  EXPECT_EQ(text_at(json_of(get("/v1/networks/n/versions")), "versions/0/aliases/0"), "stable");
  EXPECT_EQ(send("POST", "/v1/networks/n/versions", "", {{"Idempotency-Key", "k"}}).status, 201);
  EXPECT_EQ(service.versions.last_key, "k");
  EXPECT_EQ(send("POST", "/v1/networks/n/versions", "", {{"Idempotency-Key", ""}}).status, 422);
}

}  // namespace
}  // namespace mlpd::api
