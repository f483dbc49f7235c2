#include "core/jacobian.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/loss.h"

namespace mlpd::core {

template <class T>
GaussNewton<T>::GaussNewton(const Network& network, Executor& executor)
    : network_(&network), executor_(&executor), scratch_(network.parameter_count()) {}

/// Derivatives of one output column by every parameter: each brick's dloss/dz, seeded with that output, times
/// what the parameter multiplied.
template <class T>
void GaussNewton<T>::fill(const std::vector<Brick>& bricks, const std::vector<BrickMemory<T>>& memory,
                          ConstMatrixView<T> input, std::size_t output) {
  const std::size_t outputs = network_->output_count();
  const std::size_t parameters = network_->parameter_count();
  for (std::size_t i = 0; i < bricks.size(); ++i) {
    const Brick& brick = bricks[i];
    const ConstMatrixView<T> gradient = memory[i].gradient.view();
    if (brick.spec->kind == LayerKind::residual) fill(brick.layers, memory[i].layers, input, output);
    for (std::size_t r = 0; r < input.rows; ++r) {
      double* row = jacobian_.data() + (r * outputs + output) * parameters;
      const T* dz = gradient.row(r);
      if (brick.spec->kind == LayerKind::layer_norm)
        for (std::size_t j = 0; j < brick.outputs; ++j)
          row[brick.weights + j] = static_cast<double>(dz[j]) * static_cast<double>(memory[i].z(r, j));
      if (brick.spec->kind == LayerKind::dense)
        for (std::size_t k = 0; k < brick.inputs; ++k)
          for (std::size_t j = 0; j < brick.outputs; ++j)
            row[brick.weights + k * brick.outputs + j] =
                static_cast<double>(input(r, k)) * static_cast<double>(dz[j]);
      for (std::size_t j = 0; j < brick.bias_count; ++j) row[brick.bias + j] = static_cast<double>(dz[j]);
    }
    input = memory[i].h.view();
  }
}

/// diag(p) − ppᵀ = Σ_k p_k·(e_k − p)(e_k − p)ᵀ: centre the outputs' derivatives, then scale by √p_k. With two
/// outputs both centred rows are parallel, so one carries all.
template <class T>
void GaussNewton<T>::weigh_softmax_row(std::size_t r, double weight) {
  const std::size_t outputs = network_->output_count();
  const std::size_t parameters = network_->parameter_count();
  const Matrix<T>& h = workspace_.bricks.back().h;
  double* rows = jacobian_.data() + r * outputs * parameters;
  if (outputs == 2) {
    const double factor = std::sqrt(weight * static_cast<double>(h(r, 0)) * static_cast<double>(h(r, 1)));
    for (std::size_t p = 0; p < parameters; ++p) {
      rows[p] = factor * (rows[p] - rows[parameters + p]);
      rows[parameters + p] = 0;
    }
    return;
  }
  for (std::size_t p = 0; p < parameters; ++p) {
    double mean = 0;
    for (std::size_t k = 0; k < outputs; ++k) mean += static_cast<double>(h(r, k)) * rows[k * parameters + p];
    for (std::size_t k = 0; k < outputs; ++k)
      rows[k * parameters + p] =
          std::sqrt(weight * static_cast<double>(h(r, k))) * (rows[k * parameters + p] - mean);
  }
}

/// Scales the Jacobian's rows so that G is the plain sum of their squares.
template <class T>
void GaussNewton<T>::weigh(const Batch<T>& batch) {
  const std::size_t outputs = network_->output_count();
  const std::size_t parameters = network_->parameter_count();
  const Matrix<T>& h = workspace_.bricks.back().h;
  const Loss loss = network_->spec().loss.kind;
  const double rows = static_cast<double>(batch.inputs.rows);
  const double elements = rows * static_cast<double>(outputs);
  for (std::size_t r = 0; r < batch.inputs.rows; ++r) {
    const double row_weight = batch.row_weights != nullptr ? static_cast<double>(batch.row_weights[r]) : 1.0;
    if (loss == Loss::cross_entropy) {
      weigh_softmax_row(r, row_weight / rows);
      continue;
    }
    for (std::size_t k = 0; k < outputs; ++k) {
      double curvature = 1 / rows;
      if (loss == Loss::mean_squared_error) curvature = 2 / elements;
      if (loss == Loss::binary_cross_entropy) {
        const double p = static_cast<double>(h(r, k));
        curvature = p * (1 - p) / elements;
      }
      const double factor = std::sqrt(row_weight * curvature);
      double* row = jacobian_.data() + (r * outputs + k) * parameters;
      for (std::size_t p = 0; p < parameters; ++p) row[p] *= factor;
    }
  }
}

template <class T>
void GaussNewton<T>::compute(const Batch<T>& batch, const T* parameters, Matrix<double>& curvature) {
  const std::size_t count = network_->parameter_count();
  const std::size_t outputs = network_->output_count();
  workspace_.prepare(*network_, batch.inputs.rows, Purpose::training);
  jacobian_.resize(batch.inputs.rows * outputs, count);
  std::fill_n(jacobian_.data(), jacobian_.size(), 0.0);
  Pass<T> pass;
  pass.parameters = parameters;
  pass.gradient = scratch_.data();
  pass.training = true;
  pass.row_sum = network_->row_sum();
  pass.executor = executor_;
  BrickMemory<T>& last = workspace_.bricks.back();
  forward<T>(network_->bricks(), pass, batch.inputs, last.h.view(), workspace_.bricks);
  const bool last_is_dz = is_fused(network_->spec().loss.kind, network_->last_activation());
  for (std::size_t k = 0; k < outputs; ++k) {
    std::fill_n(last.gradient.data(), last.gradient.size(), T{0});
    for (std::size_t r = 0; r < batch.inputs.rows; ++r) last.gradient(r, k) = 1;
    backward<T>(network_->bricks(), pass, batch.inputs, workspace_.bricks, {}, last_is_dz);
    fill(network_->bricks(), workspace_.bricks, batch.inputs, k);
  }
  weigh(batch);
  curvature.resize(count, count);
  const ConstMatrixView<double> rows = std::as_const(jacobian_).view();
  dense_backward_weights<double>(curvature.view(), nullptr, rows, rows, RowSum::sequential, *executor_);
}

template class GaussNewton<float>;
template class GaussNewton<double>;

}  // namespace mlpd::core
