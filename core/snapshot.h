#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/matrix.h"
#include "core/network_spec.h"
#include "core/preprocess.h"

namespace mlpd::core {

/// Scratch memory of one prediction at a time; reused, so that a warm one allocates nothing.
class PredictWorkspace {
 public:
  virtual ~PredictWorkspace() = default;
};

/// The immutable parameters of one step, ready to predict. Any number of threads may use one at once, each
/// with its own workspace. A row's outputs have the same bits in whatever batch it comes.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual const NetworkSpec& spec() const = 0;
  virtual std::uint64_t step() const = 0;
  virtual std::shared_ptr<const Preprocess> preprocess() const = 0;
  virtual std::unique_ptr<PredictWorkspace> make_workspace() const = 0;

  /// inputs B × spec().inputs → outputs B × output_count, B ≥ 0. The overload must match spec().dtype; the
  /// other one is a programmer's error. Outputs may be non-finite only if the inputs overflow the network.
  virtual void predict(ConstMatrixView<float> inputs, MatrixView<float> outputs,
                       PredictWorkspace& workspace) const = 0;
  virtual void predict(ConstMatrixView<double> inputs, MatrixView<double> outputs,
                       PredictWorkspace& workspace) const = 0;
};

}  // namespace mlpd::core
