#include "api/recipe_handlers.h"

#include <algorithm>
#include <limits>
#include <vector>

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

TEST_F(RecipeHandlersTest, TheArticlesClassesAreIndices) {
  ASSERT_EQ(post("/v1/recipes/xor-3", R"({"steps":5})").status, 201);
  EXPECT_TRUE(std::get<std::shared_ptr<const core::Dataset>>(*service.last_train.data)->class_labels.empty());
}

TEST_F(RecipeHandlersTest, AMillionStepsOfXor3KeepABoundedHistoryWithTheExtremesOfEverySpan) {
  constexpr std::uint64_t kSteps = 1'000'000;
  core::SerialExecutor executor;
  const auto learner = core::Learner::create(recipes().front().spec, nullptr, executor);
  ASSERT_EQ(recipes().front().name, "xor-3");
  ASSERT_TRUE(learner.ok());
  core::TrainingPlan plan;
  plan.steps = kSteps;
  plan.batches.batch_size = 4;  // the loss differs from step to step
  auto run =
      core::TrainingRun::start(**learner, std::make_shared<const core::Dataset>(core::article_xor()), plan);
  ASSERT_TRUE(run.ok()) << run.error().message;
  core::History history;
  std::vector<double> losses;
  losses.reserve(kSteps);
  const auto stopped = run->run(kSteps, [&](const core::Record& record) {
    ASSERT_EQ(record.step, losses.size());
    losses.push_back(record.loss);
    history.append(record);
  });
  ASSERT_EQ(stopped, core::StopReason::completed);
  ASSERT_EQ(losses.size(), kSteps);
  EXPECT_LE(history.size(), Limits{}.history_records_max);
  EXPECT_LE(history.memory_bytes(), 16u << 20);
  const core::History::State kept = history.state();
  EXPECT_GT(kept.stride, 1u);
  std::size_t next = 1;  // the first record stands alone
  for (std::uint64_t begin = 1; begin + kept.stride <= kSteps; begin += kept.stride) {
    const auto from = losses.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto [low, high] = std::minmax_element(from, from + static_cast<std::ptrdiff_t>(kept.stride));
    double kept_low = std::numeric_limits<double>::infinity();
    double kept_high = -kept_low;
    for (; next < kept.records.size() && kept.records[next].step < begin + kept.stride; ++next) {
      ASSERT_EQ(kept.records[next].loss, losses[kept.records[next].step]);
      kept_low = std::min(kept_low, kept.records[next].loss);
      kept_high = std::max(kept_high, kept.records[next].loss);
    }
    ASSERT_EQ(kept_low, *low) << begin;
    ASSERT_EQ(kept_high, *high) << begin;
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

TEST_F(RecipeHandlersTest, StartsOverADataSetWhereTheBuildHasIt) {
  const auto missing = post("/v1/recipes/iris", "{}");
  EXPECT_EQ(missing.status, 404);
  EXPECT_NE(missing.body.find("sample-iris is not in this build"), std::string::npos) << missing.body;
  EXPECT_EQ(get("/v1/networks/iris").status, 404);
  const auto available = [&] {
    const Json list = json_of(get("/v1/recipes"));
    for (std::size_t i = 0; i < recipes().size(); ++i) {
      const std::string where = "recipes/" + std::to_string(i);
      if (text_at(list, where + "/name") == "iris") return *at(list, where + "/available").as<bool>();
    }
    ADD_FAILURE();
    return false;
  };
  EXPECT_FALSE(available());
  std::string flowers = "a,b,c,d,kind\n";
  for (int row = 0; row < 30; ++row)
    flowers += std::to_string(row % 3) + ",1," + std::to_string(row) + ",2," + "xyz"[row % 3] + "\n";
  auto upload =
      *service.datasets.begin({.name = "sample-iris", .source = "csv", .target = "kind", .types = {}});
  const auto parser = make_csv_parser({}, *upload);
  ASSERT_TRUE(parser->feed(flowers).ok() && parser->finish().ok() && upload->commit().ok());
  EXPECT_TRUE(available());
  const auto made = post("/v1/recipes/iris", R"({"steps":5,"seed":9})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(text_at(json_of(made), "network/class_labels/1"), "y");
  EXPECT_EQ(std::get<std::string>(*service.last_train.data), "sample-iris");
  EXPECT_EQ(service.last_train.plan.validation_fraction, kRecipeValidationFraction);
  EXPECT_TRUE(service.last_train.plan.keep_best);
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
