#include "api/diagnosis_handlers.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "api/remedies.h"
#include "core/diagnosis.h"

namespace mlpd::api {
namespace {

using core::Verdict;

core::LossCurve curve_of(const core::HistoryColumns& history) {
  core::LossCurve curve;
  for (std::size_t i = 0; i < history.names.size(); ++i) {
    if (history.names[i] == "step") curve.step = history.values[i];
    if (history.names[i] == "loss") curve.loss = history.values[i];
    if (history.names[i] == "validation_loss") curve.validation_loss = history.values[i];
  }
  curve.loss.resize(curve.step.size(), core::kAbsent);
  curve.validation_loss.resize(curve.step.size(), core::kAbsent);
  return curve;
}

/// Examines a network at steps of its past.
class Doctor {
 public:
  Doctor(NetworkService& networks, const NetworkView& network, const core::Dataset& data)
      : networks_(networks), network_(network), data_(data) {}

  core::Result<core::Examination> examine(AtStep step) {
    const auto state = networks_.checkpoint(network_.name, step);
    if (!state) return state.error();
    batch_size_ = state->cursor.batch_size;
    return core::examine(*state, data_, executor_);
  }

  /// The first step of the unbroken time up to `step`, where it holds, in which `holds` does: back in strides
  /// that double, then by bisection. A state that can't be had any more ends the search.
  std::uint64_t first_step(std::uint64_t step, const std::function<bool(const core::Examination&)>& holds) {
    if (network_.parameters > kLookBackParametersMax) return step;
    std::size_t replays = 0;
    const auto held_at = [&](std::uint64_t at) {
      ++replays;
      const auto past = examine(at);
      return past.ok() && holds(*past);
    };
    std::uint64_t ill = step;
    std::uint64_t well = network_.replayable_from;
    for (std::uint64_t stride = 1; ill > well && replays < kReplaysMax; stride *= 2) {
      const std::uint64_t at = ill - std::min(stride, ill - network_.replayable_from);
      if (!held_at(at)) {
        well = at;
        break;
      }
      ill = at;
    }
    while (ill > well + 1 && replays < kReplaysMax) {
      const std::uint64_t middle = well + (ill - well) / 2;
      (held_at(middle) ? ill : well) = middle;
    }
    return ill;
  }

  /// Rows of the training's batches.
  std::size_t batch_rows() const {
    const bool whole = batch_size_ == 0 || batch_size_ > data_.rows;
    return whole ? data_.rows : static_cast<std::size_t>(batch_size_);
  }

