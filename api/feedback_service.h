#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/service.h"
#include "core/result.h"
#include "core/snapshot.h"

namespace mlpd::api {

/// Query parameter, and parameter of the Open Inference Protocol, that asks for the id of a prediction.
inline constexpr std::string_view kPredictionId = "prediction_id";
/// Where the id is in an answer of any form.
inline constexpr std::string_view kPredictionIdHeader = "Prediction-Id";

/// Whose parameters: a published version's, or, with none, the live ones.
using VersionNumber = std::optional<std::uint64_t>;

/// How the answers of a network are compared with others, or with the truth.
struct TargetForm {
  bool classifies = false;          ///< then a row is one number, the index of its class
  std::size_t outputs = 1;          ///< otherwise it is so many
  std::vector<std::string> labels;  ///< of the classes; empty where they have indices only
  bool operator==(const TargetForm&) const = default;

  std::size_t row_numbers() const { return classifies ? 1 : outputs; }
  std::size_t classes() const { return outputs == 1 ? 2 : outputs; }
};

/// Sums over compared rows.
struct Score {
  bool classifies = false;
  std::uint64_t rows = 0;
  std::uint64_t equal = 0;  ///< where it classifies: rows of the same class
  double distance = 0;      ///< else: each row's mean of |difference| over its outputs, summed up
};
struct VersionScore {
  VersionNumber version;
  Score score;
};

/// A shadow beside one version that answered.
struct ShadowComparison {
  VersionNumber answered;
  Score agreement;  ///< of all rows that both computed
  Score truth;      ///< of those of them with feedback: the version that answered
  Score shadow;     ///< and the shadow
};

struct ShadowView {
  VersionNumber version;
  Timestamp since{};
  std::uint64_t dropped = 0;  ///< rows that found too many waiting
  std::uint64_t failed = 0;   ///< rows that the shadow has no answer to, or one of another form
  std::vector<ShadowComparison> against;
};

/// A prediction as it was answered; borrowed for a call.
struct AnsweredPrediction {
  const std::string& network;
  VersionNumber version;
  bool pinned = false;  ///< the request named the version by its number: it is not what is served
  const std::shared_ptr<const core::Snapshot>& snapshot;
  std::variant<std::span<const float>, std::span<const double>> inputs;  ///< encoded rows
  std::variant<std::span<const float>, std::span<const double>> outputs;
};

/// A prediction that feedback can name.
struct KeptPrediction {
  VersionNumber version;
  std::size_t rows = 0;
  TargetForm form;
};

/// True answers: TargetForm::row_numbers() numbers for each row.
struct Truth {
  std::vector<double> numbers;
  std::vector<bool> known;  ///< one for each row
};

/// What all networks gained since the process started, for metrics.
struct FeedbackTotals {
  struct Network {
    std::string name;
    Score agreement;
    Score truth;   ///< of those that answered
    Score shadow;  ///< of shadows
    std::uint64_t dropped = 0;
    std::uint64_t failed = 0;
  };
  std::size_t kept_numbers = 0;
  std::size_t waiting_numbers = 0;
  std::vector<Network> networks;  ///< in order of first use
};

/// Shadows, which compute what a network is asked but never answer, and feedback, the true answers that come
/// later. A shadow outlives restarts; the counts and the predictions that feedback can name are in memory.
/// Thread-safe.
class FeedbackService {
 public:
  virtual ~FeedbackService() = default;

  /// Durable when it returns; the counts begin anew with another version. True in `second` where there was no
  /// shadow before. not_found where there is no such version.
  virtual core::Result<std::pair<ShadowView, bool>> set_shadow(const std::string& network,
                                                               VersionNumber version) = 0;
  /// not_found where there is none.
  virtual core::Result<ShadowView> shadow(const std::string& network) = 0;
  virtual core::Result<void> end_shadow(const std::string& network) = 0;

  /// Hands the rows to the shadow, where there is one, and gives the id by which feedback may name the
  /// prediction: where it is asked for, or where a shadow computes the same. Empty otherwise, at next to no
  /// cost. Fails where it is asked for and past the limit.
  virtual core::Result<std::string> keep(const AnsweredPrediction& prediction, bool asked) = 0;
  /// not_found where the id is unknown, or too old.
  virtual core::Result<KeptPrediction> kept(const std::string& network, const std::string& id) = 0;
  /// Rows that had no true answer before; the others stay as they are.
  virtual core::Result<std::size_t> judge(const std::string& network, const std::string& id,
                                          const Truth& truth) = 0;

  /// Of the versions, shadows among them, that got feedback.
  virtual core::Result<std::vector<VersionScore>> scores(const std::string& network) = 0;
  virtual FeedbackTotals totals() = 0;
};

}  // namespace mlpd::api
