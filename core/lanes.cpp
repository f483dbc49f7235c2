#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/lanes.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target.h must come before what it compiles again
#include "core/lane_ops-inl.h"
#include "core/lanes.h"
// clang-format on

#include <algorithm>
#include <span>
#include <utility>

#ifndef MLPD_LANES
#define MLPD_LANES
namespace mlpd::core {

/// All passes of one stack; what changes from pass to pass is set by each. `memory` is laid out as: sums
/// [parameter_count][16], dz and dh [widest][16], targets [outputs][16], inputs [inputs][16], then z and h of
/// each layer [units][16].
template <class T>
struct LanesArguments {
  std::span<const LanesLayer> layers;
  Loss loss = Loss::mean_squared_error;
  bool fused = false;
  ConstMatrixView<T> inputs, targets;
  const T* row_weights = nullptr;
  T keep = 1, spread = 0, scale = 0;  ///< as in loss_backward: label smoothing and 1 over the mean's divisor
  const T* parameters = nullptr;
  std::size_t parameter_count = 0, widest = 0;
  T* memory = nullptr;
  T* gradient = nullptr;
  T* last_z = nullptr;
  T* last_h = nullptr;
};

/// One instruction set's passes for one type.
template <class T>
struct LanesKernels {
  void (*gradient)(const LanesArguments<T>&);
  void (*forward)(const LanesArguments<T>&);
};

/// Numbers of the memory of one pass.
template <class T>
std::size_t lanes_memory(const LanesArguments<T>& a) {
  std::size_t rows = 2 * a.widest + a.layers.back().units + a.layers.front().inputs;
  for (const LanesLayer& layer : a.layers) rows += 2 * layer.units;
  return a.parameter_count * kSamples + rows * kWidestRow;
}

}  // namespace mlpd::core
#endif

