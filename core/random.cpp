#include "core/random.h"

#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/elementary.h"

namespace mlpd::core {
namespace {

__extension__ using Uint128 = unsigned __int128;

/// The upper 53 bits as a fraction in [0, 1).
double fraction(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

}  // namespace

// Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC'11.
std::array<std::uint64_t, 2> random_block(std::uint64_t counter_low, std::uint64_t counter_high,
                                          std::uint64_t key) {
  std::array<std::uint32_t, 4> x = {
      static_cast<std::uint32_t>(counter_low), static_cast<std::uint32_t>(counter_low >> 32),
      static_cast<std::uint32_t>(counter_high), static_cast<std::uint32_t>(counter_high >> 32)};
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * x[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<std::uint32_t>(product1 >> 32) ^ x[1] ^ key0, static_cast<std::uint32_t>(product1),
         static_cast<std::uint32_t>(product0 >> 32) ^ x[3] ^ key1, static_cast<std::uint32_t>(product0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return {x[0] | (std::uint64_t{x[1]} << 32), x[2] | (std::uint64_t{x[3]} << 32)};
}

std::uint64_t Random::bits() { return random_block(counter_++, stream_, seed_)[0]; }

double Random::uniform() { return fraction(bits()); }

double Random::uniform(double low, double high) {
  const double value = std::fma(high - low, uniform(), low);
  return value < high ? value : std::nextafter(high, low);  // rounding may reach the open end
}

double Random::normal() {
  // Box–Muller; one block gives both uniforms. 1 − u is in (0, 1], so the logarithm is finite.
  const auto block = random_block(counter_++, stream_, seed_);
  const double radius = std::sqrt(-2 * elementary::log(1 - fraction(block[0])));
  return radius * elementary::cos_pi(2 * fraction(block[1]));
}

std::uint64_t Random::below(std::uint64_t bound) {
  // Lemire: "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019.
  const std::uint64_t excluded = (0 - bound) % bound;
  for (;;) {
    const Uint128 product = Uint128{bits()} * bound;
    if (static_cast<std::uint64_t>(product) >= excluded) return static_cast<std::uint64_t>(product >> 64);
  }
}

double uniform_at(std::uint64_t seed, std::uint64_t stream, std::uint64_t a, std::uint64_t b) {
  // A key of its own for (seed, stream).
  const std::uint64_t key = random_block(stream, ~std::uint64_t{0}, seed)[1];
  return fraction(random_block(a, b, key)[0]);
}

std::vector<std::size_t> permutation(std::size_t count, std::uint64_t seed, std::uint64_t stream) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed, stream);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

}  // namespace mlpd::core
