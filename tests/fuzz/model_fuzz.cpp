// Any text as a model document: what is read is a whole network, and what is written of it is read again.
#include <cstdint>
#include <string_view>

#include "api/model_document.h"
#include "core/network_spec.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mlpd;
  using namespace mlpd::api;
  const core::NetworkLimits limits{8, 100, 10'000};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(check_seal(text));
  const auto model = read_model(text, limits);
  if (!model) return 0;
  fuzz::require(core::validate(model->checkpoint.spec, limits).ok());
  for (const ArrayForm form : {ArrayForm::readable, ArrayForm::base64}) {
    const std::string written = write_model(*model, form);
    fuzz::require(check_seal(written).ok());
    const auto again = read_model(written, limits);
    fuzz::require(again.ok() && write_model(*again, form) == written);
  }
  return 0;
}
