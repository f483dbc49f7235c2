#include "core/diagnosis.h"

#include <algorithm>
#include <cmath>

#include "core/named_table.h"

namespace mlpd::core {

namespace {

/// A burst: the loss is so many times its best, and so many times what a constant answer has.
constexpr double kBurst = 10;
constexpr double kBurstOverConstant = 2;
/// A step that is so large a share of its layer leaves nothing of what was learnt.
constexpr double kOvershoot = 1;
/// The signal that comes back to a layer is below this share of the last one's.
constexpr double kVanished = 1e-3;
/// A layer is saturated or dead where this share of its units is.
constexpr double kSickUnits = 0.5;
/// Not learnt: the data loss is at least this share of a constant answer's.
constexpr double kUnlearnt = 0.9;
/// A plateau is bad where the data loss is above this share of a constant answer's …
constexpr double kBadPlateau = 0.8;
/// … and the later half of so many records or more brought less than this share.
constexpr std::size_t kPlateauRecords = 200;
constexpr double kPlateauGain = 0.01;
/// The validation loss has risen by this share over its minimum, so many records ago or more.
constexpr double kOverfitRise = 0.1;
constexpr std::size_t kOverfitRecords = 20;

struct VerdictRow {
  Verdict value;
  std::string_view name;
};
constexpr VerdictRow kVerdicts[] = {
    {Verdict::healthy, "healthy"},         {Verdict::warning, "warning"},
    {Verdict::exploding, "exploding"},     {Verdict::vanishing, "vanishing"},
    {Verdict::saturated, "saturated"},     {Verdict::dead, "dead"},
    {Verdict::diverged, "diverged"},       {Verdict::plateaued, "plateaued"},
    {Verdict::overfitting, "overfitting"},
};

/// Position of the smallest finite number from `first` on; nullopt where there is none.
std::optional<std::size_t> smallest(const std::vector<double>& values, std::size_t first, std::size_t last) {
  std::optional<std::size_t> best;
  for (std::size_t i = first; i < last; ++i)
    if (std::isfinite(values[i]) && (!best || values[i] < values[*best])) best = i;
  return best;
}

std::uint64_t step_at(const LossCurve& curve, std::size_t i) {
  return static_cast<std::uint64_t>(curve.step[i]);
}

/// Reads one verdict after the other out of the numbers.
class Judge {
 public:
  Judge(const Examination& examination, const LossCurve& curve, bool diverged)
      : examination_(examination), curve_(curve), diverged_(diverged) {
    diagnosis_.layers = examination.layers;
    best_ = smallest(curve.loss, 0, curve.loss.size());
  }

  Diagnosis run() {
    collect_evidence();
    if (diverged_ || !std::isfinite(examination_.loss))
      found(Verdict::diverged, burst_start());
    else if (burst(examination_.loss))
      found(Verdict::exploding, burst_start());
    else if (!judge_gradients() && !judge_units() && !judge_stability())
      judge_curve();
    if (diagnosis_.verdict == Verdict::exploding || diagnosis_.verdict == Verdict::diverged) blame_burst();
    return std::move(diagnosis_);
  }

 private:
  void found(Verdict verdict, std::optional<std::uint64_t> since = std::nullopt) {
    diagnosis_.verdict = verdict;
    diagnosis_.since_step = since;
  }
  void blame(std::size_t layer, Verdict verdict) {
    if (!diagnosis_.layer) diagnosis_.layer = layer;
    diagnosis_.layers[layer].verdict = verdict;
  }
  void add(std::string name, double value) {
    if (std::isfinite(value)) diagnosis_.evidence.push_back({std::move(name), value});
  }

  void collect_evidence() {
    double stability = kAbsent;
    for (const LayerHealth& layer : examination_.layers)
      if (!(layer.rate_times_curvature <= stability)) stability = layer.rate_times_curvature;
    add("rate_times_curvature", stability);
    add("stability_limit", examination_.stability_limit);
    add("loss", examination_.loss);
    if (best_) {
      add("best_loss", curve_.loss[*best_]);
      add("best_step", curve_.step[*best_]);
    }
    add("constant_loss", examination_.constant_loss);
    add("gradient_norm", examination_.gradient_norm);
    add("learning_rate", examination_.learning_rate);
  }

  bool burst(double loss) const {
    return best_ && loss > kBurst * curve_.loss[*best_] &&
           loss > kBurstOverConstant * examination_.constant_loss;
  }

  /// The first record after the best one that is in the burst or has no finite loss.
  std::optional<std::uint64_t> burst_start() const {
    if (!best_) return std::nullopt;
    for (std::size_t i = *best_ + 1; i < curve_.loss.size(); ++i)
      if (!std::isfinite(curve_.loss[i]) || burst(curve_.loss[i])) return step_at(curve_, i);
    return std::nullopt;
  }

