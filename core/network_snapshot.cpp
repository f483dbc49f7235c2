#include "core/network_snapshot.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/objective.h"

namespace mlpd::core {

namespace {

/// Rows predicted at a time: bounds the scratch memory of large batches without slowing the kernels.
constexpr std::size_t kRowsAtATime = 256;

template <class T>
class Scratch final : public PredictWorkspace {
 public:
  Workspace<T> workspace;
  Workspace<T> rest;  // for the short last block, so that neither is ever reshaped back and forth
};

template <class T>
class NetworkSnapshot final : public Snapshot {
 public:
  NetworkSnapshot(std::shared_ptr<const Network> network, NetworkSpec spec, std::uint64_t step,
                  std::shared_ptr<const Preprocess> preprocess, AlignedBuffer<T> parameters,
                  AlignedBuffer<T> running)
      : network_(std::move(network)),
        spec_(std::move(spec)),
        step_(step),
        preprocess_(std::move(preprocess)),
        parameters_(std::move(parameters)),
        running_(std::move(running)) {}

  const NetworkSpec& spec() const override { return spec_; }
  std::uint64_t step() const override { return step_; }
  std::shared_ptr<const Preprocess> preprocess() const override { return preprocess_; }
  std::unique_ptr<PredictWorkspace> make_workspace() const override { return std::make_unique<Scratch<T>>(); }

  void predict(ConstMatrixView<float> inputs, MatrixView<float> outputs,
               PredictWorkspace& workspace) const override {
    if constexpr (std::is_same_v<T, float>) run(inputs, outputs, workspace);
  }
  void predict(ConstMatrixView<double> inputs, MatrixView<double> outputs,
               PredictWorkspace& workspace) const override {
    if constexpr (std::is_same_v<T, double>) run(inputs, outputs, workspace);
  }

 private:
  void run(ConstMatrixView<T> inputs, MatrixView<T> outputs, PredictWorkspace& workspace) const {
    Scratch<T>& scratch = static_cast<Scratch<T>&>(workspace);
    SerialExecutor executor;
    for (std::size_t row = 0; row < inputs.rows; row += kRowsAtATime) {
      const std::size_t rows = std::min(kRowsAtATime, inputs.rows - row);
      infer<T>(*network_, parameters_.data(), running_.data(), {inputs.row(row), rows, inputs.columns},
               {outputs.row(row), rows, outputs.columns},
               rows == kRowsAtATime ? scratch.workspace : scratch.rest, Purpose::prediction, executor);
    }
  }

  std::shared_ptr<const Network> network_;
  NetworkSpec spec_;
  std::uint64_t step_;
  std::shared_ptr<const Preprocess> preprocess_;
  AlignedBuffer<T> parameters_;
  AlignedBuffer<T> running_;
};

}  // namespace

template <class T>
std::shared_ptr<const Snapshot> make_snapshot(std::shared_ptr<const Network> network, NetworkSpec spec,
                                              std::uint64_t step,
                                              std::shared_ptr<const Preprocess> preprocess,
                                              const AlignedBuffer<T>& parameters,
                                              const AlignedBuffer<T>& running) {
  return std::make_shared<NetworkSnapshot<T>>(std::move(network), std::move(spec), step,
                                              std::move(preprocess), parameters, running);
}

template std::shared_ptr<const Snapshot> make_snapshot<float>(std::shared_ptr<const Network>, NetworkSpec,
                                                              std::uint64_t,
                                                              std::shared_ptr<const Preprocess>,
                                                              const AlignedBuffer<float>&,
                                                              const AlignedBuffer<float>&);
template std::shared_ptr<const Snapshot> make_snapshot<double>(std::shared_ptr<const Network>, NetworkSpec,
                                                               std::uint64_t,
                                                               std::shared_ptr<const Preprocess>,
                                                               const AlignedBuffer<double>&,
                                                               const AlignedBuffer<double>&);

}  // namespace mlpd::core
