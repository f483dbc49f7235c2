#include "core/formulas.h"

#include <string_view>

#include "core/named_table.h"

namespace mlpd::core {

namespace {

using Formulas = std::vector<std::pair<std::string, std::string>>;

/// dloss/dh of the last brick, where it isn't fused.
std::string_view loss_slope(Loss loss) {
  switch (loss) {
    case Loss::half_squared_error:
      return "(h − y) / N";
    case Loss::mean_squared_error:
      return "2·(h − y) / (N·K)";
    case Loss::mean_absolute_error:
      return "sign(h − y) / (N·K)";
    case Loss::huber:
      return "max(−1, min(1, h − y)) / (N·K)";
    case Loss::binary_cross_entropy:
      return "(h − y) / (h ∘ (1 − h)) / (N·K)";
    case Loss::cross_entropy:
      return "−y / h / N";
  }
  return {};
}

/// The update of a parameter called w with gradient g.
std::string update_formula(const OptimizerOptions& optimizer, const std::string& w, const std::string& g) {
  switch (optimizer.kind) {
    case Optimizer::sgd:
      if (optimizer.momentum == 0) return w + " − rate·" + g;
      if (!optimizer.nesterov) return "v ← momentum·v + " + g + "; " + w + " − rate·v";
      return "v ← momentum·v + " + g + "; " + w + " − rate·(" + g + " + momentum·v)";
    case Optimizer::rmsprop:
      return "s ← decay·s + (1 − decay)·" + g + "²; " + w + " − rate·" + g + " / (√s + epsilon)";
    case Optimizer::adagrad:
      return "s ← s + " + g + "²; " + w + " − rate·" + g + " / (√s + epsilon)";
    case Optimizer::adam:
    case Optimizer::adamw:
      return "m ← beta1·m + (1 − beta1)·" + g + "; v ← beta2·v + (1 − beta2)·" + g + "²; " +
             (optimizer.kind == Optimizer::adamw ? "(1 − rate·weight_decay)·" : "") + w +
             " − rate·(m / (1 − beta1^t)) / (√(v / (1 − beta2^t)) + epsilon)";
    case Optimizer::lbfgs:
    case Optimizer::levenberg_marquardt:
    case Optimizer::automatic:
      break;
  }
  return w + " + the solver's step";
}

std::string penalty_formula(const Regularization& regularization) {
  std::string text;
  if (regularization.l2 != 0) text += " + l2/N·weights";
  if (regularization.l1 != 0) text += " + l1/N·sign(weights)";
  return text;
}

std::string clipped(const GradientClip& clip, const std::string& gradient) {
  std::string text = gradient;
  if (clip.value > 0) text = "clip_value(" + text + ")";
  if (clip.norm > 0) text = "clip_norm(" + text + ")";
  return text;
}

void add_update(Formulas& formulas, const Brick& brick, const HyperParameters& hyper_parameters) {
  const GradientClip& clip = hyper_parameters.gradient_clip;
  if (brick.weight_count != 0)
    formulas.emplace_back("weights_next", update_formula(hyper_parameters.optimizer, "weights",
                                                         clipped(clip, "dloss_dweights")));
  if (brick.bias_count != 0)
    formulas.emplace_back("bias_next",
                          update_formula(hyper_parameters.optimizer, "bias", clipped(clip, "dloss_dbias")));
}

void add_dense(Formulas& formulas, const Brick& brick, const NetworkSpec& spec, bool last, bool fused) {
  const bool softmax = brick.spec->activation == Activation::softmax;
  formulas.emplace_back("z", brick.bias_count != 0 ? "input · weights + bias" : "input · weights");
  for (const ActivationRow& row : activations())
    if (row.value == brick.spec->activation) formulas.emplace_back("h", std::string(row.formula));
  formulas.emplace_back("dh_dz", softmax ? "dh_i/dz_j = h_i·(δ_ij − h_j), by rows" : "f′(z)");
  if (fused) {
    const bool cross_entropy = spec.loss.kind == Loss::cross_entropy;
    formulas.emplace_back("dloss_dz", cross_entropy ? "(h − y) / N" : "(h − y) / (N·K)");
  } else {
    formulas.emplace_back("dloss_dh", last ? std::string(loss_slope(spec.loss.kind))
                                           : "from the next layer: its dloss_dz · weightsᵀ");
    formulas.emplace_back("dloss_dz", softmax ? "h ∘ (dloss_dh − Σ_k h_k·dloss_dh_k)" : "dloss_dh ∘ dh_dz");
  }
  formulas.emplace_back("dloss_dweights",
                        "inputᵀ · dloss_dz" + penalty_formula(spec.hyper_parameters.regularization));
  if (brick.bias_count != 0) formulas.emplace_back("dloss_dbias", "Σ over rows of dloss_dz");
}

}  // namespace

Formulas layer_formulas(const Brick& brick, const NetworkSpec& spec, bool last, bool fused) {
  Formulas formulas;
  switch (brick.spec->kind) {
    case LayerKind::dense:
      add_dense(formulas, brick, spec, last, fused);
      break;
    case LayerKind::dropout:
      formulas.emplace_back("dh_dz", "0 for dropped units, 1 / (1 − rate) for the others");
      formulas.emplace_back("h", "input ∘ dh_dz");
      break;
    case LayerKind::layer_norm:
    case LayerKind::batch_norm:
      formulas.emplace_back("z", brick.spec->kind == LayerKind::layer_norm
                                     ? "(input − mean) / √(variance + epsilon), over each row"
                                     : "(input − mean) / √(variance + epsilon), over each column");
      formulas.emplace_back("h", "weights ∘ z + bias");
      formulas.emplace_back("dloss_dweights", "Σ over rows of dloss_dh ∘ z");
      formulas.emplace_back("dloss_dbias", "Σ over rows of dloss_dh");
      break;
    case LayerKind::residual:
      formulas.emplace_back("h", "input + the inner layers' h");
      break;
  }
  add_update(formulas, brick, spec.hyper_parameters);
  return formulas;
}

}  // namespace mlpd::core