HWY_BEFORE_NAMESPACE();
namespace mlpd::core::HWY_NAMESPACE {

template <Activation kActivation, std::size_t kRow, class T>
void values(T* h, const T* z, std::size_t units) {
  using Ops = VectorOps<T>;
  for (std::size_t i = 0; i < units * kRow; i += Ops::kLanes)
    Ops::store(activation_value<kActivation, Ops>(Ops::load(z + i)), h + i);
}

/// dz = dh ∘ f′(z).
template <Activation kActivation, std::size_t kRow, class T>
void slopes(T* dz, const T* dh, const T* z, const T* h, std::size_t units) {
  using Ops = VectorOps<T>;
  for (std::size_t j = 0; j < units; ++j, z += kRow, h += kRow, dh += kRow, dz += kRow)
#pragma GCC unroll 4
    for (std::size_t v = 0; v < kRow; v += Ops::kLanes) {
      const auto slope = activation_slope<kActivation, Ops>(Ops::load(z + v), Ops::load(h + v));
      Ops::store(Ops::mul(Ops::load(dh + v), slope), dz + v);
    }
}

/// softmax of two units: the larger one's power is e^0 = 1, or NaN where it is not finite.
template <std::size_t kRow, class T>
void softmax_values_of_two(T* h, const T* z) {
  using Ops = VectorOps<T>;
  for (std::size_t v = 0; v < kRow; v += Ops::kLanes) {
    const auto first = Ops::load(z + v);
    const auto second = Ops::load(z + kRow + v);
    const auto second_is_larger = Ops::less(first, second);
    const auto larger = Ops::select(second_is_larger, second, first);
    const auto smaller = Ops::select(second_is_larger, first, second);
    const auto one = Ops::add(Ops::sub(larger, larger), Ops::set(1));
    const auto power = exp_of_nonpositive<Ops>(Ops::sub(smaller, larger));
    const auto sum = Ops::add(one, power);
    const auto of_larger = Ops::div(one, sum);
    const auto of_smaller = Ops::div(power, sum);
    Ops::store(Ops::select(second_is_larger, of_smaller, of_larger), h + v);
    Ops::store(Ops::select(second_is_larger, of_larger, of_smaller), h + kRow + v);
  }
}

template <std::size_t kRow, class T>
void softmax_values(T* h, const T* z, std::size_t units) {
  using Ops = VectorOps<T>;
  if (units == 2) return softmax_values_of_two<kRow>(h, z);
  for (std::size_t v = 0; v < kRow; v += Ops::kLanes) {
    auto largest = Ops::load(z + v);
    for (std::size_t j = 1; j < units; ++j) {
      const auto x = Ops::load(z + j * kRow + v);
      largest = Ops::select(Ops::less(largest, x), x, largest);
    }
    auto sum = Ops::set(0);
    for (std::size_t j = 0; j < units; ++j) {
      const auto power = exp_of_nonpositive<Ops>(Ops::sub(Ops::load(z + j * kRow + v), largest));
      sum = Ops::add(sum, power);
      Ops::store(power, h + j * kRow + v);
    }
    for (std::size_t j = 0; j < units; ++j)
      Ops::store(Ops::div(Ops::load(h + j * kRow + v), sum), h + j * kRow + v);
  }
}

template <std::size_t kRow, class T>
void softmax_slopes(T* dz, const T* dh, const T* h, std::size_t units) {
  using Ops = VectorOps<T>;
  for (std::size_t v = 0; v < kRow; v += Ops::kLanes) {
    auto dot = Ops::set(0);
    for (std::size_t i = v; i < units * kRow; i += kRow)
      dot = Ops::fma(Ops::load(h + i), Ops::load(dh + i), dot);
    for (std::size_t i = v; i < units * kRow; i += kRow)
      Ops::store(Ops::mul(Ops::load(h + i), Ops::sub(Ops::load(dh + i), dot)), dz + i);
  }
}

template <std::size_t kRow, class T>
HWY_INLINE void activate_lanes(Activation activation, T* h, const T* z, std::size_t units) {
  switch (activation) {
    case Activation::linear:
      return values<Activation::linear, kRow>(h, z, units);
    case Activation::sigmoid:
      return values<Activation::sigmoid, kRow>(h, z, units);
    case Activation::tanh:
      return values<Activation::tanh, kRow>(h, z, units);
    case Activation::relu:
      return values<Activation::relu, kRow>(h, z, units);
    case Activation::leaky_relu:
      return values<Activation::leaky_relu, kRow>(h, z, units);
    case Activation::elu:
      return values<Activation::elu, kRow>(h, z, units);
    case Activation::gelu:
      return values<Activation::gelu, kRow>(h, z, units);
    case Activation::silu:
      return values<Activation::silu, kRow>(h, z, units);
    case Activation::softplus:
      return values<Activation::softplus, kRow>(h, z, units);
    case Activation::softmax:
      return softmax_values<kRow>(h, z, units);
  }
}

template <std::size_t kRow, class T>
HWY_INLINE void activate_lanes_backward(Activation activation, T* dz, const T* dh, const T* z, const T* h,
                                        std::size_t units) {
  switch (activation) {
    case Activation::linear:
      return slopes<Activation::linear, kRow>(dz, dh, z, h, units);
    case Activation::sigmoid:
      return slopes<Activation::sigmoid, kRow>(dz, dh, z, h, units);
    case Activation::tanh:
      return slopes<Activation::tanh, kRow>(dz, dh, z, h, units);
    case Activation::relu:
      return slopes<Activation::relu, kRow>(dz, dh, z, h, units);
    case Activation::leaky_relu:
      return slopes<Activation::leaky_relu, kRow>(dz, dh, z, h, units);
    case Activation::elu:
      return slopes<Activation::elu, kRow>(dz, dh, z, h, units);
    case Activation::gelu:
      return slopes<Activation::gelu, kRow>(dz, dh, z, h, units);
    case Activation::silu:
      return slopes<Activation::silu, kRow>(dz, dh, z, h, units);
    case Activation::softplus:
      return slopes<Activation::softplus, kRow>(dz, dh, z, h, units);
    case Activation::softmax:
      return softmax_slopes<kRow>(dz, dh, h, units);
  }
}

/// What loss_backward computes, for one block: factor[kRow] is row weight · scale, 0 in lanes past the rows.
template <Loss kLoss, bool kFused, std::size_t kRow, class T>
void loss_lanes(const LanesArguments<T>& a, T* gradient, const T* h, const T* y, const T* factor) {
  using Ops = VectorOps<T>;
  const std::size_t units = a.layers.back().units;
  for (std::size_t v = 0; v < kRow; v += Ops::kLanes) {
    const auto scale = Ops::load(factor + v);
    auto total = Ops::set(0);
    if constexpr (kLoss == Loss::cross_entropy && kFused)
      for (std::size_t j = 0; j < units; ++j) total = Ops::add(total, Ops::load(y + j * kRow + v));
    for (std::size_t i = v; i < units * kRow; i += kRow) {
      const auto output = Ops::load(h + i);
      const auto target = Ops::load(y + i);
      if constexpr (kLoss == Loss::cross_entropy && kFused) {
        Ops::store(Ops::mul(Ops::fma(output, total, Ops::negative(target)), scale), gradient + i);
      } else {
        Ops::store(Ops::mul(loss_slope<kLoss, kFused, Ops>(output, target), scale), gradient + i);
      }
    }
  }
}

template <std::size_t kRow, class T>
void loss_of_block(const LanesArguments<T>& a, T* gradient, const T* h, const T* y, const T* factor) {
  switch (a.loss) {
    case Loss::half_squared_error:
      return loss_lanes<Loss::half_squared_error, false, kRow>(a, gradient, h, y, factor);
    case Loss::mean_squared_error:
      return loss_lanes<Loss::mean_squared_error, false, kRow>(a, gradient, h, y, factor);
    case Loss::mean_absolute_error:
      return loss_lanes<Loss::mean_absolute_error, false, kRow>(a, gradient, h, y, factor);
    case Loss::huber:
      return loss_lanes<Loss::huber, false, kRow>(a, gradient, h, y, factor);
    case Loss::binary_cross_entropy:
      return a.fused ? loss_lanes<Loss::binary_cross_entropy, true, kRow>(a, gradient, h, y, factor)
                     : loss_lanes<Loss::binary_cross_entropy, false, kRow>(a, gradient, h, y, factor);
    case Loss::cross_entropy:
      return a.fused ? loss_lanes<Loss::cross_entropy, true, kRow>(a, gradient, h, y, factor)
                     : loss_lanes<Loss::cross_entropy, false, kRow>(a, gradient, h, y, factor);
  }
}

/// Adds a row to sum[16], 16 samples after 16, from 0 on where kFirst: add_term(i, total) is the total with
/// the vector that begins with the row's sample i.
template <std::size_t kRow, bool kFirst, class T, class AddTerm>
HWY_INLINE void add_row(T* sum, const AddTerm& add_term) {
  using Ops = VectorOps<T>;
  constexpr std::size_t kEnd = kFirst ? kSamples : std::min(kRow, kSamples);
#pragma GCC unroll 16
  for (std::size_t at = 0; at < kEnd; at += Ops::kLanes) {
    auto total = kFirst ? Ops::set(0) : Ops::load(sum + at);
#pragma GCC unroll 4
    for (std::size_t i = at; i < kRow; i += kSamples) total = add_term(i, total);
    Ops::store(total, sum + at);
  }
}

/// sums[k][j] += x[k]·dz[j], sums of the bias += dz[j].
template <std::size_t kRow, bool kFirst, class T>
void accumulate(const LanesLayer& layer, T* sums, const T* x, const T* dz) {
  using Ops = VectorOps<T>;
  const T* const dz_end = dz + layer.units * kRow;
  T* sum = sums + layer.weights * kSamples;
  for (const T* const x_end = x + layer.inputs * kRow; x != x_end; x += kRow) {
    const auto input = Lanes<T, kRow>::load(x);
    for (const T* unit = dz; unit != dz_end; unit += kRow, sum += kSamples)
      add_row<kRow, kFirst>(sum, [&](std::size_t i, typename Ops::V total) HWY_ATTR {
        return Ops::fma(input.v[i / Ops::kLanes], Ops::load(unit + i), total);
      });
  }
  if (!layer.has_bias) return;
  sum = sums + layer.bias * kSamples;
  for (const T* unit = dz; unit != dz_end; unit += kRow, sum += kSamples)
    add_row<kRow, kFirst>(sum, [&](std::size_t i, typename Ops::V total)
                                   HWY_ATTR { return Ops::add(total, Ops::load(unit + i)); });
}

/// Where the blocks of a pass are in its memory.
template <std::size_t kRow, class T>
struct Blocks {
  T *sums, *dz, *dh, *targets, *inputs, *layers;