 private:
  NetworkService& networks_;
  const NetworkView& network_;
  const core::Dataset& data_;
  core::SerialExecutor executor_;
  std::uint64_t batch_size_ = 0;
};

/// A diagnosis with what looking back found.
struct Finding {
  core::Diagnosis diagnosis;
  std::uint64_t step = 0;
  std::optional<std::uint64_t> since_step;  // none for healthy
  std::uint64_t onset = 0;                  // where remedies count from
  std::size_t batch_rows = 0;
};

/// A burst has its cause earlier: where plain gradient descent passed its limit of stability. `limit`: that
/// of the step examined.
void find_cause(Doctor& doctor, Finding& finding, double limit) {
  const auto burst = doctor.examine(finding.onset);
  if (!burst || !core::is_unstable(*burst)) return;
  finding.onset = doctor.first_step(finding.onset, core::is_unstable);
  const auto cause = doctor.examine(finding.onset);
  if (!cause) return;
  const core::Diagnosis early = core::diagnose(*cause, {}, false);
  if (!early.layer) return;
  finding.diagnosis.layer = early.layer;
  std::vector<core::LayerHealth>& layers = finding.diagnosis.layers;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool ill = i == *early.layer || core::overshoots(layers[i], limit);
    layers[i].verdict = ill ? finding.diagnosis.verdict : Verdict::healthy;
  }
  finding.diagnosis.evidence.push_back({"unstable_since_step", static_cast<double>(finding.onset)});
}

core::Result<Finding> find(const Call& call, const NetworkView& network, const core::Dataset& data,
                           AtStep step) {
  Doctor doctor(call.services.networks, network, data);
  const auto examination = doctor.examine(step);
  if (!examination) return examination.error();
  Finding finding;
  finding.step = examination->step;
  finding.batch_rows = doctor.batch_rows();
  core::HistoryQuery query;
  query.to_step = finding.step;
  query.fields = {"step", "loss", "validation_loss"};
  const auto history = call.services.networks.history(network.name, query);
  if (!history) return history.error();
  const std::optional<JobView>& job = network.last_job;
  const bool diverged = job && job->stop_reason == core::StopReason::diverged && job->step == finding.step;
  finding.diagnosis = core::diagnose(*examination, curve_of(*history), diverged);
  const Verdict verdict = finding.diagnosis.verdict;
  if (verdict == Verdict::healthy) return finding;
  finding.since_step = finding.diagnosis.since_step;
  if (verdict == Verdict::warning)
    finding.since_step = doctor.first_step(finding.step, core::is_unstable);
  else if (verdict == Verdict::vanishing || verdict == Verdict::saturated || verdict == Verdict::dead)
    finding.since_step = doctor.first_step(finding.step, [&](const core::Examination& past) {
      return core::diagnose(past, {}, false).verdict == verdict;
    });
  if (!finding.since_step) finding.since_step = finding.step;
  finding.onset = *finding.since_step;
  if (verdict == Verdict::exploding || verdict == Verdict::diverged)
    find_cause(doctor, finding, examination->stability_limit);
  return finding;
}

std::string summary_of(const Finding& finding) {
  const core::Diagnosis& diagnosis = finding.diagnosis;
  const std::string since =
      finding.since_step ? " since step " + std::to_string(*finding.since_step) : std::string();
  const std::string layer =
      diagnosis.layer ? "layer " + diagnosis.layers[*diagnosis.layer].path : std::string("the network");
  switch (diagnosis.verdict) {
    case Verdict::healthy:
      return "The gradients are healthy.";
    case Verdict::warning:
      return "The learning rate has been too large for the curvature of the loss in " + layer + since +
             ": the steps overshoot, and the loss will burst soon.";
    case Verdict::exploding:
      return "The loss has been exploding" + since +
             ": each step overshoots further than the one before, worst in " + layer + ".";
    case Verdict::vanishing:
      return "The gradient has vanished on its way back to " + layer + since +
             ": the first layers hardly learn.";
    case Verdict::saturated:
      return "Most units of " + layer + " have stood where their activation is flat" + since +
             ", so that no gradient comes through.";
    case Verdict::dead:
      return "Most units of " + layer + " have been 0 for every row" + since + " and can't learn any more.";
    case Verdict::diverged:
      return "The training diverged: the next numbers would not be finite. The loss has been exploding" +
             since + "; the last finite state, of step " + std::to_string(finding.step) + ", is kept.";
    case Verdict::plateaued:
      return "The loss has hardly fallen" + since + " and is still near that of a constant answer.";
    case Verdict::overfitting:
      return "The validation loss has been rising" + since +
             " while the training loss falls: the network "
             "learns its training rows by heart.";
  }
  return {};
}

void write_number(JsonWriter& out, std::string_view key, double value) {
  out.key(key);
  if (std::isfinite(value))
    out.value(value);
  else
    out.null();
}

void write_layer(JsonWriter& out, const core::LayerHealth& layer) {
  out.begin_object().field("index", layer.index).field("path", layer.path);
  out.field("verdict", core::name_of(layer.verdict));
  write_number(out, "gradient_norm", layer.gradient_norm);
  write_number(out, "update_ratio", layer.update_ratio);
  write_number(out, "weight_norm", layer.weight_norm);
  write_number(out, "saturated", layer.saturated);
  write_number(out, "dead", layer.dead);
  write_number(out, "rate_times_curvature", layer.rate_times_curvature);
  out.end_object();
}

std::string as_json(const Finding& finding, const NetworkView& network, std::string_view summary) {
  std::string body;
  JsonWriter out(body);
  const core::Diagnosis& diagnosis = finding.diagnosis;
  out.begin_object().field("network", network.name).field("step", finding.step);
  out.field("verdict", core::name_of(diagnosis.verdict)).key("since_step");
  if (finding.since_step)
    out.value(*finding.since_step);
  else
    out.null();
  out.field("summary", summary);
  if (diagnosis.layer) out.field("layer", diagnosis.layers[*diagnosis.layer].index);
  out.key("evidence").begin_object();
  for (const core::Evidence& evidence : diagnosis.evidence) out.field(evidence.name, evidence.value);
  out.end_object().key("layers").begin_array();
  for (const core::LayerHealth& layer : diagnosis.layers) write_layer(out, layer);
  out.end_array().key("remedies").begin_array();
  for (const Remedy& remedy : remedies(network, diagnosis.verdict, finding.onset, finding.batch_rows)) {
    out.begin_object().field("title", remedy.title).key("request").begin_object();
    out.field("method", remedy.method).field("path", remedy.path).key("body").text(remedy.body);
    out.end_object().end_object();
  }
  out.end_array().end_object();
  return body;
}

}  // namespace

Response read_diagnosis(const Call& call) {
  const auto step = query_integer(call.request, "step");
  if (!step) return problem(step.error(), call.request);
  const auto network = call.services.networks.read(call.parameter("network"));
  if (!network) return problem(network.error(), call.request);
  const auto data = call.services.networks.data(network->name, std::nullopt);
  if (!data) {
    Finding nothing;
    nothing.step = network->step;
    return json_response(as_json(nothing, *network, "There is no training data yet to judge it by."));
  }
  const auto finding = find(call, *network, **data, *step);
  if (!finding) return problem(finding.error(), call.request);
  return json_response(as_json(*finding, *network, summary_of(*finding)));
}

}  // namespace mlpd::api