  /// The trouble sits where it is largest; it has reached every layer that overshoots.
  void blame_burst() {
    blame_largest();
    for (std::size_t i = 0; i < diagnosis_.layers.size(); ++i)
      if (overshoots(diagnosis_.layers[i], examination_.stability_limit)) blame(i, diagnosis_.verdict);
  }

  /// Where the curvature, or else the gradient, is largest.
  void blame_largest() {
    const std::vector<LayerHealth>& layers = diagnosis_.layers;
    const auto size = [](const LayerHealth& layer) {
      const bool curved = std::isfinite(layer.rate_times_curvature);
      return curved ? layer.rate_times_curvature : layer.gradient_norm;
    };
    std::optional<std::size_t> worst;
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (std::isfinite(size(layers[i])) && (!worst || size(layers[i]) > size(layers[*worst]))) worst = i;
    if (worst) blame(*worst, diagnosis_.verdict);
  }

  bool unlearnt() const { return examination_.data_loss >= kUnlearnt * examination_.constant_loss; }

  bool judge_gradients() {
    if (diagnosis_.layers.size() < 2 || !unlearnt()) return false;
    const double last = diagnosis_.layers.back().signal;
    if (!(last > 0)) return false;
    for (std::size_t i = 0; i + 1 < diagnosis_.layers.size(); ++i)
      if (diagnosis_.layers[i].signal < kVanished * last) blame(i, Verdict::vanishing);
    if (!diagnosis_.layer) return false;
    add("gradient_share", diagnosis_.layers[*diagnosis_.layer].signal / last);
    found(Verdict::vanishing);
    return true;
  }

  bool judge_units() {
    if (!unlearnt()) return false;
    for (const Verdict verdict : {Verdict::saturated, Verdict::dead}) {
      for (std::size_t i = 0; i < diagnosis_.layers.size(); ++i) {
        const LayerHealth& layer = diagnosis_.layers[i];
        const double share = verdict == Verdict::dead ? layer.dead : layer.saturated;
        if (share >= kSickUnits) blame(i, verdict);
      }
      if (!diagnosis_.layer) continue;
      const LayerHealth& layer = diagnosis_.layers[*diagnosis_.layer];
      add("share_of_units", verdict == Verdict::dead ? layer.dead : layer.saturated);
      found(verdict);
      return true;
    }
    return false;
  }

  bool judge_stability() {
    if (!is_unstable(examination_)) return false;
    found(Verdict::warning);
    blame_largest();
    for (std::size_t i = 0; i < diagnosis_.layers.size(); ++i)
      if (diagnosis_.layers[i].rate_times_curvature > examination_.stability_limit)
        blame(i, Verdict::warning);
    return true;
  }

  void judge_curve() {
    if (judge_validation() || !best_) return;
    const std::size_t count = curve_.loss.size();
    if (count < kPlateauRecords || !(examination_.data_loss > kBadPlateau * examination_.constant_loss))
      return;
    const auto early = smallest(curve_.loss, 0, count / 2);
    if (!early || curve_.loss[*best_] < (1 - kPlateauGain) * curve_.loss[*early]) return;
    std::size_t first = 0;
    while (!(curve_.loss[first] * (1 - kPlateauGain) <= curve_.loss[*best_])) ++first;
    found(Verdict::plateaued, step_at(curve_, first));
  }

  bool judge_validation() {
    const std::vector<double>& validation = curve_.validation_loss;
    const auto least = smallest(validation, 0, validation.size());
    if (!least || validation.size() - *least <= kOverfitRecords) return false;
    // The smallest of the latest records: one that is bad by chance doesn't count.
    const auto now = smallest(validation, validation.size() - kOverfitRecords, validation.size());
    if (!now || validation[*now] <= (1 + kOverfitRise) * validation[*least]) return false;
    if (!(examination_.loss < curve_.loss[*least])) return false;
    add("validation_loss", validation[*now]);
    add("best_validation_loss", validation[*least]);
    found(Verdict::overfitting, step_at(curve_, *least));
    return true;
  }

  const Examination& examination_;
  const LossCurve& curve_;
  bool diverged_;
  std::optional<std::size_t> best_;
  Diagnosis diagnosis_;
};

}  // namespace

std::string_view name_of(Verdict verdict) { return name_of(std::span<const VerdictRow>(kVerdicts), verdict); }

bool is_unstable(const Examination& examination) {
  return std::any_of(examination.layers.begin(), examination.layers.end(), [&](const LayerHealth& layer) {
    return layer.rate_times_curvature > examination.stability_limit;
  });
}

bool overshoots(const LayerHealth& layer, double stability_limit) {
  return layer.update_ratio >= kOvershoot || layer.rate_times_curvature > stability_limit ||
         !std::isfinite(layer.gradient_norm);
}

Diagnosis diagnose(const Examination& examination, const LossCurve& curve, bool diverged) {
  return Judge(examination, curve, diverged).run();
}

}  // namespace mlpd::core
