#include "core/diagnosis.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mlpd::core {
namespace {

LayerHealth layer(std::size_t index, double gradient) {
  LayerHealth health;
  health.index = index;
  health.path = std::to_string(index);
  health.gradient_norm = health.signal = gradient;
  return health;
}

/// A network that learns: a constant answer would have a loss of 0.25.
Examination learning() {
  Examination examination;
  examination.step = 400;
  examination.loss = examination.data_loss = 0.05;
  examination.constant_loss = 0.25;
  examination.gradient_norm = 0.02;
  examination.layers = {layer(0, 0.01), layer(1, 0.02)};
  return examination;
}

Examination unlearnt() {
  Examination examination = learning();
  examination.loss = examination.data_loss = 0.25;
  return examination;
}

/// Records of every step, from `loss` of the step's number.
template <class Loss>
LossCurve curve(std::size_t records, Loss loss) {
  LossCurve made;
  for (std::size_t i = 0; i < records; ++i) {
    made.step.push_back(static_cast<double>(i));
    made.loss.push_back(loss(static_cast<double>(i)));
  }
  made.validation_loss.assign(records, kAbsent);
  return made;
}
LossCurve falling() {
  return curve(401, [](double i) { return 0.3 / (1 + 0.0125 * i); });
}

TEST(DiagnosisTest, ALearningNetworkIsHealthy) {
  for (const LossCurve& history : {falling(), LossCurve{}}) {
    const Diagnosis diagnosis = diagnose(learning(), history, false);
    EXPECT_EQ(diagnosis.verdict, Verdict::healthy) << name_of(diagnosis.verdict);
    EXPECT_FALSE(diagnosis.layer);
    EXPECT_FALSE(diagnosis.since_step);
    for (const Evidence& evidence : diagnosis.evidence) EXPECT_TRUE(std::isfinite(evidence.value));
  }
}

TEST(DiagnosisTest, WarnsWhereALayerIsPastItsLimit) {
  Examination examination = learning();
  examination.stability_limit = 2;
  examination.layers[0].rate_times_curvature = 2.1;
  examination.layers[1].rate_times_curvature = 2.5;
  EXPECT_TRUE(is_unstable(examination));
  const Diagnosis diagnosis = diagnose(examination, falling(), false);
  EXPECT_EQ(diagnosis.verdict, Verdict::warning);
  EXPECT_EQ(diagnosis.layer, 1u);
  EXPECT_EQ(diagnosis.layers[0].verdict, Verdict::warning);
  EXPECT_EQ(diagnosis.evidence.at(0).name, "rate_times_curvature");
  EXPECT_EQ(diagnosis.evidence.at(0).value, 2.5);
  examination.layers[0].rate_times_curvature = examination.layers[1].rate_times_curvature = 2;
  EXPECT_FALSE(is_unstable(examination)) << "at the limit, not past it";
  examination.stability_limit = kAbsent;
  examination.layers[1].rate_times_curvature = kAbsent;
  EXPECT_FALSE(is_unstable(examination)) << "an adaptive rule has no limit";
}

TEST(DiagnosisTest, ABurstIsSeenWhereItBegan) {
  LossCurve history =
      curve(100, [](double i) { return i < 80 ? 0.3 - 0.003 * i : 0.06 * (i - 79) * (i - 79); });
  Examination examination = learning();
  examination.loss = 24;
  for (const bool diverged : {false, true}) {
    const Diagnosis diagnosis = diagnose(examination, history, diverged);
    EXPECT_EQ(diagnosis.verdict, diverged ? Verdict::diverged : Verdict::exploding);
    EXPECT_EQ(diagnosis.since_step, 83u);  // the first loss over 10 × 0.063 and 2 × 0.25
    EXPECT_EQ(diagnosis.layer, 1u) << "the largest gradient, where no curvature is known";
  }
  examination.loss = std::nan("");
  EXPECT_EQ(diagnose(examination, history, false).verdict, Verdict::diverged);
  examination.loss = 0.45;  // seven times the best, but less than twice a constant answer's
  EXPECT_NE(diagnose(examination, history, false).verdict, Verdict::exploding);
}

TEST(DiagnosisTest, ABurstIsInEveryLayerThatItHasReached) {
  const LossCurve history = curve(100, [](double i) { return i < 80 ? 0.3 - 0.003 * i : 0.06 * (i - 79); });
  struct Row {
    double update_ratio, curvature, gradient;
    Verdict verdict;
  };
  for (const Row& row : {Row{0.99, 1, 5e33, Verdict::healthy}, Row{1, 1, 5e33, Verdict::diverged},
                         Row{kAbsent, 2, 0.01, Verdict::healthy}, Row{kAbsent, 2.01, 0.01, Verdict::diverged},
                         Row{kAbsent, 1, std::nan(""), Verdict::diverged}}) {
    Examination examination = learning();
    examination.loss = 24;
    examination.stability_limit = 2;
    examination.layers[1].rate_times_curvature = 9;
    examination.layers[0].gradient_norm = row.gradient;
    examination.layers[0].update_ratio = row.update_ratio;
    examination.layers[0].rate_times_curvature = row.curvature;
    const Diagnosis diagnosis = diagnose(examination, history, true);
    EXPECT_EQ(diagnosis.layer, 1u);
    EXPECT_EQ(diagnosis.layers[1].verdict, Verdict::diverged);
    EXPECT_EQ(diagnosis.layers[0].verdict, row.verdict) << row.update_ratio << " " << row.curvature;
  }
}

TEST(DiagnosisTest, AGradientThatHardlyArrivesHasVanished) {
  Examination examination = unlearnt();
  examination.layers = {layer(0, 1e-7), layer(1, 1e-5), layer(2, 0.02)};
  const Diagnosis diagnosis = diagnose(examination, {}, false);
  EXPECT_EQ(diagnosis.verdict, Verdict::vanishing);
  EXPECT_EQ(diagnosis.layer, 0u);
  EXPECT_EQ(diagnosis.layers[1].verdict, Verdict::vanishing);
  EXPECT_EQ(diagnosis.layers[2].verdict, Verdict::healthy);
  examination.data_loss = 0.05;
  EXPECT_EQ(diagnose(examination, {}, false).verdict, Verdict::healthy) << "it learnt all the same";
}

TEST(DiagnosisTest, SickUnitsMatterWhereTheNetworkDoesNotLearn) {
  struct Row {
    double saturated, dead;
    Verdict verdict;
  };
  for (const Row& row : {Row{0.5, kAbsent, Verdict::saturated}, Row{0.49, kAbsent, Verdict::healthy},
                         Row{kAbsent, 0.5, Verdict::dead}, Row{kAbsent, 0.49, Verdict::healthy}}) {
    Examination examination = unlearnt();
    examination.layers[0].saturated = row.saturated;
    examination.layers[0].dead = row.dead;
    const Diagnosis diagnosis = diagnose(examination, {}, false);
    EXPECT_EQ(diagnosis.verdict, row.verdict);
    EXPECT_EQ(diagnosis.layers[0].verdict, row.verdict);
    examination.data_loss = 0.05;
    EXPECT_EQ(diagnose(examination, {}, false).verdict, Verdict::healthy);
  }
}

TEST(DiagnosisTest, APlateauIsBadLongAndFlat) {
  Examination examination = unlearnt();
  const auto flat_from_100 = [](double i) { return i < 100 ? 0.5 - 0.003 * i : 0.2; };
  const Diagnosis diagnosis = diagnose(examination, curve(400, flat_from_100), false);
  EXPECT_EQ(diagnosis.verdict, Verdict::plateaued);
  EXPECT_EQ(diagnosis.since_step, 100u);
  EXPECT_EQ(diagnose(examination, curve(199, [](double) { return 0.2; }), false).verdict, Verdict::healthy)
      << "too short to tell";
  examination.data_loss = 0.1;
  EXPECT_EQ(diagnose(examination, curve(400, flat_from_100), false).verdict, Verdict::healthy)
      << "a good plateau is the end of a training";
}

TEST(DiagnosisTest, OverfittingIsARisingValidationLossUnderAFallingOne) {
  LossCurve history = falling();
  for (std::size_t i = 0; i < history.step.size(); ++i)
    history.validation_loss[i] = 0.2 + 1e-6 * std::pow(history.step[i] - 120, 2);
  Examination examination = learning();
  const Diagnosis diagnosis = diagnose(examination, history, false);
  EXPECT_EQ(diagnosis.verdict, Verdict::overfitting);
  EXPECT_EQ(diagnosis.since_step, 120u);
  for (double& loss : history.validation_loss) loss = 0.2;
  EXPECT_EQ(diagnose(examination, history, false).verdict, Verdict::healthy);
}

}  // namespace
}  // namespace mlpd::core
