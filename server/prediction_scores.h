#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "api/feedback_service.h"

namespace mlpd::server {

/// What computes beside the version that answers, and since when.
struct Shadow {
  api::VersionNumber version;
  api::Timestamp since{};
  bool operator==(const Shadow&) const = default;
};

/// Compares rows of TargetForm::row_numbers() numbers, those whose `chosen` is set (empty: all).
api::Score compare(const api::TargetForm& form, std::span<const double> a, std::span<const double> b,
                   const std::vector<bool>& chosen = {});

/// How the versions of one network fared; gone with it. Thread-safe.
class PredictionScores {
 public:
  /// Comparisons begin anew where it is another shadow than before.
  void watch(const Shadow& shadow);
  /// These count nothing for a shadow that is no longer watched.
  void add_agreement(const Shadow& shadow, api::VersionNumber answered, const api::Score& agreement);
  void add_judged(const Shadow& shadow, api::VersionNumber answered, const api::Score& truth,
                  const api::Score& shadow_truth);
  void add_dropped(const Shadow& shadow, std::uint64_t rows);
  void add_failed(const Shadow& shadow, std::uint64_t rows);

  /// Feedback on a version that answered.
  void add_truth(api::VersionNumber answered, const api::Score& truth);

  /// Comparisons and counts; those of another shadow are none of its.
  api::ShadowView view(const Shadow& shadow) const;
  std::vector<api::VersionScore> versions() const;
  /// Of all versions and shadows; the name is left to the caller.
  api::FeedbackTotals::Network totals() const;

  /// Whether metrics show them; set by the one that chooses.
  std::atomic<bool> shown{false};

  /// The same form again is the same object.
  std::shared_ptr<const api::TargetForm> share(api::TargetForm form);

 private:
  api::ShadowComparison& against(api::VersionNumber answered);
  void add_to_version(api::VersionNumber version, const api::Score& score);

  mutable std::mutex mutex_;
  Shadow shadow_;  ///< the one that `view_` is of
  api::ShadowView view_;
  std::vector<api::VersionScore> versions_;  ///< in order of first feedback
  api::FeedbackTotals::Network totals_;
  std::shared_ptr<const api::TargetForm> form_;
};

}  // namespace mlpd::server
