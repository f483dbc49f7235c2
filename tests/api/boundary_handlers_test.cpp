#include "api/boundary_handlers.h"

#include "tests/api/fake_service.h"

namespace mlpd::api {
namespace {

class BoundaryHandlersTest : public ApiTest {
 protected:
  void SetUp() override {
    const auto made = post("/v1/networks", R"({"name":"n","inputs":["a","b","c"],"class_labels":["no","yes"],
        "layers":[{"units":4},{"units":2,"activation":"softmax"}]})");
    ASSERT_EQ(made.status, 201) << made.body;
  }
  void train() {
    const auto trained = post("/v1/networks/n/train", R"({"steps":5,"data":{
        "inputs":[[0,10,5],[4,20,5],[2,15,8]],"targets":["no","yes","no"]}})");
    ASSERT_EQ(trained.status, 200) << trained.body;
  }
};

TEST_F(BoundaryHandlersTest, AnswersAGridBeforeAndAfterTraining) {
  const Json untrained = json_of(get("/v1/networks/n/boundary?resolution=2"));
  EXPECT_EQ(number_at(untrained, "x/from"), -1);
  EXPECT_EQ(number_at(untrained, "step"), 0);
  train();
  const Json grid = json_of(get("/v1/networks/n/boundary?x=b&y=2&resolution=3&points=true&step=5"));
  EXPECT_EQ(text_at(grid, "kind"), "classes");
  EXPECT_EQ(text_at(grid, "x/name"), "b");
  EXPECT_EQ(number_at(grid, "x/from"), 9);
  EXPECT_EQ(number_at(grid, "y/index"), 2);
  EXPECT_EQ(number_at(grid, "step"), 5);
  const Json values = at(grid, "values");
  ASSERT_NE(values.as<JsonRows>(), nullptr);
  EXPECT_EQ(values.as<JsonRows>()->values.size(), 9u);
  const Json classes = at(grid, "classes");
  for (std::size_t i = 0; i < 9; ++i) {
    const double value = values.as<JsonRows>()->values[i];
    EXPECT_TRUE(value >= 0 && value <= 1) << value;
    if (value != 0.5) {
      EXPECT_EQ(classes.as<JsonRows>()->values[i], value > 0.5 ? 1 : 0);
    }
  }
  EXPECT_EQ(number_at(grid, "points/x/2"), 15);
  EXPECT_EQ(number_at(grid, "points/classes/1"), 1);
}

TEST_F(BoundaryHandlersTest, AnswersPictures) {
  train();
  const auto png = get("/v1/networks/n/boundary?format=png");
  EXPECT_EQ(png.status, 200);
  EXPECT_EQ(png.header("Content-Type"), "image/png");
  EXPECT_EQ(png.body.substr(1, 3), "PNG");
  EXPECT_EQ(png.body.substr(png.body.size() - 8, 4), "IEND") << "nothing follows the last chunk";
  const auto svg = send("GET", "/v1/networks/n/boundary", "", {{"Accept", "image/svg+xml"}});
  EXPECT_EQ(svg.header("Content-Type"), "image/svg+xml");
  EXPECT_NE(svg.body.find("n, step 5"), std::string::npos);
}

TEST_F(BoundaryHandlersTest, RefusesWhatItCannotShow) {
  for (const auto& [query, status] : std::vector<std::pair<std::string, int>>{{"x=d", 422},
                                                                              {"x=3", 422},
                                                                              {"x=1&y=b", 422},
                                                                              {"resolution=513", 422},
                                                                              {"resolution=1", 422},
                                                                              {"resolution=many", 422},
                                                                              {"output=2", 422},
                                                                              {"points=true", 422},
                                                                              {"step=9", 404},
                                                                              {"format=csv", 406}}) {
    const auto response = get("/v1/networks/n/boundary?" + query);
    EXPECT_EQ(response.status, status) << query << ": " << response.body;
  }
  EXPECT_EQ(get("/v1/networks/none/boundary").status, 404);
}

TEST_F(BoundaryHandlersTest, LaysAtMostTheLimitOfPointsOverIt) {
  ASSERT_EQ(post("/v1/networks", R"({"name":"m","inputs":2,"layers":[{"units":2}]})").status, 201);
  ASSERT_EQ(post("/v1/networks/m/train", R"({"steps":1,"data":{"generator":"xor","rows":)" +
                                             std::to_string(kBoundaryPointsMax + 1) + "}}")
                .status,
            200);
  const Json points = at(json_of(get("/v1/networks/m/boundary?points=true")), "points/x");
  ASSERT_NE(points.as<JsonNumbers>(), nullptr);
  EXPECT_EQ(points.as<JsonNumbers>()->size(), kBoundaryPointsMax);
}

}  // namespace
}  // namespace mlpd::api
