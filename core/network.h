#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/kernels.h"
#include "core/matrix.h"
#include "core/network_spec.h"

namespace mlpd::core {

/// Streams of Random under a network's seed (core/random.h). Brick i draws its initial weights from stream i.
inline constexpr std::uint64_t kEpochStream = std::uint64_t{1} << 40;    ///< + epoch: the order of its rows
inline constexpr std::uint64_t kDropoutStream = std::uint64_t{1} << 50;  ///< + brick ordinal: masks

/// One brick of a built network: its shape and where its numbers are in the flat buffers.
struct Brick {
  const LayerSpec* spec = nullptr;  ///< inside the Network
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::size_t weights = 0;  ///< offset in the parameters: dense inputs × units; norms: scale, 1 × units
  std::size_t weight_count = 0;  ///< 0 where the brick has none
  std::size_t bias = 0;          ///< offset of the bias (norms: shift), 1 × units
  std::size_t bias_count = 0;
  std::size_t running =
      0;  ///< batch_norm: offset of mean then variance (1 × units each) in the running buffer
  std::uint64_t ordinal = 0;  ///< position in depth-first order: its random stream
  std::string path;           ///< "3", or "3.0" inside the residual brick 3
  std::vector<Brick> layers;  ///< residual: the inner stack
};

/// A run of consecutive numbers of a flat buffer.
struct Range {
  std::size_t offset = 0;
  std::size_t count = 0;
};

/// The shape of a network: bricks, offsets and the order of its row sums. Immutable; safe from any thread.
class Network {
 public:
  /// The spec must be valid (validate()). Start numbers are not kept.
  explicit Network(const NetworkSpec& spec);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const NetworkSpec& spec() const { return spec_; }
  const std::vector<Brick>& bricks() const { return bricks_; }
  std::size_t parameter_count() const { return parameter_count_; }
  /// Numbers of running statistics of all batch_norm bricks.
  std::size_t running_count() const { return running_count_; }
  std::size_t output_count() const { return bricks_.back().outputs; }
  Activation last_activation() const { return bricks_.back().spec->activation; }
  /// What the penalty is over: the weights of dense bricks.
  const std::vector<Range>& penalized() const { return penalized_; }
  const std::vector<const Brick*>& batch_norms() const { return batch_norms_; }
  /// The one place where a network's shape chooses its arithmetic: interleaved row sums up to
  /// kInterleavedParameters numbers in dense bricks alone, sequential past it.
  RowSum row_sum() const { return row_sum_; }

 private:
  void place(Brick& brick, const LayerSpec& spec, std::size_t inputs, std::string path);

  NetworkSpec spec_;
  std::vector<Brick> bricks_;
  std::size_t parameter_count_ = 0;
  std::size_t running_count_ = 0;
  std::uint64_t ordinals_ = 0;
  bool dense_only_ = true;
  std::vector<Range> penalized_;
  std::vector<const Brick*> batch_norms_;
  RowSum row_sum_ = RowSum::sequential;
};

/// Largest network whose row sums are interleaved.
inline constexpr std::size_t kInterleavedParameters = 1000;

/// Fills `parameters` (parameter_count numbers) with the spec's start numbers or its initializers' draws;
/// norms start at scale 1, shift 0.
template <class T>
void initialize_parameters(const Network& network, const NetworkSpec& spec, T* parameters);

/// Fills `running` (running_count numbers) with mean 0 and variance 1.
template <class T>
void initialize_running(const Network& network, T* running);

}  // namespace mlpd::core
