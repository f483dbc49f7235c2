#pragma once

#include <string>
#include <string_view>

#include "core/checkpoint.h"
#include "core/network_spec.h"
#include "core/result.h"

/// Models as ONNX (https://onnx.ai, opset 17, ai.onnx.ml 3): leaving with everything that standard operators
/// can say, coming in where they are plain multilayer perceptrons. Protobuf is not shown. Pure; safe from any
/// thread.
namespace mlpd::api {

/// The serialised ModelProto of a network's prediction. Without preprocessing it has one input "inputs"
/// (rows × inputs, the network's dtype); with it one input for each raw column, named as the column (rows ×
/// 1, numbers in the network's dtype, categories as strings, NaN = missing number). One output "outputs"
/// (rows × outputs), target scaling undone; class labels are in the metadata "class_labels" (a JSON list).
/// failed_precondition, by name, for what no operator says: gelu in float64 (ONNX Runtime has no double Erf),
/// a missing category that is filled in.
core::Result<std::string> write_onnx(const core::Checkpoint& checkpoint, std::string_view name);

/// A network from a plain multilayer perceptron: one input, then Gemm or MatMul + Add and the activations
/// that mlpd has, in one chain, as PyTorch and scikit-learn export them (Cast, Identity, Dropout and Flatten
/// on the way are passed over; after the last activation, the label branch of a classifier is left out).
/// Every other graph is refused as invalid_argument that names the node. The optimizer is the default one, at
/// step 0.
core::Result<core::Checkpoint> read_onnx(std::string_view bytes, const core::NetworkLimits& limits);

}  // namespace mlpd::api
