#pragma once

#include <vector>

#include "core/batches.h"
#include "core/layer.h"
#include "core/network.h"

namespace mlpd::core {

/// The curvature of a batch's data loss by the generalised Gauss–Newton matrix G = Jᵀ·H·J (Schraudolph 2002),
/// J the derivatives of the outputs by the parameters, H the loss's curvature by the outputs. For networks of
/// dense, residual and layer_norm bricks under half_squared_error, mean_squared_error, softmax with
/// cross_entropy or sigmoid with binary_cross_entropy (supports()). Owns its workspace; not thread-safe.
template <class T>
class GaussNewton {
 public:
  GaussNewton(const Network& network, Executor& executor);

  /// G (parameters × parameters, float64) at `parameters`, each entry one chain over rows and outputs in
  /// index order.
  void compute(const Batch<T>& batch, const T* parameters, Matrix<double>& curvature);

 private:
  bool by_difference() const;
  void fill(const std::vector<Brick>& bricks, const std::vector<BrickMemory<T>>& memory,
            ConstMatrixView<T> input, std::size_t direction, std::size_t directions);
  void find_factors(const Batch<T>& batch);
  void center_softmax_row(std::size_t row, double weight);

  const Network* network_;
  Executor* executor_;
  Workspace<T> workspace_;
  AlignedBuffer<T> scratch_;
  Matrix<double> jacobian_;  // (row · directions + direction) × parameters
  Matrix<double>
      factors_;  // rows × directions: of the Jacobian's rows, so that G is the sum of their squares
};

}  // namespace mlpd::core
