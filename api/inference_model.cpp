#include "api/inference_model.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/inference_service.h"
#include "api/version_service.h"

namespace mlpd::api {
namespace {

std::string_view float_datatype(const core::Snapshot& snapshot) {
  return snapshot.spec().dtype == core::Dtype::float32 ? "FP32" : "FP64";
}

// The version of the path; none, or where it names none, what is served; `live` is always there.
core::Result<ResolvedVersion> resolve(const Call& call) {
  const std::string& network = call.parameter("network");
  std::optional<std::string> wanted;
  for (const auto& [name, value] : call.path)
    if (name == "version") wanted = value;
  const bool live = wanted && *wanted == kLiveVersion;
  if (!live && call.services.versions != nullptr) return call.services.versions->resolve(network, wanted);
  if (!live && wanted)
    return core::Error{
        core::ErrorCode::not_found, "model '" + network + "' has no version '" + *wanted + "'", {}};
  auto snapshot = call.services.networks.snapshot(network, std::nullopt);
  if (!snapshot) return snapshot.error();
  return ResolvedVersion{std::move(*snapshot), std::nullopt};
}

bool names_version(const Call& call) {
  return std::any_of(call.path.begin(), call.path.end(), [](const auto& p) { return p.first == "version"; });
}

}  // namespace

std::string version_name(std::optional<std::uint64_t> number) {
  return number ? std::to_string(*number) : std::string(kLiveVersion);
}

core::Result<std::string> find_inference_version(const Call& call) {
  const auto resolved = resolve(call);
  if (!resolved) return resolved.error();
  return version_name(resolved->version);
}

core::Result<InferenceModel> find_inference_model(const Call& call) {
  const std::string& network = call.parameter("network");
  const auto loaded = call.services.inference->is_loaded(network);
  if (!loaded) return loaded.error();
  auto resolved = resolve(call);
  if (!resolved) return resolved.error();
  if (!*loaded)
    return core::Error{core::ErrorCode::unavailable,
                       "model '" + network + "' is not ready: it was unloaded; POST /v2/repository/models/" +
                           network + "/load loads it",
                       {}};
  return InferenceModel{network, version_name(resolved->version), std::move(resolved->snapshot),
                        resolved->version, names_version(call)};
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
