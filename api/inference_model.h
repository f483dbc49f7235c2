#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/prediction.h"
#include "api/routes.h"
#include "core/result.h"

/// A network as the Open Inference Protocol sees it.
namespace mlpd::api {

/// The encoded rows × spec().inputs matrix, and the outputs; the same names as in ONNX.
inline constexpr std::string_view kMatrixInput = "inputs";
inline constexpr std::string_view kMatrixOutput = "outputs";
/// The version that stands for a network as it is now.
inline constexpr std::string_view kLiveVersion = "live";
inline constexpr std::string_view kPlatform = "mlpd_model";

struct InferenceModel {
  std::string name;
  std::string version;
  SnapshotPointer snapshot;
  std::optional<std::uint64_t> number;  ///< of the version; none: live
  bool pinned = false;                  ///< the path names a version
};

/// "3", or "live" where there is no number.
std::string version_name(std::optional<std::uint64_t> number);

/// The model that {network} and {version} of the path name; with no version the one that is served.
/// not_found, or unavailable where the network is unloaded.
core::Result<InferenceModel> find_inference_model(const Call& call);

/// not_found where the path names a version that isn't there.
core::Result<std::string> find_inference_version(const Call& call);

struct TensorMetadata {
  std::string name;
  std::string_view datatype;
  std::vector<std::int64_t> shape;  ///< −1 = any
};

/// One tensor for each raw column (numbers FP32 or FP64, categories BYTES) where a network has preprocessing,
/// else the matrix.
std::vector<TensorMetadata> input_tensors(const core::Snapshot& snapshot);
TensorMetadata output_tensor(const core::Snapshot& snapshot);

}  // namespace mlpd::api
