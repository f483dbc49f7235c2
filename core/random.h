#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mlpd::core {

/// Counter-based random numbers (Philox4x32-10, Salmon et al. 2011): every draw is a function of
/// (seed, stream, counter), so random state is a counter and nothing needs a lock. No libm; same bits
/// everywhere.
class Random {
 public:
  /// `stream` separates uses of one seed (initialisation of brick i, epoch order, dropout, a generator, …).
  Random(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter = 0)
      : seed_(seed), stream_(stream), counter_(counter) {}

  std::uint64_t bits();                      ///< 64 uniform bits
  double uniform();                          ///< [0, 1), 53 bits
  double uniform(double low, double high);   ///< [low, high)
  double normal();                           ///< N(0, 1)
  std::uint64_t below(std::uint64_t bound);  ///< [0, bound), unbiased; bound ≥ 1
  std::uint64_t counter() const { return counter_; }

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t counter_;
};

/// The raw Philox4x32-10 block behind the draws: the 128-bit counter (low, high) under `key`, as two words
/// (the first is words 0 and 1 of the published vectors, low half first).
std::array<std::uint64_t, 2> random_block(std::uint64_t counter_low, std::uint64_t counter_high,
                                          std::uint64_t key);

/// The uniform number in [0, 1) at (seed, stream, a, b) without a generator object: dropout masks.
double uniform_at(std::uint64_t seed, std::uint64_t stream, std::uint64_t a, std::uint64_t b);

/// 0 … count−1 in the random order of (seed, stream): Fisher–Yates.
std::vector<std::size_t> permutation(std::size_t count, std::uint64_t seed, std::uint64_t stream);

}  // namespace mlpd::core
