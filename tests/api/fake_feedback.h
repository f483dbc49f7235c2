#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/feedback_service.h"
#include "api/prediction.h"

namespace mlpd::api {

/// Keeps what is asked for under p-1, p-2, …; there is one version, 1. Nothing computes the shadow.
class FakeFeedback final : public FeedbackService {
 public:
  explicit FakeFeedback(std::function<bool(const std::string&)> exists) : exists_(std::move(exists)) {}

  core::Result<std::pair<ShadowView, bool>> set_shadow(const std::string& network,
                                                       VersionNumber version) override {
    if (!exists_(network) || (version && *version != 1)) return missing();
    const bool created = !view;
    view.emplace().version = version;
    return std::pair(*view, created);
  }
  core::Result<ShadowView> shadow(const std::string& network) override {
    if (!exists_(network) || !view) return missing();
    return *view;
  }
  core::Result<void> end_shadow(const std::string& network) override {
    if (!exists_(network) || !view) return missing();
    view.reset();
    return {};
  }
  core::Result<std::string> keep(const AnsweredPrediction& prediction, bool asked) override {
    pinned = prediction.pinned;
    if (!asked) return std::string();
    const core::NetworkSpec& spec = prediction.snapshot->spec();
    KeptPrediction made{prediction.version, 0, {core::is_classifier(spec), core::output_count(spec), {}}};
    made.form.labels = labels_of(spec, prediction.snapshot->preprocess().get());
    made.rows =
        std::visit([](const auto& rows) { return rows.size(); }, prediction.outputs) / made.form.outputs;
    if (made.rows > rows_max) return core::Error{core::ErrorCode::invalid_argument, "too many rows", {}};
    const std::string id = "p-" + std::to_string(predictions.size() + 1);
    predictions[id] = made;
    return id;
  }
  core::Result<KeptPrediction> kept(const std::string& network, const std::string& id) override {
    const auto found = predictions.find(id);
    if (!exists_(network) || found == predictions.end()) return missing();
    return found->second;
  }
  core::Result<std::size_t> judge(const std::string&, const std::string&, const Truth& given) override {
    truth = given;
    return static_cast<std::size_t>(std::count(given.known.begin(), given.known.end(), true));
  }
  core::Result<std::vector<VersionScore>> scores(const std::string&) override { return judged; }
  FeedbackTotals totals() override { return {}; }

  std::size_t rows_max = 100;
  std::optional<ShadowView> view;
  std::map<std::string, KeptPrediction> predictions;
  bool pinned = false;
  Truth truth;
  std::vector<VersionScore> judged;

 private:
  static core::Error missing() { return {core::ErrorCode::not_found, "there is no such thing", {}}; }
  std::function<bool(const std::string&)> exists_;
};

}  // namespace mlpd::api
