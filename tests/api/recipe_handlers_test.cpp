#include "api/recipe_handlers.h"

#include "api/recipes.h"
#include "tests/api/fake_service.h"
#include "tests/api/fake_time_travel.h"

namespace mlpd::api {
namespace {

class RecipeHandlersTest : public ApiTest {
 protected:
  void SetUp() override {
    Services services = service.services();
    services.time_travel = &time_travel_;
    handler = make_handler(services);
  }
  FakeTimeTravel time_travel_{service};
};

TEST_F(RecipeHandlersTest, ListsEveryRecipeWithASpecThatCanBeBuilt) {
  const Json list = json_of(get("/v1/recipes"));
  const Json shown = at(list, "recipes");
  ASSERT_NE(shown.as<JsonArray>(), nullptr);
  ASSERT_EQ(shown.as<JsonArray>()->size(), recipes().size());
  for (std::size_t i = 0; i < recipes().size(); ++i) {
    const Recipe& recipe = recipes()[i];
    EXPECT_EQ(text_at(list, "recipes/" + std::to_string(i) + "/name"), recipe.name);
    EXPECT_TRUE(core::validate(recipe.spec, {}).ok()) << recipe.name;
    if (recipe.forks) {
      EXPECT_TRUE(core::validate(recipe.changed).ok()) << recipe.name;
      EXPECT_NE(recipe.changed, recipe.spec.hyper_parameters) << recipe.name << " changes nothing";
    }
  }
}

TEST_F(RecipeHandlersTest, StartsTheNetworkAndItsJob) {
  const auto first = post("/v1/recipes/xor-3", R"({"steps":5,"seed":9,"pace":{"steps_per_second":50}})");
  ASSERT_EQ(first.status, 201) << first.body;
  EXPECT_EQ(first.header("Location"), "/v1/networks/xor-3");
  EXPECT_EQ(number_at(json_of(first), "network/seed"), 9);
  EXPECT_EQ(text_at(json_of(first), "job/network"), "xor-3");
  EXPECT_EQ(service.last_train.pace_steps_per_second, 50);
  EXPECT_EQ(service.last_train.plan.steps, 5u);
  const auto second = post("/v1/recipes/xor-3", R"({"steps":5})");
  ASSERT_EQ(second.status, 201) << "the name is taken, so another is made: " << second.body;
  EXPECT_NE(text_at(json_of(second), "network/name"), "xor-3");
  EXPECT_EQ(post("/v1/recipes/xor-3", R"({"name":"xor-3"})").status, 409) << "a given name isn't changed";
}

TEST_F(RecipeHandlersTest, NamesEveryFault) {
  const auto unknown = post("/v1/recipes/xor-4", "{}");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_NE(unknown.body.find("did you mean"), std::string::npos) << unknown.body;
  for (const char* body : {R"({"steps":0})", R"({"name":"No"})", R"({"pace":{"steps_per_second":0}})",
                           R"({"pace":{}})", R"({"parent":"a"})", R"({"colour":1})"})
    EXPECT_EQ(post("/v1/recipes/xor-3", body).status, 422) << body;
  EXPECT_EQ(post("/v1/recipes/lower-rate", R"({"parent":"nowhere"})").status, 404);
}

}  // namespace
}  // namespace mlpd::api
