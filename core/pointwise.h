#pragma once

#include "core/activation.h"
#include "core/elementary.h"
#include "core/loss.h"

/// Activations, losses and their slopes for single numbers; the vector kernels compile the same source.
namespace mlpd::core::elementary {

/// leaky_relu's slope below zero.
template <class T>
inline constexpr T kLeakySlope = static_cast<T>(0.01);

#include "core/pointwise_functions.inc"

}  // namespace mlpd::core::elementary
