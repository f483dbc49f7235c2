#include "api/prediction.h"

#include <array>
#include <cmath>

#include "api/json_reader.h"

namespace mlpd::api {
namespace {

// A few warm workspaces for each thread, each with the snapshot that it belongs to.
core::PredictWorkspace& workspace_of(const SnapshotPointer& snapshot) {
  struct Slot {
    std::weak_ptr<const core::Snapshot> snapshot;
    std::unique_ptr<core::PredictWorkspace> workspace;
  };
  static constexpr std::size_t kSlots = 4;
  thread_local std::array<Slot, kSlots> slots;
  thread_local std::size_t next = 0;
  for (Slot& slot : slots)  // compares owners: lock() would count up and down
    if (slot.workspace && !slot.snapshot.owner_before(snapshot) && !snapshot.owner_before(slot.snapshot))
      return *slot.workspace;
  Slot& slot = slots[next++ % kSlots];
  slot.workspace = snapshot->make_workspace();
  slot.snapshot = snapshot;
  return *slot.workspace;
}

}  // namespace

template <class T>
core::Result<void> compute_outputs(const SnapshotPointer& snapshot, std::span<const T> inputs,
                                   std::vector<T>& outputs) {
  const core::NetworkSpec& spec = snapshot->spec();
  const std::size_t rows = inputs.size() / spec.inputs, columns = core::output_count(spec);
  if (rows > kOutputNumbersMax / columns)
    return core::Error{core::ErrorCode::invalid_argument,
                       std::to_string(rows) + " rows of " + std::to_string(columns) +
                           " outputs are too many for one answer, which holds " +
                           std::to_string(kOutputNumbersMax) + " numbers; send the rows in parts",
                       {}};
  outputs.resize(rows * columns);
  snapshot->predict(core::ConstMatrixView<T>(inputs.data(), rows, spec.inputs),
                    core::MatrixView<T>(outputs.data(), rows, columns), workspace_of(snapshot));
  const auto preprocess = snapshot->preprocess();
  if (preprocess && preprocess->target.type == core::ColumnType::number)
    for (T& output : outputs) output = static_cast<T>(core::decode_number(*preprocess, output));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (std::isfinite(outputs[i])) continue;
    const std::size_t row = i / columns;
    core::Error error{core::ErrorCode::invalid_argument,
                      "the outputs of row " + std::to_string(row) + " (from 0) are not finite",
                      {}};
    error.fields.push_back({child("#/inputs", row), "overflows the network"});
    return error;
  }
  return {};
}

template core::Result<void> compute_outputs(const SnapshotPointer&, std::span<const float>,
                                            std::vector<float>&);
template core::Result<void> compute_outputs(const SnapshotPointer&, std::span<const double>,
                                            std::vector<double>&);

const std::vector<std::string>& labels_of(const core::NetworkSpec& spec, const core::Preprocess* preprocess) {
  const bool from_preprocess = spec.class_labels.empty() && preprocess != nullptr &&
                               preprocess->target.type == core::ColumnType::label;
  return from_preprocess ? preprocess->target.categories : spec.class_labels;
}

}  // namespace mlpd::api
