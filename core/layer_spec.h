#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/activation.h"
#include "core/initializer.h"

namespace mlpd::core {

/// The bricks that a network is stacked from.
enum class LayerKind { dense, dropout, layer_norm, batch_norm, residual };

/// One brick as a user specifies it; each field is used by the kinds named beside it.
struct LayerSpec {
  LayerKind kind = LayerKind::dense;
  std::size_t units = 0;                     ///< dense: 1 … 65,536
  Activation activation = Activation::tanh;  ///< dense
  bool bias = true;                          ///< dense
  std::optional<InitializerOptions>
      initializer;                    ///< dense: none = xavier_uniform, he_uniform for the relu family
  std::vector<double> start_weights;  ///< dense: inputs × units, row-major; empty = from the initializer
  std::vector<double> start_bias;     ///< dense: units; empty = zeros
  double rate = 0.5;                  ///< dropout: [0, 1), the share that is dropped
  double momentum = 0.1;              ///< batch_norm: (0, 1]
  double epsilon = 1e-5;              ///< layer_norm, batch_norm: > 0
  std::vector<LayerSpec> layers;      ///< residual: output width = input width; h = x + stack(x)
  bool operator==(const LayerSpec&) const = default;
};

/// One row: the wire name and the wire names of the fields that this brick takes.
struct LayerRow {
  LayerKind value;
  std::string_view name;
  std::span<const std::string_view> fields;
};

std::span<const LayerRow> layer_kinds();

}  // namespace mlpd::core
