#include "api/remedies.h"

#include <algorithm>

#include "api/encode_network.h"
#include "api/json_writer.h"

namespace mlpd::api {
namespace {

constexpr std::size_t kNameBytesMax = 63;

/// The network's name with a suffix, within the bounds of a name.
std::string named(const NetworkView& network, std::string_view suffix) {
  std::string name = network.name.substr(0, kNameBytesMax - 1 - suffix.size());
  while (name.size() > 1 && (name.back() == '.' || name.back() == '_' || name.back() == '-')) name.pop_back();
  return name + "-" + std::string(suffix);
}

class Remedies {
 public:
  Remedies(const NetworkView& network, std::uint64_t fork_step, std::size_t batch_rows)
      : network_(network), fork_step_(fork_step), rows_(static_cast<double>(batch_rows)) {}

  void lower_rate() {
    fork("lower-rate", "take a quarter of the learning rate", [&](JsonWriter& out) {
      out.key("optimizer").begin_object();
      out.field("learning_rate", settings().optimizer.learning_rate / 4).end_object();
    });
  }
  void decaying_rate() {
    fork("decaying-rate", "let the learning rate decay with the steps", [&](JsonWriter& out) {
      const double decay = 1 / static_cast<double>(std::max<std::uint64_t>(fork_step_, 50));
      out.key("schedule").begin_object();
      out.field("type", "inverse_time").field("decay", decay).end_object();
    });
  }
  void stronger_l2() {
    const double present = settings().regularization.l2;
    fork("l2", "hold the weights back by a stronger L2 penalty", [&](JsonWriter& out) {
      out.key("regularization").begin_object();
      out.field("l2", std::max(4 * present, rows_ / 300)).end_object();
    });
  }
  void stronger_l1() {
    const double present = settings().regularization.l1;
    fork("l1", "hold the weights back by a stronger L1 penalty", [&](JsonWriter& out) {
      out.key("regularization").begin_object();
      out.field("l1", std::max(4 * present, rows_ / 1000)).end_object();
    });
  }
  void adam() {
    fork("adam", "go on with adam, which finds a rate for each weight",
         [&](JsonWriter& out) { out.key("optimizer").text(R"({"type":"adam","learning_rate":0.02})"); });
  }
  void go_back() {
    fork("best", "take the network as it was at its best validation loss", [](JsonWriter&) {});
  }
  /// A new network with other hidden units and fresh weights.
  void other_units(core::Activation activation, std::string_view suffix, std::string title) {
    core::NetworkSpec spec = network_.spec;
    for (std::size_t i = 0; i + 1 < spec.layers.size(); ++i) replace(spec.layers[i], activation);
    core::LayerSpec& last = spec.layers.back();
    last.initializer.reset();
    last.start_weights.clear();
    last.start_bias.clear();
    Remedy remedy{std::move(title), "POST", "/v1/networks", {}};
    JsonWriter out(remedy.body);
    out.begin_object().field("name", named(network_, suffix));
    write_spec_fields(out, spec, StartNumbers::leave_out);
    out.end_object();
    found.push_back(std::move(remedy));
  }

  std::vector<Remedy> found;

 private:
  const core::HyperParameters& settings() const { return network_.spec.hyper_parameters; }

  static void replace(core::LayerSpec& layer, core::Activation activation) {
    if (layer.kind == core::LayerKind::dense) layer.activation = activation;
    layer.initializer.reset();
    layer.start_weights.clear();
    layer.start_bias.clear();
    for (core::LayerSpec& inner : layer.layers) replace(inner, activation);
  }

  template <class WriteChanges>
  void fork(std::string_view suffix, std::string_view what, WriteChanges write_changes) {
    Remedy remedy{"Branch off at step " + std::to_string(fork_step_) + " and " + std::string(what),
                  "POST",
                  "/v1/networks/" + network_.name + "/fork",
                  {}};
    JsonWriter out(remedy.body);
    out.begin_object().field("name", named(network_, suffix)).field("step", fork_step_);
    write_changes(out);
    out.end_object();
    found.push_back(std::move(remedy));
  }

  const NetworkView& network_;
  std::uint64_t fork_step_;
  double rows_;
};

}  // namespace

std::uint64_t fork_step_before(std::uint64_t onset, std::uint64_t replayable_from) {
  return std::max(onset - onset / 6, replayable_from);
}

std::vector<Remedy> remedies(const NetworkView& network, core::Verdict verdict, std::uint64_t onset,
                             std::size_t batch_rows) {
  const bool unstable = verdict == core::Verdict::warning || verdict == core::Verdict::exploding ||
                        verdict == core::Verdict::diverged;
  Remedies list(network, unstable ? fork_step_before(onset, network.replayable_from) : onset, batch_rows);
  switch (verdict) {
    case core::Verdict::healthy:
      break;
    case core::Verdict::warning:
    case core::Verdict::exploding:
    case core::Verdict::diverged:
      list.lower_rate();
      list.decaying_rate();
      list.stronger_l2();
      list.stronger_l1();
      break;
    case core::Verdict::vanishing:
      list.other_units(
          core::Activation::relu, "relu",
          "Build it anew with relu units, which pass gradients on, and train it on the same data");
      break;
    case core::Verdict::saturated:
      list.other_units(core::Activation::relu, "relu",
                       "Build it anew with relu units, which don't saturate, and train it on the same data");
      list.lower_rate();
      break;
    case core::Verdict::dead:
      list.other_units(core::Activation::leaky_relu, "leaky",
                       "Build it anew with leaky_relu units, which can't die, and train it on the same data");
      list.lower_rate();
      break;
    case core::Verdict::plateaued:
      if (network.spec.hyper_parameters.optimizer.kind == core::Optimizer::adam)
        list.lower_rate();
      else
        list.adam();
      break;
    case core::Verdict::overfitting:
      list.go_back();
      list.stronger_l2();
      break;
  }
  return std::move(list.found);
}

}  // namespace mlpd::api
