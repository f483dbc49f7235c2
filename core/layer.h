#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/executor.h"
#include "core/kernels.h"
#include "core/lanes.h"
#include "core/matrix.h"
#include "core/network.h"

namespace mlpd::core {

/// What one brick keeps between its forward and its backward pass on B rows.
template <class T>
struct BrickMemory {
  Matrix<T>
      z;  ///< dense: before the activation (empty: computed in h); dropout: the mask's factors; norms: x̂
  Matrix<T> h;               ///< the brick's output
  Matrix<T> gradient;        ///< dloss/dh, turned in place into dloss/dz by a dense brick's backward pass
  Matrix<T> dloss_dh;        ///< kept apart only where Pass::keep_dloss_dh asks for it
  AlignedBuffer<T> inverse;  ///< norms: 1/√(variance + ε), by row (layer_norm) or column (batch_norm)
  std::vector<BrickMemory> layers;
};

/// What a workspace is for: prediction keeps the outputs h alone, evaluation the last brick's z too (losses
/// are computed from it), training everything.
enum class Purpose { prediction, evaluation, training };

/// The memory of a whole stack, reused from step to step: once warm, it allocates nothing.
template <class T>
struct Workspace {
  std::vector<BrickMemory<T>> bricks;
  AlignedBuffer<T> row_losses;
  std::optional<LanesPass<T>> lanes;  ///< the faster way through stacks with interleaved row sums, same bits
  std::size_t rows = 0;

  /// Shapes everything for batches of `batch_rows` rows. One workspace serves one purpose.
  void prepare(const Network& network, std::size_t batch_rows, Purpose purpose) {
    if (batch_rows != rows || bricks.empty()) shape(network, batch_rows, purpose);
  }

 private:
  void shape(const Network& network, std::size_t batch_rows, Purpose purpose);
};

/// What all bricks of one pass share.
template <class T>
struct Pass {
  const T* parameters = nullptr;
  T* gradient = nullptr;        ///< dloss/dparameters, written by backward
  const T* running = nullptr;   ///< batch_norm's running statistics, read by inference
  T* running_update = nullptr;  ///< training: where they are moved towards the batch; null = left alone
  std::uint64_t seed = 0;       ///< dropout's masks are a function of seed, brick, step, row and unit
  std::uint64_t step = 0;
  bool training = false;
  bool keep_dloss_dh = false;
  RowSum row_sum = RowSum::sequential;
  Executor* executor = nullptr;
};

/// Runs B × inputs through the stack into `output` (B × outputs; may be the last brick's h). Inference
/// (pass.training false) needs only h of every brick but the last.
template <class T>
void forward(const std::vector<Brick>& bricks, const Pass<T>& pass, ConstMatrixView<T> input,
             MatrixView<T> output, std::vector<BrickMemory<T>>& memory);

/// From the last brick's `gradient` (dloss/dz where last_is_dz, else dloss/dh) to pass.gradient of every
/// parameter of the stack and, where it has data, to `dinput` (B × inputs). After a training forward of the
/// same pass.
template <class T>
void backward(const std::vector<Brick>& bricks, const Pass<T>& pass, ConstMatrixView<T> input,
              std::vector<BrickMemory<T>>& memory, MatrixView<T> dinput, bool last_is_dz);

}  // namespace mlpd::core
