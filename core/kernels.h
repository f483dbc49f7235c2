#pragma once

#include <cstddef>
#include <string_view>

#include "core/activation.h"
#include "core/executor.h"
#include "core/matrix.h"

/// The linear algebra behind one narrow door. The arithmetic is defined here once; the naive oracle
/// (core/kernels_oracle.cpp, std::fma) implements it as written and every fast path equals it bit for bit:
///
///  - a dot product is one chain of fused multiply-adds in index order, started at the bias (0 where there is
///  none);
///  - a sum over the batch's rows is a chain in row order (RowSum::sequential), or for small networks
///    (RowSum::interleaved) 16 partial chains, row r in partial r mod 16, then the tree
///    s[i] += s[i+8], s[i] += s[i+4], s[i] += s[i+2], s[0] + s[1];
///  - exp, tanh, log, erf are the stated polynomials of core/elementary.h;
///  - there is no -ffast-math and no contraction (-ffp-contract=off).
///
/// Which RowSum a network uses depends on its shape alone. T is float or double.
namespace mlpd::core {

enum class RowSum { sequential, interleaved };

/// out[b][j] = bias[j] + Σ_k input[b][k]·weights[k][j], k ascending. bias may be null. B × I · I × U → B × U.
template <class T>
void dense_forward(MatrixView<T> out, ConstMatrixView<T> input, ConstMatrixView<T> weights, const T* bias,
                   Executor& executor);

/// dinput[b][k] = Σ_j dz[b][j]·weights[k][j], j ascending. B × U · (I × U)ᵀ → B × I.
template <class T>
void dense_backward_input(MatrixView<T> dinput, ConstMatrixView<T> dz, ConstMatrixView<T> weights,
                          Executor& executor);

/// dweights[k][j] = Σ_b input[b][k]·dz[b][j] and dbias[j] = Σ_b dz[b][j] in the order of `row_sum`. dbias may
/// be null.
template <class T>
void dense_backward_weights(MatrixView<T> dweights, T* dbias, ConstMatrixView<T> input, ConstMatrixView<T> dz,
                            RowSum row_sum, Executor& executor);

/// h = f(z) elementwise (softmax: by rows). h may be z.
template <class T>
void activate(Activation activation, MatrixView<T> h, ConstMatrixView<T> z);

/// dz = dh ∘ f′(z), from z and h = f(z); softmax by rows: dz_j = h_j·(dh_j − Σ_k h_k·dh_k). dz may be dh.
template <class T>
void activate_backward(Activation activation, MatrixView<T> dz, ConstMatrixView<T> dh, ConstMatrixView<T> z,
                       ConstMatrixView<T> h);

/// Sum of `values` in the order of `row_sum` (each value is one row's).
template <class T>
T sum_rows(const T* values, std::size_t count, RowSum row_sum);

/// The instruction set that runs here: "AVX2", "AVX-512", "NEON", … or "oracle" on a CPU without FMA.
std::string_view instruction_set();

/// The same functions as written above, in scalar code: the truth that tests compare the fast ones with by
/// ==.
namespace oracle {
template <class T>
void dense_forward(MatrixView<T> out, ConstMatrixView<T> input, ConstMatrixView<T> weights, const T* bias);
template <class T>
void dense_backward_input(MatrixView<T> dinput, ConstMatrixView<T> dz, ConstMatrixView<T> weights);
template <class T>
void dense_backward_weights(MatrixView<T> dweights, T* dbias, ConstMatrixView<T> input, ConstMatrixView<T> dz,
                            RowSum row_sum);
template <class T>
void activate(Activation activation, MatrixView<T> h, ConstMatrixView<T> z);
template <class T>
void activate_backward(Activation activation, MatrixView<T> dz, ConstMatrixView<T> dh, ConstMatrixView<T> z,
                       ConstMatrixView<T> h);
template <class T>
T sum_rows(const T* values, std::size_t count, RowSum row_sum);
}  // namespace oracle

}  // namespace mlpd::core
