#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "api/feedback_service.h"
#include "server/engine_parts.h"
#include "server/network_entry.h"
#include "server/prediction_scores.h"
#include "server/versions.h"

namespace mlpd::server {

/// Networks whose scores metrics show; those that come later are not shown until one is removed.
inline constexpr std::size_t kScoredNetworksMax = 100;

/// Keeps recent predictions for feedback, and computes shadows in one thread at idle priority. Requests never
/// wait for it: rows that find limits.shadow_numbers_max waiting are dropped and counted; the oldest kept
/// predictions go where those of all networks have more than limits.feedback_numbers_max numbers.
class Feedback final : public api::FeedbackService {
 public:
  Feedback(EngineParts& parts, NetworkKeeper& keeper, Versions& versions);
  ~Feedback() override;  ///< stop()
  void start();
  /// What still waits is not computed.
  void stop();

  core::Result<std::pair<api::ShadowView, bool>> set_shadow(const std::string& network,
                                                            api::VersionNumber version) override;
  core::Result<api::ShadowView> shadow(const std::string& network) override;
  core::Result<void> end_shadow(const std::string& network) override;
  core::Result<std::string> keep(const api::AnsweredPrediction& prediction, bool asked) override;
  core::Result<api::KeptPrediction> kept(const std::string& network, const std::string& id) override;
  core::Result<std::size_t> judge(const std::string& network, const std::string& id,
                                  const api::Truth& truth) override;
  core::Result<std::vector<api::VersionScore>> scores(const std::string& network) override;
  api::FeedbackTotals totals() override;

 private:
  using EntryPointer = std::shared_ptr<NetworkEntry>;
  /// Its first four members never change.
  struct Kept {
    std::weak_ptr<NetworkEntry> entry;
    api::VersionNumber version;
    std::shared_ptr<const api::TargetForm> form;
    std::vector<double> answers;         ///< rows × form->row_numbers()
    std::optional<Shadow> shadow;        ///< once it has computed
    std::vector<double> shadow_answers;  ///< the shadow's
    api::Truth truth{};                  ///< empty until there is feedback
    std::size_t rows() const { return answers.size() / form->row_numbers(); }
  };
  using KeptPointer = std::shared_ptr<Kept>;
  struct Waiting {
    KeptPointer kept;
    Shadow shadow;
    std::shared_ptr<const core::Snapshot> answered;
    std::variant<std::vector<float>, std::vector<double>> inputs;
    std::size_t numbers = 0;  ///< inputs and answers
  };

  core::Result<KeptPointer> find(const std::string& network, const std::string& id);
  std::string put_into_ring(const KeptPointer& kept);
  void hand_over(const EntryPointer& entry, Waiting waiting);
  void run();
  void compute(const Waiting& waiting);
  core::Result<std::shared_ptr<const core::Snapshot>> snapshot_of(NetworkEntry& entry, const Shadow& shadow);
  core::Result<std::vector<double>> answers_of_shadow(NetworkEntry& entry, const Waiting& waiting);
  void show(const EntryPointer& entry);

  EngineParts& parts_;
  NetworkKeeper& keeper_;
  Versions& versions_;
  const std::string session_;  ///< begins every id, so that those of earlier processes are unknown

  std::mutex mutex_;  ///< short; taken before a PredictionScores' own
  std::condition_variable arrived_;
  std::deque<KeptPointer> ring_;  ///< oldest first; the first one has the number first_
  std::uint64_t first_ = 1;
  std::size_t kept_numbers_ = 0;
  std::deque<Waiting> waiting_;
  std::size_t waiting_numbers_ = 0;  ///< of waiting_, and of the one being computed
  std::vector<std::weak_ptr<NetworkEntry>> shown_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mlpd::server
