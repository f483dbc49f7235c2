#include "core/jacobian.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/loss.h"

namespace mlpd::core {

template <class T>
GaussNewton<T>::GaussNewton(const Network& network, Executor& executor)
    : network_(&network), executor_(&executor), scratch_(network.parameter_count()) {}

/// With two outputs softmax depends on the difference of its inputs alone: one direction carries all.
template <class T>
bool GaussNewton<T>::by_difference() const {
  return network_->spec().loss.kind == Loss::cross_entropy && network_->output_count() == 2;
}

/// Derivatives along one direction of the outputs by every parameter, times the row's factor: each brick's
/// dloss/dz, seeded with that direction, times what the parameter multiplied. Every parameter is a brick's,
/// so whole rows are written.
template <class T>
void GaussNewton<T>::fill(const std::vector<Brick>& bricks, const std::vector<BrickMemory<T>>& memory,
                          ConstMatrixView<T> input, std::size_t direction, std::size_t directions) {
  const std::size_t parameters = network_->parameter_count();
  for (std::size_t i = 0; i < bricks.size(); ++i) {
    const Brick& brick = bricks[i];
    const ConstMatrixView<T> gradient = memory[i].gradient.view();
    if (brick.spec->kind == LayerKind::residual)
      fill(brick.layers, memory[i].layers, input, direction, directions);
    for (std::size_t r = 0; r < input.rows; ++r) {
      double* row = jacobian_.data() + (r * directions + direction) * parameters;
      const double factor = factors_(r, direction);
      const T* dz = gradient.row(r);
      if (brick.spec->kind == LayerKind::layer_norm)
        for (std::size_t j = 0; j < brick.outputs; ++j)
          row[brick.weights + j] =
              static_cast<double>(dz[j]) * static_cast<double>(memory[i].z(r, j)) * factor;
      if (brick.spec->kind == LayerKind::dense)
        for (std::size_t k = 0; k < brick.inputs; ++k)
          for (std::size_t j = 0; j < brick.outputs; ++j)
            row[brick.weights + k * brick.outputs + j] =
                static_cast<double>(input(r, k)) * static_cast<double>(dz[j]) * factor;
      for (std::size_t j = 0; j < brick.bias_count; ++j)
        row[brick.bias + j] = static_cast<double>(dz[j]) * factor;
    }
    input = memory[i].h.view();
  }
}

/// diag(p) − ppᵀ = Σ_k p_k·(e_k − p)(e_k − p)ᵀ: centre the outputs' derivatives, then scale by √p_k.
template <class T>
void GaussNewton<T>::center_softmax_row(std::size_t r, double weight) {
  const std::size_t outputs = network_->output_count();
  const std::size_t parameters = network_->parameter_count();
  const Matrix<T>& h = workspace_.bricks.back().h;
  double* rows = jacobian_.data() + r * outputs * parameters;
  for (std::size_t p = 0; p < parameters; ++p) {
    double mean = 0;
    for (std::size_t k = 0; k < outputs; ++k) mean += static_cast<double>(h(r, k)) * rows[k * parameters + p];
    for (std::size_t k = 0; k < outputs; ++k)
      rows[k * parameters + p] =
          std::sqrt(weight * static_cast<double>(h(r, k))) * (rows[k * parameters + p] - mean);
  }
}

/// With two softmax outputs the matrix above is p_0·p_1·(e_0 − e_1)(e_0 − e_1)ᵀ; with more the rows are
/// centred first and scaled then.
template <class T>
void GaussNewton<T>::find_factors(const Batch<T>& batch) {
  const std::size_t outputs = network_->output_count();
  const Matrix<T>& h = workspace_.bricks.back().h;
  const Loss loss = network_->spec().loss.kind;
  const double rows = static_cast<double>(batch.inputs.rows);
  const double elements = rows * static_cast<double>(outputs);
  factors_.resize(batch.inputs.rows, by_difference() ? 1 : outputs);
  for (std::size_t r = 0; r < batch.inputs.rows; ++r) {
    const double row_weight = batch.row_weights != nullptr ? static_cast<double>(batch.row_weights[r]) : 1.0;
    for (std::size_t k = 0; k < factors_.columns(); ++k) {
      double curvature = 1 / rows;
      if (loss == Loss::mean_squared_error) curvature = 2 / elements;
      if (loss == Loss::binary_cross_entropy) {
        const double p = static_cast<double>(h(r, k));
        curvature = p * (1 - p) / elements;
      }
      factors_(r, k) = std::sqrt(row_weight * curvature);
      if (by_difference())
        factors_(r, k) =
            std::sqrt(row_weight / rows * static_cast<double>(h(r, 0)) * static_cast<double>(h(r, 1)));
      else if (loss == Loss::cross_entropy)
        factors_(r, k) = 1;
    }
  }
}

template <class T>
void GaussNewton<T>::compute(const Batch<T>& batch, const T* parameters, Matrix<double>& curvature) {
  const std::size_t count = network_->parameter_count();
  const std::size_t directions = by_difference() ? 1 : network_->output_count();
  workspace_.prepare(*network_, batch.inputs.rows, Purpose::training);
  jacobian_.resize(batch.inputs.rows * directions, count);
  Pass<T> pass;
  pass.parameters = parameters;
  pass.gradient = scratch_.data();
  pass.training = true;
  pass.row_sum = network_->row_sum();
  pass.executor = executor_;
  BrickMemory<T>& last = workspace_.bricks.back();
  forward<T>(network_->bricks(), pass, batch.inputs, last.h.view(), workspace_.bricks);
  find_factors(batch);
  const bool last_is_dz = is_fused(network_->spec().loss.kind, network_->last_activation());
  for (std::size_t k = 0; k < directions; ++k) {
    std::fill_n(last.gradient.data(), last.gradient.size(), T{0});
    for (std::size_t r = 0; r < batch.inputs.rows; ++r) {
      last.gradient(r, k) = 1;
      if (by_difference()) last.gradient(r, 1) = -1;
    }
    backward<T>(network_->bricks(), pass, batch.inputs, workspace_.bricks, {}, last_is_dz);
    fill(network_->bricks(), workspace_.bricks, batch.inputs, k, directions);
  }
  if (network_->spec().loss.kind == Loss::cross_entropy && !by_difference()) {
    const double rows = static_cast<double>(batch.inputs.rows);
    for (std::size_t r = 0; r < batch.inputs.rows; ++r) {
      const double weight = batch.row_weights != nullptr ? static_cast<double>(batch.row_weights[r]) : 1.0;
      center_softmax_row(r, weight / rows);
    }
  }
  curvature.resize(count, count);
  const ConstMatrixView<double> rows = std::as_const(jacobian_).view();
  dense_backward_weights<double>(curvature.view(), nullptr, rows, rows, RowSum::sequential, *executor_);
}

template class GaussNewton<float>;
template class GaussNewton<double>;

}  // namespace mlpd::core
