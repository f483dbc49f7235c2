// Any bytes as an Open Inference Protocol request: two bytes say how many of them are JSON, tensors follow.
#include <cmath>
#include <cstdint>
#include <string>

#include "api/inference_request.h"
#include "api/tensor_codec.h"
#include "tests/fuzz/require.h"

namespace {

using namespace mlpd;
using namespace mlpd::api;

template <class T>
void decode(const Tensor& tensor) {
  std::vector<T> numbers;
  if (!decode_numbers(tensor, numbers)) return;
  fuzz::require(numbers.size() == tensor.elements);
  for (const T number : numbers) fuzz::require(std::isfinite(number));
}

void read(std::string_view body, std::optional<std::string_view> header_length) {
  const auto request = read_inference_request(body, header_length, JsonLimits());
  if (!request) return;
  for (const Tensor& tensor : request->inputs) {
    if (!check_size(tensor)) continue;
    decode<float>(tensor);
    decode<double>(tensor);
    if (const auto cells = decode_cells(tensor)) fuzz::require(cells->size() == tensor.elements);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  read(body, std::to_string(data[0] + 256 * data[1]));
  read(body, std::nullopt);
  read(body, body.substr(0, 4));
  return 0;
}
