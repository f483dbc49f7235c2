#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "api/tensor_codec.h"
#include "core/result.h"

namespace mlpd::api {

/// An output that a request asks for.
struct OutputRequest {
  std::string name;
  bool binary = false;
  std::size_t classification = 0;  ///< so many classes of each row as BYTES; 0 = the numbers
};

/// The body of POST …/infer. Tensors borrow from `json` and from the request's body, which must stay.
struct InferenceRequest {
  Json json;
  std::optional<std::string> id;
  std::vector<Tensor> inputs;
  std::vector<OutputRequest> outputs;  ///< empty = all, without classification
  bool binary_output = false;          ///< for outputs that don't say
  bool prediction_id = false;          ///< the answer is to say by which id feedback may name it
  bool is_raw = false;                 ///< no JSON: the body is the one input's bytes
};

/// Reads a body whose first `header_length` bytes are JSON and the rest the input tensors in order, or which
/// is JSON throughout where the header is absent. Every size is checked against the data; nothing is decoded.
core::Result<InferenceRequest> read_inference_request(std::string_view body,
                                                      std::optional<std::string_view> header_length,
                                                      const JsonLimits& limits);

}  // namespace mlpd::api
