#include "core/layer.h"

#include <algorithm>

#include "core/normalization.h"
#include "core/random.h"

namespace mlpd::core {

std::span<const LayerRow> layer_kinds() {
  static constexpr std::string_view kDense[] = {"units", "activation", "bias", "initializer", "weights"};
  static constexpr std::string_view kDropout[] = {"rate"};
  static constexpr std::string_view kLayerNorm[] = {"epsilon"};
  static constexpr std::string_view kBatchNorm[] = {"momentum", "epsilon"};
  static constexpr std::string_view kResidual[] = {"layers"};
  static constexpr LayerRow kRows[] = {
      {LayerKind::dense, "dense", kDense},
      {LayerKind::dropout, "dropout", kDropout},
      {LayerKind::layer_norm, "layer_norm", kLayerNorm},
      {LayerKind::batch_norm, "batch_norm", kBatchNorm},
      {LayerKind::residual, "residual", kResidual},
  };
  return kRows;
}

namespace {

template <class T>
void prepare_bricks(const std::vector<Brick>& bricks, std::vector<BrickMemory<T>>& memory, std::size_t rows,
                    bool for_training) {
  memory.resize(bricks.size());
  for (std::size_t i = 0; i < bricks.size(); ++i) {
    const Brick& brick = bricks[i];
    memory[i].h.resize(rows, brick.outputs);
    prepare_bricks(brick.layers, memory[i].layers, rows, for_training);
    if (!for_training) continue;
    memory[i].gradient.resize(rows, brick.outputs);
    if (brick.spec->kind != LayerKind::residual) memory[i].z.resize(rows, brick.outputs);
    if (brick.spec->kind == LayerKind::layer_norm) memory[i].inverse.resize(rows);
    if (brick.spec->kind == LayerKind::batch_norm) memory[i].inverse.resize(3 * brick.outputs);
  }
}

template <class T>
void dropout_forward(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> input, MatrixView<T> h,
                     BrickMemory<T>& memory) {
  if (!pass.training) {
    std::copy_n(input.data, input.size(), h.data);
    return;
  }
  const double rate = brick.spec->rate;
  const T kept = static_cast<T>(1 / (1 - rate));
  const std::uint64_t stream = kDropoutStream + brick.ordinal;
  T* factors = memory.z.data();
  for (std::size_t i = 0; i < input.size(); ++i) {
    factors[i] = uniform_at(pass.seed, stream, pass.step, i) < rate ? T{0} : kept;
    h.data[i] = input.data[i] * factors[i];
  }
}

template <class T>
void dense_brick_forward(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> input, MatrixView<T> h,
                         BrickMemory<T>& memory) {
  const ConstMatrixView<T> weights(pass.parameters + brick.weights, brick.inputs, brick.outputs);
  const T* bias = brick.bias_count != 0 ? pass.parameters + brick.bias : nullptr;
  const MatrixView<T> z = memory.z.size() != 0 ? memory.z.view() : h;
  dense_forward<T>(z, input, weights, bias, *pass.executor);
  activate<T>(brick.spec->activation, h, z);
}

template <class T>
void dense_brick_backward(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> input,
                          BrickMemory<T>& memory, MatrixView<T> dinput, bool is_dz) {
  const MatrixView<T> gradient = memory.gradient.view();
  if (!is_dz) {
    if (pass.keep_dloss_dh) memory.dloss_dh = memory.gradient;
    activate_backward<T>(brick.spec->activation, gradient, gradient, std::as_const(memory.z).view(),
                         std::as_const(memory.h).view());
  }
  const MatrixView<T> dweights(pass.gradient + brick.weights, brick.inputs, brick.outputs);
  T* dbias = brick.bias_count != 0 ? pass.gradient + brick.bias : nullptr;
  dense_backward_weights<T>(dweights, dbias, input, gradient, pass.row_sum, *pass.executor);
  if (dinput.data == nullptr) return;
  const ConstMatrixView<T> weights(pass.parameters + brick.weights, brick.inputs, brick.outputs);
  dense_backward_input<T>(dinput, gradient, weights, *pass.executor);
}

template <class T>
void residual_backward(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> input,
                       BrickMemory<T>& memory, MatrixView<T> dinput) {
  const Matrix<T>& gradient = memory.gradient;
  std::copy_n(gradient.data(), gradient.size(), memory.layers.back().gradient.data());
  backward<T>(brick.layers, pass, input, memory.layers, dinput, false);
  if (dinput.data == nullptr) return;
  for (std::size_t i = 0; i < gradient.size(); ++i) dinput.data[i] += gradient.data()[i];
}

template <class T>
void brick_forward(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> input, MatrixView<T> h,
                   BrickMemory<T>& memory) {
  switch (brick.spec->kind) {
    case LayerKind::dense:
      return dense_brick_forward(brick, pass, input, h, memory);
    case LayerKind::dropout:
      return dropout_forward(brick, pass, input, h, memory);
    case LayerKind::layer_norm:
      return layer_norm_forward(brick, pass, input, h, memory);
    case LayerKind::batch_norm:
      return batch_norm_forward(brick, pass, input, h, memory);
    case LayerKind::residual:
      break;
  }
  const MatrixView<T> inner = memory.layers.back().h.view();
  forward<T>(brick.layers, pass, input, inner, memory.layers);
  for (std::size_t i = 0; i < input.size(); ++i) h.data[i] = input.data[i] + inner.data[i];
}

template <class T>
void brick_backward(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> input, BrickMemory<T>& memory,
                    MatrixView<T> dinput, bool is_dz) {
  switch (brick.spec->kind) {
    case LayerKind::dense:
      return dense_brick_backward(brick, pass, input, memory, dinput, is_dz);
    case LayerKind::layer_norm:
      return layer_norm_backward(brick, pass, memory, dinput);
    case LayerKind::batch_norm:
      return batch_norm_backward(brick, pass, memory, dinput);
    case LayerKind::residual:
      return residual_backward(brick, pass, input, memory, dinput);
    case LayerKind::dropout:
      break;
  }
  if (dinput.data == nullptr) return;
  for (std::size_t i = 0; i < dinput.size(); ++i)
    dinput.data[i] = memory.gradient.data()[i] * memory.z.data()[i];
}

std::vector<LanesLayer> lanes_layers(const Network& network) {
  std::vector<LanesLayer> layers;
  for (const Brick& brick : network.bricks())
    layers.push_back({brick.inputs, brick.outputs, brick.weights, brick.bias, brick.bias_count != 0,
                      brick.spec->activation});
  return layers;
}

}  // namespace

template <class T>
void Workspace<T>::shape(const Network& network, std::size_t batch_rows, Purpose purpose) {
  prepare_bricks(network.bricks(), bricks, batch_rows, purpose == Purpose::training);
  if (purpose == Purpose::evaluation) bricks.back().z.resize(batch_rows, network.output_count());
  row_losses.resize(batch_rows);
  if (network.row_sum() == RowSum::interleaved && !lanes)
    lanes.emplace(lanes_layers(network), network.spec().loss);
  rows = batch_rows;
}

template <class T>
void forward(const std::vector<Brick>& bricks, const Pass<T>& pass, ConstMatrixView<T> input,
             MatrixView<T> output, std::vector<BrickMemory<T>>& memory) {
  for (std::size_t i = 0; i < bricks.size(); ++i) {
    const MatrixView<T> h = i + 1 == bricks.size() ? output : memory[i].h.view();
    brick_forward<T>(bricks[i], pass, input, h, memory[i]);
    input = h;
  }
}

template <class T>
void backward(const std::vector<Brick>& bricks, const Pass<T>& pass, ConstMatrixView<T> input,
              std::vector<BrickMemory<T>>& memory, MatrixView<T> dinput, bool last_is_dz) {
  for (std::size_t i = bricks.size(); i-- > 0;) {
    const ConstMatrixView<T> in = i == 0 ? input : ConstMatrixView<T>(memory[i - 1].h.view());
    const MatrixView<T> din = i == 0 ? dinput : memory[i - 1].gradient.view();
    brick_backward<T>(bricks[i], pass, in, memory[i], din, last_is_dz && i + 1 == bricks.size());
  }
}

#define MLPD_INSTANTIATE(T)                                                                              \
  template struct Workspace<T>;                                                                          \
  template void forward<T>(const std::vector<Brick>&, const Pass<T>&, ConstMatrixView<T>, MatrixView<T>, \
                           std::vector<BrickMemory<T>>&);                                                \
  template void backward<T>(const std::vector<Brick>&, const Pass<T>&, ConstMatrixView<T>,               \
                            std::vector<BrickMemory<T>>&, MatrixView<T>, bool);
MLPD_INSTANTIATE(float)
MLPD_INSTANTIATE(double)
#undef MLPD_INSTANTIATE

}  // namespace mlpd::core
