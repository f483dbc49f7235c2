#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/layer_spec.h"
#include "core/matrix.h"

namespace mlpd::core {

/// A traced block of numbers in float64 (exact for both dtypes) with its shape; empty where a brick has none.
struct TracedArray {
  std::vector<std::size_t> shape;  ///< rows × columns, or rows × k × k for softmax's dh_dz
  std::vector<double> values;
};

/// Everything that one brick did in one forward / loss / backward / update pass on B rows.
struct TracedLayer {
  LayerKind kind = LayerKind::dense;
  std::string activation;
  TracedArray input;           ///< B × inputs
  TracedArray weights;         ///< inputs × units
  TracedArray bias;            ///< 1 × units
  TracedArray z;               ///< B × units
  TracedArray h;               ///< B × units
  TracedArray dh_dz;           ///< B × units; B × units × units for softmax
  TracedArray dloss_dh;        ///< B × units; empty where loss and activation are fused
  TracedArray dloss_dz;        ///< B × units
  TracedArray dloss_dweights;  ///< inputs × units, penalty included, before clipping
  TracedArray dloss_dbias;     ///< 1 × units
  TracedArray weights_next;    ///< inputs × units, after the update by the live optimizer state
  TracedArray bias_next;       ///< 1 × units
  std::vector<std::pair<std::string, std::string>>
      formulas;                     ///< name of a matrix → its formula as plain text
  std::vector<TracedLayer> layers;  ///< residual: the inner stack
};

/// The glass box of one training step. Made by the same code path as training.
struct Trace {
  std::uint64_t step = 0;
  double loss = 0;
  double data_loss = 0;
  double penalty = 0;
  double learning_rate = 0;
  double gradient_norm = 0;  ///< before clipping
  std::vector<TracedLayer> layers;
};

/// Bounds of one trace (api.md): rows, and numbers in all arrays together.
struct TraceLimits {
  std::size_t rows = 64;
  std::size_t numbers = 1'000'000;
};

}  // namespace mlpd::core
