#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/activation.h"
#include "core/loss.h"
#include "core/matrix.h"

namespace mlpd::core {

/// Samples side by side in the lanes pass, and partial sums of each parameter's gradient. A "row of lanes" is
/// one number for each; all its blocks are [unit][row].
inline constexpr std::size_t kSamples = 16;
/// Longest row of lanes: long batches take more samples at once, 16 after 16 into the same sums.
inline constexpr std::size_t kWidestRow = 32;

/// One dense brick of a small stack and where its numbers are in the flat parameters (and gradient).
struct LanesLayer {
  std::size_t inputs = 0;
  std::size_t units = 0;
  std::size_t weights = 0;  ///< offset of inputs × units numbers
  std::size_t bias = 0;     ///< offset of `units` numbers
  bool has_bias = true;
  Activation activation = Activation::linear;
};

template <class T>
struct LanesArguments;
template <class T>
struct LanesKernels;

/// Forward and backward pass of a small stack of dense bricks, fused: 16 samples at a time lie across the
/// vector lanes and the whole stack runs on them before the next 16. The numbers are those of core/kernels.h
/// with RowSum::interleaved, bit for bit. Owns its memory and allocates only when made; not thread-safe. T is
/// float or double.
template <class T>
class LanesPass {
 public:
  /// The layers follow one another; their numbers fill 0 … parameter_count−1. softmax only last.
  LanesPass(std::vector<LanesLayer> layers, const LossOptions& loss);
  LanesPass(LanesPass&&) noexcept;
  ~LanesPass();

  /// Data loss' gradient over the batch (N × inputs, N × outputs; row_weights null or N numbers):
  /// parameter_count numbers, no penalty. last_z and last_h (null: not wanted) get the last brick's values, N
  /// × outputs.
  void gradient(ConstMatrixView<T> inputs, ConstMatrixView<T> targets, const T* row_weights,
                const T* parameters, T* gradient, T* last_z, T* last_h);

  /// The same last_z and last_h alone.
  void forward(ConstMatrixView<T> inputs, const T* parameters, T* last_z, T* last_h);

 private:
  const LanesKernels<T>* kernels_;
  std::vector<LanesLayer> layers_;
  AlignedBuffer<T> memory_;
  std::unique_ptr<LanesArguments<T>> arguments_;  // points into the two above
};

}  // namespace mlpd::core
