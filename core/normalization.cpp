#include "core/normalization.h"

#include <algorithm>
#include <cmath>

namespace mlpd::core {

namespace {

/// dscale = Σ_b g ∘ x̂ and dshift = Σ_b g, rows in order.
template <class T>
void affine_backward(const Brick& brick, const Pass<T>& pass, const BrickMemory<T>& memory) {
  const std::size_t units = brick.outputs;
  T* dscale = pass.gradient + brick.weights;
  T* dshift = pass.gradient + brick.bias;
  std::fill_n(dscale, units, T{0});
  std::fill_n(dshift, units, T{0});
  for (std::size_t r = 0; r < memory.z.rows(); ++r) {
    const T* g = memory.gradient.view().row(r);
    const T* normalized = memory.z.view().row(r);
    for (std::size_t j = 0; j < units; ++j) {
      dscale[j] += g[j] * normalized[j];
      dshift[j] += g[j];
    }
  }
}

}  // namespace

template <class T>
void layer_norm_forward(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> x, MatrixView<T> h,
                        BrickMemory<T>& memory) {
  const T* scale = pass.parameters + brick.weights;
  const T* shift = pass.parameters + brick.bias;
  const T epsilon = static_cast<T>(brick.spec->epsilon);
  const T count = static_cast<T>(x.columns);
  for (std::size_t r = 0; r < x.rows; ++r) {
    const T* in = x.row(r);
    T sum = 0;
    for (std::size_t j = 0; j < x.columns; ++j) sum += in[j];
    const T mean = sum / count;
    T squares = 0;
    for (std::size_t j = 0; j < x.columns; ++j) squares += (in[j] - mean) * (in[j] - mean);
    const T inverse = T{1} / std::sqrt(squares / count + epsilon);
    T* out = h.row(r);
    if (pass.training) {
      memory.inverse[r] = inverse;
      T* normalized = memory.z.view().row(r);
      for (std::size_t j = 0; j < x.columns; ++j) normalized[j] = (in[j] - mean) * inverse;
    }
    for (std::size_t j = 0; j < x.columns; ++j) out[j] = scale[j] * ((in[j] - mean) * inverse) + shift[j];
  }
}

template <class T>
void layer_norm_backward(const Brick& brick, const Pass<T>& pass, BrickMemory<T>& memory,
                         MatrixView<T> dinput) {
  affine_backward(brick, pass, memory);
  if (dinput.data == nullptr) return;
  const T* scale = pass.parameters + brick.weights;
  const T count = static_cast<T>(brick.outputs);
  for (std::size_t r = 0; r < dinput.rows; ++r) {
    const T* g = memory.gradient.view().row(r);
    const T* normalized = memory.z.view().row(r);
    T sum = 0;
    T projected = 0;
    for (std::size_t j = 0; j < brick.outputs; ++j) {
      sum += g[j] * scale[j];
      projected += g[j] * scale[j] * normalized[j];
    }
    T* out = dinput.row(r);
    for (std::size_t j = 0; j < brick.outputs; ++j)
      out[j] = memory.inverse[r] * (g[j] * scale[j] - (sum + normalized[j] * projected) / count);
  }
}

namespace {

template <class T>
void batch_norm_infer(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> x, MatrixView<T> h) {
  const T* scale = pass.parameters + brick.weights;
  const T* shift = pass.parameters + brick.bias;
  const T* mean = pass.running + brick.running;
  const T* variance = mean + brick.outputs;
  const T epsilon = static_cast<T>(brick.spec->epsilon);
  for (std::size_t r = 0; r < x.rows; ++r)
    for (std::size_t j = 0; j < x.columns; ++j)
      h(r, j) = scale[j] * ((x(r, j) - mean[j]) / std::sqrt(variance[j] + epsilon)) + shift[j];
}

/// Mean of column j into mean[j] and its biased variance into variance[j].
template <class T>
void column_moments(ConstMatrixView<T> x, T* mean, T* variance) {
  const T rows = static_cast<T>(x.rows);
  std::fill_n(mean, x.columns, T{0});
  std::fill_n(variance, x.columns, T{0});
  for (std::size_t r = 0; r < x.rows; ++r)
    for (std::size_t j = 0; j < x.columns; ++j) mean[j] += x(r, j);
  for (std::size_t j = 0; j < x.columns; ++j) mean[j] /= rows;
  for (std::size_t r = 0; r < x.rows; ++r)
    for (std::size_t j = 0; j < x.columns; ++j) variance[j] += (x(r, j) - mean[j]) * (x(r, j) - mean[j]);
  for (std::size_t j = 0; j < x.columns; ++j) variance[j] /= rows;
}

}  // namespace

template <class T>
void batch_norm_forward(const Brick& brick, const Pass<T>& pass, ConstMatrixView<T> x, MatrixView<T> h,
                        BrickMemory<T>& memory) {
  if (!pass.training) return batch_norm_infer(brick, pass, x, h);
  const std::size_t units = brick.outputs;
  const T* scale = pass.parameters + brick.weights;
  const T* shift = pass.parameters + brick.bias;
  T* inverse = memory.inverse.data();
  T* mean = inverse + units;
  T* variance = mean + units;
  column_moments(x, mean, variance);
  if (pass.running_update != nullptr) {
    const T momentum = static_cast<T>(brick.spec->momentum);
    const T unbiased = static_cast<T>(x.rows) / static_cast<T>(x.rows - 1);
    T* running = pass.running_update + brick.running;
    for (std::size_t j = 0; j < units; ++j) {
      running[j] = (T{1} - momentum) * running[j] + momentum * mean[j];
      running[units + j] = (T{1} - momentum) * running[units + j] + momentum * (variance[j] * unbiased);
    }
  }
  const T epsilon = static_cast<T>(brick.spec->epsilon);
  for (std::size_t j = 0; j < units; ++j) inverse[j] = T{1} / std::sqrt(variance[j] + epsilon);
  for (std::size_t r = 0; r < x.rows; ++r)
    for (std::size_t j = 0; j < units; ++j) {
      memory.z(r, j) = (x(r, j) - mean[j]) * inverse[j];
      h(r, j) = scale[j] * memory.z(r, j) + shift[j];
    }
}

template <class T>
void batch_norm_backward(const Brick& brick, const Pass<T>& pass, BrickMemory<T>& memory,
                         MatrixView<T> dinput) {
  affine_backward(brick, pass, memory);
  if (dinput.data == nullptr) return;
  const T* scale = pass.parameters + brick.weights;
  const T* dscale = pass.gradient + brick.weights;
  const T* dshift = pass.gradient + brick.bias;
  const T rows = static_cast<T>(dinput.rows);
  for (std::size_t r = 0; r < dinput.rows; ++r)
    for (std::size_t j = 0; j < brick.outputs; ++j)
      dinput(r, j) = scale[j] * memory.inverse[j] *
                     (memory.gradient(r, j) - (dshift[j] + memory.z(r, j) * dscale[j]) / rows);
}

#define MLPD_INSTANTIATE(T)                                                                            \
  template void layer_norm_forward<T>(const Brick&, const Pass<T>&, ConstMatrixView<T>, MatrixView<T>, \
                                      BrickMemory<T>&);                                                \
  template void layer_norm_backward<T>(const Brick&, const Pass<T>&, BrickMemory<T>&, MatrixView<T>);  \
  template void batch_norm_forward<T>(const Brick&, const Pass<T>&, ConstMatrixView<T>, MatrixView<T>, \
                                      BrickMemory<T>&);                                                \
  template void batch_norm_backward<T>(const Brick&, const Pass<T>&, BrickMemory<T>&, MatrixView<T>);
MLPD_INSTANTIATE(float)
MLPD_INSTANTIATE(double)
#undef MLPD_INSTANTIATE

}  // namespace mlpd::core