  explicit Blocks(const LanesArguments<T>& a)
      : sums(a.memory),
        dz(sums + a.parameter_count * kSamples),
        dh(dz + a.widest * kRow),
        targets(dh + a.widest * kRow),
        inputs(targets + a.layers.back().units * kRow),
        layers(inputs + a.layers.front().inputs * kRow) {}
};

/// Runs one block of inputs through the stack; returns where the last layer's z is (its h follows).
template <std::size_t kRow, class T>
HWY_INLINE T* forward_block(const LanesArguments<T>& a, const Blocks<kRow, T>& blocks) {
  const T* in = blocks.inputs;
  T* z = blocks.layers;
  for (const LanesLayer& layer : a.layers) {
    T* h = z + layer.units * kRow;
    dots<kRow>(z, layer.units, layer.has_bias ? a.parameters + layer.bias : nullptr, in, layer.inputs,
               a.parameters + layer.weights, std::size_t{1}, layer.units);
    activate_lanes<kRow>(layer.activation, h, z, layer.units);
    in = h;
    z = h + layer.units * kRow;
  }
  return z - 2 * a.layers.back().units * kRow;
}

template <std::size_t kRow, class T>
HWY_INLINE void store_outputs(const LanesArguments<T>& a, const T* z, std::size_t row, std::size_t count) {
  const std::size_t outputs = a.layers.back().units;
  if (a.last_z != nullptr) store_rows<kRow>(z, count, outputs, a.last_z + row * outputs);
  if (a.last_h != nullptr) store_rows<kRow>(z + outputs * kRow, count, outputs, a.last_h + row * outputs);
}

template <std::size_t kRow, class T>
HWY_INLINE void load_targets(const LanesArguments<T>& a, std::size_t row, std::size_t count, T* targets,
                             T (&factor)[kRow]) {
  using Ops = VectorOps<T>;
  load_rows<kRow>(a.targets.row(row), count, a.targets.columns, targets);
  if (a.keep != 1)
    for (std::size_t i = 0; i < a.targets.columns * kRow; i += Ops::kLanes)
      Ops::store(Ops::fma(Ops::set(a.keep), Ops::load(targets + i), Ops::set(a.spread)), targets + i);
  for (std::size_t r = 0; r < kRow; r += Ops::kLanes) {
    const std::size_t here = count > r ? count - r : 0;
    const auto weight = a.row_weights == nullptr
                            ? Ops::set(1)
                            : Ops::load(a.row_weights + row + std::min(r, count - 1), here);
    Ops::store(Ops::first(Ops::mul(weight, Ops::set(a.scale)), here), factor + r);
  }
}

template <std::size_t kRow, class T>
HWY_INLINE void backward_block(const LanesArguments<T>& a, const Blocks<kRow, T>& blocks, T* last_z,
                               bool is_dz, bool first) {
  T* z = last_z;
  for (std::size_t i = a.layers.size(); i-- > 0;) {
    const LanesLayer& layer = a.layers[i];
    const T* h = z + layer.units * kRow;
    if (!is_dz) activate_lanes_backward<kRow>(layer.activation, blocks.dz, blocks.dh, z, h, layer.units);
    is_dz = false;
    const T* in = i == 0 ? blocks.inputs : z - layer.inputs * kRow;
    if (first) {
      accumulate<kRow, true>(layer, blocks.sums, in, blocks.dz);
    } else {
      accumulate<kRow, false>(layer, blocks.sums, in, blocks.dz);
    }
    if (i == 0) return;
    dots<kRow>(blocks.dh, layer.inputs, static_cast<const T*>(nullptr), blocks.dz, layer.units,
               a.parameters + layer.weights, layer.units, std::size_t{1});
    z -= 2 * layer.inputs * kRow;
  }
}

/// Forward and backward for `count` ≤ kRow rows from `row` on.
template <std::size_t kRow, class T>
void gradient_of_block(const LanesArguments<T>& a, std::size_t row, std::size_t count) {
  const Blocks<kRow, T> blocks(a);
  HWY_ALIGN T factor[kRow];
  load_rows<kRow>(a.inputs.row(row), count, a.inputs.columns, blocks.inputs);
  load_targets(a, row, count, blocks.targets, factor);
  T* z = forward_block<kRow>(a, blocks);
  store_outputs<kRow>(a, z, row, count);
  loss_of_block<kRow>(a, a.fused ? blocks.dz : blocks.dh, z + a.layers.back().units * kRow, blocks.targets,
                      factor);
  backward_block<kRow>(a, blocks, z, a.fused, row == 0);
}

template <std::size_t kRow, class T>
void outputs_of_block(const LanesArguments<T>& a, std::size_t row, std::size_t count) {
  const Blocks<kRow, T> blocks(a);
  load_rows<kRow>(a.inputs.row(row), count, a.inputs.columns, blocks.inputs);
  store_outputs<kRow>(a, forward_block<kRow>(a, blocks), row, count);
}

template <class T>
using OfBlock = void (*)(const LanesArguments<T>&, std::size_t row, std::size_t count);

/// Calls one of the three for all rows, each with as many as its row of lanes has, the last with what is
/// left: `brief` where that fits one vector, `narrow` and `brief` in place of `wide` where the two are
/// shorter.
template <class T>
HWY_INLINE void for_each_block(const LanesArguments<T>& a, OfBlock<T> wide, OfBlock<T> narrow,
                               OfBlock<T> brief) {
  constexpr std::size_t kNarrowAndBrief = kSamples + kShortRow<T>;
  constexpr std::size_t kNoWide = kNarrowAndBrief < kWideRow<T> ? kNarrowAndBrief : kSamples;
  for (std::size_t row = 0; row < a.inputs.rows;) {
    const std::size_t left = a.inputs.rows - row;
    const std::size_t taken = left > kNoWide ? kWideRow<T> : left > kShortRow<T> ? kSamples : kShortRow<T>;
    const OfBlock<T> block = taken > kSamples ? wide : taken == kSamples ? narrow : brief;
    block(a, row, std::min(left, taken));
    row += taken;
  }
}

template <class T>
void gradient(const LanesArguments<T>& a) {
  if (a.inputs.rows == 0) std::fill_n(a.memory, a.parameter_count * kSamples, T{0});
  for_each_block<T>(a, &gradient_of_block<kWideRow<T>, T>, &gradient_of_block<kSamples, T>,
                    &gradient_of_block<kShortRow<T>, T>);
  reduce(a.memory, a.parameter_count, a.gradient);
}

template <class T>
void forward(const LanesArguments<T>& a) {
  for_each_block<T>(a, &outputs_of_block<kWideRow<T>, T>, &outputs_of_block<kSamples, T>,
                    &outputs_of_block<kShortRow<T>, T>);
}

template <class T>
constexpr LanesKernels<T> kLanesKernels = {&gradient<T>, &forward<T>};

const LanesKernels<float>* lanes_kernels_float() { return &kLanesKernels<float>; }
const LanesKernels<double>* lanes_kernels_double() { return &kLanesKernels<double>; }

}  // namespace mlpd::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mlpd::core {

