#include "server/prediction_scores.h"

#include <gtest/gtest.h>

namespace mlpd::server {
namespace {

const api::TargetForm kClasses{true, 3, {}};
const api::TargetForm kNumbers{false, 2, {}};

Shadow shadow(std::uint64_t version, int since = 0) {
  return {version, api::Timestamp(std::chrono::milliseconds(since))};
}

TEST(PredictionScoresTest, ComparesClassesAndNumbers) {
  const std::vector<double> classes{0, 1, 2, 2}, others{0, 2, 2, 1};
  const api::Score all = compare(kClasses, classes, others);
  EXPECT_EQ(all.rows, 4u);
  EXPECT_EQ(all.equal, 2u);
  const api::Score two = compare(kClasses, classes, others, {true, true, false, false});
  EXPECT_EQ(two.rows, 2u);
  EXPECT_EQ(two.equal, 1u);
  const std::vector<double> numbers{1, 2, 3, 4}, near{1, 1, 3, 6};
  const api::Score distance = compare(kNumbers, numbers, near);
  EXPECT_EQ(distance.rows, 2u);
  EXPECT_EQ(distance.distance, 0.5 + 1.0);
}

TEST(PredictionScoresTest, AnotherShadowBeginsAnew) {
  PredictionScores scores;
  const api::Score agreement{true, 4, 3, 0};
  scores.add_agreement(shadow(1), 2, agreement);  // not watched
  EXPECT_TRUE(scores.view(shadow(1)).against.empty());
  scores.watch(shadow(1));
  scores.add_agreement(shadow(1), 2, agreement);
  scores.add_agreement(shadow(1), {}, agreement);
  scores.watch(shadow(1));  // the same one goes on
  scores.add_agreement(shadow(1), 2, agreement);
  scores.add_dropped(shadow(1), 5);
  scores.add_failed(shadow(1), 6);
  const api::ShadowView view = scores.view(shadow(1));
  ASSERT_EQ(view.against.size(), 2u);
  EXPECT_EQ(view.against[0].agreement.rows, 8u);
  EXPECT_EQ(view.against[1].answered, std::nullopt);
  EXPECT_EQ(view.dropped, 5u);
  EXPECT_EQ(view.failed, 6u);
  EXPECT_TRUE(scores.view(shadow(1, 7)).against.empty());  // the same version, set anew
  scores.watch(shadow(3));
  scores.add_agreement(shadow(1), 2, agreement);  // late
  EXPECT_TRUE(scores.view(shadow(3)).against.empty());
  EXPECT_EQ(scores.totals().agreement.rows, 12u);
  EXPECT_EQ(scores.totals().dropped, 5u);
}

TEST(PredictionScoresTest, FeedbackCountsForWhoAnsweredAndForTheShadow) {
  PredictionScores scores;
  scores.watch(shadow(1));
  scores.add_truth({}, {true, 2, 1, 0});
  scores.add_judged(shadow(1), {}, {true, 2, 1, 0}, {true, 2, 2, 0});
  const auto versions = scores.versions();
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(versions[0].version, std::nullopt);
  EXPECT_EQ(versions[0].score.equal, 1u);
  EXPECT_EQ(versions[1].version, 1u);
  EXPECT_EQ(versions[1].score.equal, 2u);
  EXPECT_EQ(scores.view(shadow(1)).against.at(0).shadow.equal, 2u);
  EXPECT_EQ(scores.totals().truth.rows, 2u);
  EXPECT_EQ(scores.totals().shadow.rows, 2u);
}

TEST(PredictionScoresTest, ForgetsTheVersionUsedFirstPastAThousand) {
  PredictionScores scores;
  scores.watch(shadow(9'999));
  for (std::uint64_t version = 1; version <= 1'001; ++version) {
    scores.add_truth(version, {true, 1, 1, 0});
    scores.add_agreement(shadow(9'999), version, {true, 1, 1, 0});
  }
  EXPECT_EQ(scores.versions().size(), 1'000u);
  EXPECT_EQ(scores.versions().front().version, 2u);
  EXPECT_EQ(scores.view(shadow(9'999)).against.size(), 1'000u);
}

TEST(PredictionScoresTest, SharesEqualForms) {
  PredictionScores scores;
  const auto first = scores.share(kClasses);
  EXPECT_EQ(scores.share(kClasses), first);
  EXPECT_NE(scores.share(kNumbers), first);
}

}  // namespace
}  // namespace mlpd::server
