#include "api/inference_model.h"

#include <algorithm>

#include "api/inference_service.h"

namespace mlpd::api {
namespace {

std::string_view float_datatype(const core::Snapshot& snapshot) {
  return snapshot.spec().dtype == core::Dtype::float32 ? "FP32" : "FP64";
}

}  // namespace

core::Result<std::string> find_inference_version(const Call& call) {
  const std::string& network = call.parameter("network");
  for (const auto& [name, value] : call.path)
    if (name == "version" && value != kLiveVersion)
      return core::Error{
          core::ErrorCode::not_found, "model '" + network + "' has no version '" + value + "'", {}};
  return std::string(kLiveVersion);
}

core::Result<InferenceModel> find_inference_model(const Call& call) {
  const std::string& network = call.parameter("network");
  const auto loaded = call.services.inference->is_loaded(network);
  if (!loaded) return loaded.error();
  auto version = find_inference_version(call);
  if (!version) return version.error();
  if (!*loaded)
    return core::Error{core::ErrorCode::unavailable,
                       "model '" + network + "' is not ready: it was unloaded; POST /v2/repository/models/" +
                           network + "/load loads it",
                       {}};
  auto snapshot = call.services.networks.snapshot(network, std::nullopt);
  if (!snapshot) return snapshot.error();
  return InferenceModel{network, std::move(*version), std::move(*snapshot)};
}

std::vector<TensorMetadata> input_tensors(const core::Snapshot& snapshot) {
  const std::string_view numbers = float_datatype(snapshot);
  std::vector<TensorMetadata> tensors;
  if (const auto preprocess = snapshot.preprocess()) {
    for (const core::Column& column : preprocess->columns)
      if (column.type != core::ColumnType::ignored)
        tensors.push_back(
            {column.name, column.type == core::ColumnType::number ? numbers : "BYTES", {-1, 1}});
    return tensors;
  }
  const auto columns = static_cast<std::int64_t>(snapshot.spec().inputs);
  tensors.push_back({std::string(kMatrixInput), numbers, {-1, columns}});
  return tensors;
}

TensorMetadata output_tensor(const core::Snapshot& snapshot) {
  const auto columns = static_cast<std::int64_t>(core::output_count(snapshot.spec()));
  return {std::string(kMatrixOutput), float_datatype(snapshot), {-1, columns}};
}

}  // namespace mlpd::api
