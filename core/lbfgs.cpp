// L-BFGS with a strong Wolfe line search: Nocedal & Wright, Numerical Optimization, 2nd ed.,
// algorithms 7.4, 3.5, 3.6.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "core/solver.h"

namespace mlpd::core {

namespace {

constexpr double kSufficientDecrease = 1e-4;  // c₁
constexpr double kCurvature = 0.9;            // c₂
constexpr int kEvaluations = 25;              // of one line search

template <class T>
double dot(const T* a, const T* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

template <class T>
double largest(const T* g, std::size_t n) {
  double size = 0;
  for (std::size_t i = 0; i < n; ++i) size = std::max(size, std::abs(static_cast<double>(g[i])));
  return size;
}

/// A step length tried, the loss there and its slope along the direction.
struct Point {
  double length = 0;
  double value = 0;
  double slope = 0;
};

/// Where the cubic through both points has its minimum, kept away from the ends of the interval (3.59).
double between(const Point& a, const Point& b) {
  const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.length - b.length);
  const double square = d1 * d1 - a.slope * b.slope;
  const double low = std::min(a.length, b.length);
  const double width = std::abs(b.length - a.length);
  double length = low + width / 2;
  if (square >= 0) {
    const double d2 = std::copysign(std::sqrt(square), b.length - a.length);
    const double cubic =
        b.length - (b.length - a.length) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
    if (std::isfinite(cubic)) length = cubic;
  }
  return std::clamp(length, low + 0.1 * width, low + 0.9 * width);
}

}  // namespace

/// direction_ = −H·gradient_, H from the pairs by the two-loop recursion.
template <class T>
void Solver<T>::descend(const SolverState<T>& state) {
  const std::size_t n = gradient_.size();
  const auto s = [&](std::uint64_t i) { return state.position_differences.data() + i * n; };
  const auto y = [&](std::uint64_t i) { return state.gradient_differences.data() + i * n; };
  double alpha[kLbfgsPairs];
  for (std::size_t i = 0; i < n; ++i) direction_[i] = -gradient_[i];
  for (std::uint64_t i = state.pairs; i-- > 0;) {
    alpha[i] = dot(s(i), direction_.data(), n) / dot(s(i), y(i), n);
    for (std::size_t k = 0; k < n; ++k) direction_[k] -= static_cast<T>(alpha[i]) * y(i)[k];
  }
  if (state.pairs > 0) {
    const std::uint64_t last = state.pairs - 1;
    const T scale = static_cast<T>(dot(s(last), y(last), n) / dot(y(last), y(last), n));
    for (std::size_t k = 0; k < n; ++k) direction_[k] *= scale;
  }
  for (std::uint64_t i = 0; i < state.pairs; ++i) {
    const double beta = dot(y(i), direction_.data(), n) / dot(s(i), y(i), n);
    for (std::size_t k = 0; k < n; ++k) direction_[k] += static_cast<T>(alpha[i] - beta) * s(i)[k];
  }
}

/// Leaves the accepted point in trial_ and trial_gradient_ and returns its loss; NaN where none is lower than
/// `value`.
template <class T>
double Solver<T>::search(Objective<T>& objective, const Batch<T>& batch, const T* from, double value,
                         double first) {
  const std::size_t n = gradient_.size();
  const Point start{0, value, dot(gradient_.data(), direction_.data(), n)};
  const auto probe = [&](double length) {
    for (std::size_t i = 0; i < n; ++i) trial_[i] = from[i] + static_cast<T>(length) * direction_[i];
    const double loss = evaluate(objective, batch, trial_.data(), trial_gradient_.data()).loss();
    return Point{length, loss, dot(trial_gradient_.data(), direction_.data(), n)};
  };
  Point low = start;
  std::optional<Point> high;
  double length = first;
  for (int i = 0; i < kEvaluations; ++i) {
    const Point p = probe(length);
    if (!std::isfinite(p.value) || !std::isfinite(p.slope)) {
      high = {length, std::numeric_limits<double>::infinity(), 0};
    } else if (p.value > start.value + kSufficientDecrease * length * start.slope || p.value >= low.value) {
      high = p;
    } else if (std::abs(p.slope) <= -kCurvature * start.slope) {
      return p.value;
    } else {
      if (high ? p.slope * (high->length - low.length) >= 0 : p.slope >= 0) high = low;
      low = p;
    }
    if (!high)
      length *= 2;
    else if (std::isfinite(high->value))
      length = between(low, *high);
    else
      length = low.length + (high->length - low.length) / 10;
  }
  if (low.length == 0) return std::numeric_limits<double>::quiet_NaN();
  return probe(low.length).value;
}

/// Keeps the move from `from` to trial_ as the newest pair, where its curvature is positive.
template <class T>
void Solver<T>::remember(SolverState<T>& state, const T* from) {
  const std::size_t n = gradient_.size();
  state.position_differences.resize(kLbfgsPairs * n);
  state.gradient_differences.resize(kLbfgsPairs * n);
  if (state.pairs == kLbfgsPairs) {
    for (AlignedBuffer<T>* buffer : {&state.position_differences, &state.gradient_differences})
      std::copy(buffer->begin() + n, buffer->end(), buffer->begin());
    --state.pairs;
  }
  T* s = state.position_differences.data() + state.pairs * n;
  T* y = state.gradient_differences.data() + state.pairs * n;
  for (std::size_t i = 0; i < n; ++i) {
    s[i] = trial_[i] - from[i];
    y[i] = trial_gradient_[i] - gradient_[i];
  }
  const double curvature = dot(s, y, n);
  if (curvature > 1e-10 * dot(y, y, n) && std::isfinite(curvature)) ++state.pairs;
}

template <class T>
double Solver<T>::lbfgs(Tolerance tolerance, Objective<T>& objective, const Batch<T>& batch,
                        SolverState<T>& state, T* parameters) {
  const std::size_t n = gradient_.size();
  const double value = evaluate(objective, batch, parameters, gradient_.data()).loss();
  const double size = largest(gradient_.data(), n);
  if (!(size > tolerance.gradient)) {
    state.converged = true;
    return value;
  }
  descend(state);
  if (dot(gradient_.data(), direction_.data(), n) >= 0) state.pairs = 0, descend(state);
  const double first = state.pairs > 0 ? 1 : std::min(1.0, 1 / (size * static_cast<double>(n)));
  double found = search(objective, batch, parameters, value, first);
  if (std::isnan(found) && state.pairs > 0) {
    state.pairs = 0;
    descend(state);
    found = search(objective, batch, parameters, value, std::min(1.0, 1 / size));
  }
  if (std::isnan(found)) {
    state.converged = true;
    return value;
  }
  remember(state, parameters);
  std::copy_n(trial_.data(), n, parameters);
  const double scale = std::max(std::abs(value), std::abs(found));
  state.converged = value - found <= tolerance.decrease * scale;
  return found;
}

template class Solver<float>;
template class Solver<double>;

}  // namespace mlpd::core