HWY_EXPORT(lanes_kernels_float);
HWY_EXPORT(lanes_kernels_double);

namespace {

template <class T>
const LanesKernels<T>& kernels() {
  if constexpr (sizeof(T) == sizeof(float)) {
    return *HWY_DYNAMIC_DISPATCH(lanes_kernels_float)();
  } else {
    return *HWY_DYNAMIC_DISPATCH(lanes_kernels_double)();
  }
}

}  // namespace

template <class T>
LanesPass<T>::LanesPass(std::vector<LanesLayer> layers, const LossOptions& loss)
    : kernels_(&kernels<T>()), layers_(std::move(layers)), arguments_(std::make_unique<LanesArguments<T>>()) {
  LanesArguments<T>& a = *arguments_;
  a.layers = layers_;
  a.loss = loss.kind;
  a.fused = is_fused(loss.kind, layers_.back().activation);
  a.widest = layers_.front().inputs;
  for (const LanesLayer& layer : layers_) {
    a.widest = std::max(a.widest, layer.units);
    a.parameter_count += layer.inputs * layer.units + (layer.has_bias ? layer.units : 0);
  }
  a.keep = 1;
  if (loss.kind == Loss::cross_entropy && loss.label_smoothing > 0) {
    a.keep = static_cast<T>(1 - loss.label_smoothing);
    a.spread = static_cast<T>(loss.label_smoothing / static_cast<double>(layers_.back().units));
  }
  memory_.resize(lanes_memory(a));
  a.memory = memory_.data();
}

template <class T>
LanesPass<T>::LanesPass(LanesPass&&) noexcept = default;
template <class T>
LanesPass<T>::~LanesPass() = default;

template <class T>
void LanesPass<T>::gradient(ConstMatrixView<T> inputs, ConstMatrixView<T> targets, const T* row_weights,
                            const T* parameters, T* gradient, T* last_z, T* last_h) {
  LanesArguments<T>& a = *arguments_;
  if (targets.rows != a.targets.rows)
    a.scale = static_cast<T>(loss_scale(a.loss, targets.rows, targets.columns));
  a.inputs = inputs;
  a.targets = targets;
  a.row_weights = row_weights;
  a.parameters = parameters;
  a.gradient = gradient;
  a.last_z = last_z;
  a.last_h = last_h;
  kernels_->gradient(a);
}

template <class T>
void LanesPass<T>::forward(ConstMatrixView<T> inputs, const T* parameters, T* last_z, T* last_h) {
  LanesArguments<T>& a = *arguments_;
  a.inputs = inputs;
  a.parameters = parameters;
  a.last_z = last_z;
  a.last_h = last_h;
  kernels_->forward(a);
}

template class LanesPass<float>;
template class LanesPass<double>;

}  // namespace mlpd::core
#endif
