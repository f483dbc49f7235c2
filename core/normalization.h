#pragma once

#include "core/layer.h"

/// The two normalizing bricks: x̂ = (x − mean)/√(variance + ε), h = scale ∘ x̂ + shift, over each row's units
/// (layer_norm) or each column's rows (batch_norm; formulas and running statistics as PyTorch's BatchNorm1d:
/// biased variance to normalize, unbiased in the running one). Sums are chains in index order.
namespace mlpd::core {

template <class T>
void layer_norm_forward(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> x, MatrixView<T> h,
                        BrickMemory<T>& memory);
template <class T>
void layer_norm_backward(const Brick& brick, const Pass<T>& pass, BrickMemory<T>& memory,
                         MatrixView<T> dinput);

/// Training needs two rows or more.
template <class T>
void batch_norm_forward(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> x, MatrixView<T> h,
                        BrickMemory<T>& memory);
template <class T>
void batch_norm_backward(const Brick& brick, const Pass<T>& pass, BrickMemory<T>& memory,
                         MatrixView<T> dinput);

}  // namespace mlpd::core
