// Any bytes as an ONNX model: what is imported is a whole network that leaves as ONNX again.
#include <cstdint>
#include <string_view>

#include "api/onnx.h"
#include "core/network_spec.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mlpd;
  const core::NetworkLimits limits{8, 100, 10'000};
  const auto made = api::read_onnx({reinterpret_cast<const char*>(data), size}, limits);
  if (!made) return 0;
  fuzz::require(core::validate(made->spec, limits).ok());
  static_cast<void>(api::write_onnx(*made, "n"));
  return 0;
}
