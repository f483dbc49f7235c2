#include "server/prediction_scores.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mlpd::server {
namespace {

/// Versions of one network that are scored; past it the one first used is forgotten.
constexpr std::size_t kVersionsMax = 1'000;

void add(api::Score& sum, const api::Score& more) {
  sum.classifies = more.classifies;
  sum.rows += more.rows;
  sum.equal += more.equal;
  sum.distance += more.distance;
}

}  // namespace

api::Score compare(const api::TargetForm& form, std::span<const double> a, std::span<const double> b,
                   const std::vector<bool>& chosen) {
  const std::size_t numbers = form.row_numbers(), rows = a.size() / numbers;
  api::Score score;
  score.classifies = form.classifies;
  for (std::size_t r = 0; r < rows; ++r) {
    if (!chosen.empty() && !chosen[r]) continue;
    ++score.rows;
    if (form.classifies) {
      score.equal += a[r] == b[r] ? 1 : 0;
      continue;
    }
    double sum = 0;
    for (std::size_t i = r * numbers; i < (r + 1) * numbers; ++i) sum += std::abs(a[i] - b[i]);
    score.distance += sum / static_cast<double>(numbers);
  }
  return score;
}

void PredictionScores::watch(const Shadow& shadow) {
  std::lock_guard lock(mutex_);
  if (shadow_ == shadow) return;
  shadow_ = shadow;
  view_ = {};
}

api::ShadowComparison& PredictionScores::against(api::VersionNumber answered) {
  auto& all = view_.against;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& with) { return with.answered == answered; });
  if (found != all.end()) return *found;
  if (all.size() == kVersionsMax) all.erase(all.begin());
  return all.emplace_back(api::ShadowComparison{answered, {}, {}, {}});
}

void PredictionScores::add_to_version(api::VersionNumber version, const api::Score& score) {
  auto found = std::find_if(versions_.begin(), versions_.end(),
                            [&](const auto& scored) { return scored.version == version; });
  if (found == versions_.end()) {
    if (versions_.size() == kVersionsMax) versions_.erase(versions_.begin());
    versions_.push_back({version, {}});
    found = std::prev(versions_.end());
  }
  add(found->score, score);
}

void PredictionScores::add_agreement(const Shadow& shadow, api::VersionNumber answered,
                                     const api::Score& agreement) {
  std::lock_guard lock(mutex_);
  if (shadow_ != shadow) return;
  add(against(answered).agreement, agreement);
  add(totals_.agreement, agreement);
}

void PredictionScores::add_judged(const Shadow& shadow, api::VersionNumber answered, const api::Score& truth,
                                  const api::Score& shadow_truth) {
  std::lock_guard lock(mutex_);
  if (shadow_ != shadow) return;
  api::ShadowComparison& with = against(answered);
  add(with.truth, truth);
  add(with.shadow, shadow_truth);
  add(totals_.shadow, shadow_truth);
  add_to_version(shadow.version, shadow_truth);
}

void PredictionScores::add_dropped(const Shadow& shadow, std::uint64_t rows) {
  std::lock_guard lock(mutex_);
  if (shadow_ != shadow) return;
  view_.dropped += rows;
  totals_.dropped += rows;
}

void PredictionScores::add_failed(const Shadow& shadow, std::uint64_t rows) {
  std::lock_guard lock(mutex_);
  if (shadow_ != shadow) return;
  view_.failed += rows;
  totals_.failed += rows;
}

void PredictionScores::add_truth(api::VersionNumber answered, const api::Score& truth) {
  std::lock_guard lock(mutex_);
  add_to_version(answered, truth);
  add(totals_.truth, truth);
}

api::ShadowView PredictionScores::view(const Shadow& shadow) const {
  std::lock_guard lock(mutex_);
  api::ShadowView view;
  if (shadow_ == shadow) view = view_;
  view.version = shadow.version;
  view.since = shadow.since;
  return view;
}

std::vector<api::VersionScore> PredictionScores::versions() const {
  std::lock_guard lock(mutex_);
  return versions_;
}

api::FeedbackTotals::Network PredictionScores::totals() const {
  std::lock_guard lock(mutex_);
  return totals_;
}

std::shared_ptr<const api::TargetForm> PredictionScores::share(api::TargetForm form) {
  std::lock_guard lock(mutex_);
  if (!form_ || *form_ != form) form_ = std::make_shared<const api::TargetForm>(std::move(form));
  return form_;
}

}  // namespace mlpd::server
