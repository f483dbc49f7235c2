#include "server/feedback.h"

#include <gtest/gtest.h>

#include "tests/support/engine_fixture.h"

namespace mlpd::server {
namespace {

using core::ErrorCode;

class FeedbackTest : public EngineTest {
 protected:
  api::FeedbackService& feedback() { return *engine_->services().feedback; }
  api::VersionService& versions() { return *engine_->services().versions; }

  /// As a handler would: the live network answers these outputs for zero inputs.
  core::Result<std::string> keep(const std::string& network, const std::vector<float>& outputs, bool asked,
                                 api::VersionNumber version = {}, bool pinned = false) {
    const auto snapshot = networks().snapshot(network, std::nullopt);
    const std::vector<float> inputs(outputs.size());  // two of each
    return feedback().keep({network, version, pinned, *snapshot, std::span(inputs), std::span(outputs)},
                           asked);
  }
  std::string kept(const std::string& network, const std::vector<float>& outputs) {
    const auto id = keep(network, outputs, true);
    EXPECT_TRUE(id.ok());
    return *id;
  }
  std::size_t judge(const std::string& network, const std::string& id, std::vector<double> classes,
                    std::vector<bool> known = {true}) {
    const auto counted = feedback().judge(network, id, {std::move(classes), std::move(known)});
    EXPECT_TRUE(counted.ok());
    return counted.ok() ? *counted : 0;
  }
  void publish(const std::string& network) {
    ASSERT_TRUE(versions().publish(network, std::nullopt, {}).ok());
  }
};

TEST_F(FeedbackTest, CountsEachRowOnce) {
  open();
  create("a");
  EXPECT_EQ(*keep("a", {1, 0}, false), "");
  const std::string id = kept("a", {1, 0, 0, 1, 1, 0});
  EXPECT_EQ(feedback().kept("a", id)->rows, 3u);
  EXPECT_TRUE(feedback().scores("a")->empty());
  EXPECT_EQ(judge("a", id, {0, 0, 0}, {true, true, false}), 2u);
  EXPECT_EQ(judge("a", id, {1, 1, 0}, {true, true, true}), 1u);
  const auto scores = feedback().scores("a");
  ASSERT_EQ(scores->size(), 1u);
  EXPECT_EQ(scores->front().score.rows, 3u);
  EXPECT_EQ(scores->front().score.equal, 2u);
}

TEST_F(FeedbackTest, KnowsNoIdOfElsewhere) {
  open();
  create("a");
  create("b");
  const std::string id = kept("a", {1, 0});
  EXPECT_EQ(feedback().kept("b", id).error().code, ErrorCode::not_found);
  EXPECT_EQ(feedback().kept("c", id).error().code, ErrorCode::not_found);
  for (const std::string& other : {id + "0", id.substr(0, id.size() - 1), id + "x", std::string("1")})
    EXPECT_EQ(feedback().kept("a", other).error().code, ErrorCode::not_found) << other;
  ASSERT_TRUE(networks().remove("a", std::nullopt, false).ok());
  create("a");
  EXPECT_EQ(feedback().kept("a", id).error().code, ErrorCode::not_found);
  reopen();
  EXPECT_EQ(feedback().kept("a", id).error().code, ErrorCode::not_found);
}

TEST_F(FeedbackTest, ForgetsTheOldestPastTheLimit) {
  limits_.feedback_numbers_max = 3;
  open();
  create("a");
  const std::string first = kept("a", {1, 0}), second = kept("a", {1, 0}), third = kept("a", {1, 0});
  EXPECT_TRUE(feedback().kept("a", first).ok());
  const std::string fourth = kept("a", {1, 0, 0, 1});
  EXPECT_FALSE(feedback().kept("a", first).ok());
  EXPECT_FALSE(feedback().kept("a", second).ok());
  EXPECT_TRUE(feedback().kept("a", third).ok());
  EXPECT_TRUE(feedback().kept("a", fourth).ok());
  EXPECT_EQ(feedback().totals().kept_numbers, 3u);
  const std::vector<float> four{1, 0, 0, 1, 1, 0, 0, 1};
  EXPECT_EQ(keep("a", four, true).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(*keep("a", four, false), "");
  EXPECT_TRUE(feedback().kept("a", third).ok());
}

TEST_F(FeedbackTest, AShadowComputesWhatTheOthersAnswer) {
  open();
  create("a");
  train("a", train_request(50));
  EXPECT_EQ(feedback().set_shadow("a", 1).error().code, ErrorCode::not_found);
  EXPECT_EQ(feedback().set_shadow("b", {}).error().code, ErrorCode::not_found);
  publish("a");
  EXPECT_EQ(feedback().shadow("a").error().code, ErrorCode::not_found);
  EXPECT_TRUE(feedback().set_shadow("a", 1)->second);
  EXPECT_FALSE(feedback().set_shadow("a", 1)->second);
  EXPECT_EQ(versions().remove("a", 1).error().code, ErrorCode::conflict);
  EXPECT_EQ(*keep("a", {1, 0}, false, 1), "");                   // its own
  EXPECT_EQ(*keep("a", {1, 0}, false, std::nullopt, true), "");  // asked for by name

  const std::vector<float> answers{1, 0, 0, 1};  // to the same inputs: the shadow agrees with one of them
  const std::string id = *keep("a", answers, false);
  EXPECT_NE(id, "");
  const auto compared = [&](std::size_t rows) {
    return eventually([&] {
      const auto view = feedback().shadow("a");
      return !view->against.empty() && view->against[0].agreement.rows == rows;
    });
  };
  ASSERT_TRUE(compared(2));
  EXPECT_EQ(feedback().shadow("a")->against[0].agreement.equal, 1u);
  EXPECT_EQ(judge("a", id, {0, 1}, {true, true}), 2u);
  const api::ShadowComparison with = feedback().shadow("a")->against[0];
  EXPECT_EQ(with.truth.equal, 2u);
  EXPECT_EQ(with.shadow.rows, 2u);
  EXPECT_EQ(with.shadow.equal, 1u);
  EXPECT_EQ(feedback().scores("a")->size(), 2u);

  reopen();  // the shadow is still there, its counts are not
  EXPECT_EQ(feedback().shadow("a")->version, 1u);
  EXPECT_TRUE(feedback().shadow("a")->against.empty());
  ASSERT_TRUE(keep("a", answers, false).ok());
  ASSERT_TRUE(compared(2));
  ASSERT_TRUE(feedback().end_shadow("a").ok());
  EXPECT_EQ(feedback().end_shadow("a").error().code, ErrorCode::not_found);
  EXPECT_EQ(*keep("a", answers, false), "");
  EXPECT_TRUE(versions().remove("a", 1).ok());
}

TEST_F(FeedbackTest, WhoSeesAnAgreementJudgesTheShadowToo) {
  open();
  create("a");
  publish("a");
  ASSERT_TRUE(feedback().set_shadow("a", 1).ok());
  for (std::size_t rows = 1; rows <= 300; ++rows) {
    const std::string id = *keep("a", {1, 0}, false);
    ASSERT_TRUE(eventually([&] {
      const auto view = feedback().shadow("a");
      return !view->against.empty() && view->against[0].agreement.rows == rows;
    }));
    ASSERT_EQ(judge("a", id, {0}), 1u);
    ASSERT_EQ(feedback().shadow("a")->against[0].shadow.rows, rows);
  }
}

TEST_F(FeedbackTest, TheLiveNetworkCanBeTheShadow) {
  open();
  create("a");
  EXPECT_TRUE(feedback().set_shadow("a", {})->second);
  EXPECT_EQ(*keep("a", {1, 0}, false), "");  // live is what answered
  publish("a");
  EXPECT_NE(*keep("a", {1, 0}, false, 1), "");
  EXPECT_TRUE(eventually([&] { return !feedback().shadow("a")->against.empty(); }));
  EXPECT_EQ(feedback().shadow("a")->against[0].answered, 1u);
  EXPECT_EQ(feedback().totals().networks.at(0).agreement.rows, 1u);
}

TEST_F(FeedbackTest, RowsPastTheLimitAreDroppedAndCounted) {
  limits_.shadow_numbers_max = 5;  // a row has two inputs and one class
  open();
  create("a");
  publish("a");
  ASSERT_TRUE(feedback().set_shadow("a", 1).ok());
  EXPECT_NE(*keep("a", {1, 0, 0, 1}, false), "");  // two rows: too many for the shadow, but not for feedback
  EXPECT_EQ(feedback().shadow("a")->dropped, 2u);
  EXPECT_NE(*keep("a", {1, 0}, false), "");
  EXPECT_TRUE(eventually([&] { return !feedback().shadow("a")->against.empty(); }));
  EXPECT_EQ(feedback().shadow("a")->dropped, 2u);
}

TEST_F(FeedbackTest, AShadowOfAnotherFormFails) {
  open();
  create("a");
  publish("a");
  ASSERT_TRUE(feedback().set_shadow("a", 1).ok());
  api::CreateNetwork wide;
  wide.name = "wide";
  wide.spec = spec();
  wide.spec.layers[1].units = 3;
  ASSERT_TRUE(networks().create(wide).ok());
  auto model = *networks().export_model("wide", std::nullopt, false);
  ASSERT_TRUE(networks().import_model("a", std::nullopt, std::move(model)).ok());
  ASSERT_TRUE(keep("a", {1, 0, 0}, false).ok());
  EXPECT_TRUE(eventually([&] { return feedback().shadow("a")->failed == 1; }));
  EXPECT_TRUE(feedback().shadow("a")->against.empty());
}

}  // namespace
}  // namespace mlpd::server
