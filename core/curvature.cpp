#include "core/curvature.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/random.h"

namespace mlpd::core {

namespace {

constexpr double kRelativeTolerance = 1e-3;
/// Near the cube root of float64's precision, where a central difference is best.
constexpr double kDifference = 1e-5;
constexpr std::uint64_t kStartVectorStream = std::uint64_t{1} << 51;

double norm(const std::vector<double>& v) {
  double squares = 0;
  for (double x : v) squares += x * x;
  return std::sqrt(squares);
}

/// H·v of one block by (∇(w + e·v) − ∇(w − e·v)) / 2e.
class BlockHessian {
 public:
  BlockHessian(Objective<double>& objective, const Batch<double>& batch, std::uint64_t step,
               AlignedBuffer<double>& parameters, Range range)
      : objective_(objective), batch_(batch), step_(step), parameters_(parameters), range_(range) {
    start_.assign(parameters_.data() + range.offset, parameters_.data() + range.offset + range.count);
    difference_ = kDifference * std::max(1.0, norm(start_));
    gradient_.resize(parameters_.size());
  }
  ~BlockHessian() { std::copy(start_.begin(), start_.end(), parameters_.data() + range_.offset); }
  BlockHessian(const BlockHessian&) = delete;
  BlockHessian& operator=(const BlockHessian&) = delete;

  std::vector<double> times(const std::vector<double>& v) {
    std::vector<double> product = gradient_at(v, difference_);
    const std::vector<double> behind = gradient_at(v, -difference_);
    for (std::size_t i = 0; i < product.size(); ++i)
      product[i] = (product[i] - behind[i]) / (2 * difference_);
    return product;
  }

 private:
  std::vector<double> gradient_at(const std::vector<double>& v, double length) {
    for (std::size_t i = 0; i < v.size(); ++i) parameters_[range_.offset + i] = start_[i] + length * v[i];
    objective_.gradient(batch_, parameters_.data(), nullptr, step_, gradient_.data());
    return {gradient_.data() + range_.offset, gradient_.data() + range_.offset + range_.count};
  }

  Objective<double>& objective_;
  const Batch<double>& batch_;
  std::uint64_t step_;
  AlignedBuffer<double>& parameters_;
  Range range_;
  std::vector<double> start_;
  AlignedBuffer<double> gradient_;
  double difference_ = 0;
};

/// The eigenvalue of largest magnitude of H + shift·I.
double power_iteration(BlockHessian& hessian, std::size_t count, double shift) {
  std::vector<double> v(count);
  for (std::size_t i = 0; i < count; ++i) v[i] = uniform_at(0, kStartVectorStream, 0, i) - 0.5;
  double length = norm(v);
  double eigenvalue = 0;
  for (std::size_t i = 0; i < kPowerIterationsMax && length > 0; ++i) {
    for (double& x : v) x /= length;
    std::vector<double> next = hessian.times(v);
    double rayleigh = shift;
    for (std::size_t k = 0; k < count; ++k) {
      rayleigh += v[k] * next[k];
      next[k] += shift * v[k];
    }
    if (!std::isfinite(rayleigh)) return std::numeric_limits<double>::quiet_NaN();
    const bool settled = std::abs(rayleigh - eigenvalue) <= kRelativeTolerance * std::abs(rayleigh);
    eigenvalue = rayleigh;
    if (settled) break;
    v = std::move(next);
    length = norm(v);
  }
  return eigenvalue;
}

}  // namespace

double largest_curvature(Objective<double>& objective, const Batch<double>& batch, std::uint64_t step,
                         AlignedBuffer<double>& parameters, Range range) {
  BlockHessian hessian(objective, batch, step, parameters, range);
  const double first = power_iteration(hessian, range.count, 0);
  if (!(first < 0)) return first;
  return power_iteration(hessian, range.count, -first) + first;
}

}  // namespace mlpd::core
