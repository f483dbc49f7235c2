#pragma once

#include <string>
#include <string_view>

#include "api/service.h"
#include "core/checkpoint.h"
#include "core/result.h"

/// The JSON model format (docs/model-format.md): what is persisted is what is exported. Text in, text out; no
/// JSON library is shown. All functions are pure and safe from any thread.
namespace mlpd::api {

/// Version that write_model puts into `format_version`; read_model takes this one and every older one.
inline constexpr int kModelFormatVersion = 1;

/// How arrays of numbers are written. `readable`: decimals, base64 above kReadableNumbersMax numbers.
/// `base64`: all as {"dtype", "shape", "base64"} (checkpoints of the store). Both are read everywhere, bit
/// for bit.
enum class ArrayForm { readable, base64 };
inline constexpr std::size_t kReadableNumbersMax = 100'000;

/// One line of JSON without a line break, sealed (see seal_document). History is written where present.
std::string write_model(const ModelExport& model, ArrayForm form);

/// Reads what write_model wrote, or the same document reformatted by other tools (then the byte checksum
/// can't be checked, `state_sha256` still is, where present). Shapes, ranges, names and finiteness are
/// checked: faults of the form are invalid_argument with pointers; a wrong checksum or digest is `corrupted`.
/// `limits` bounds the network; parameters of a document always fit its spec afterwards.
core::Result<ModelExport> read_model(std::string_view text, const core::NetworkLimits& limits);

/// Puts `"checksum": "sha256:…"` over all following bytes in front of the first field of a JSON object:
/// {"a":1} → {"checksum":"sha256:…","a":1}. `object` starts with '{' and has at least one field.
std::string seal_document(std::string_view object);

/// Checks that `text` starts with the checksum and that it holds: every flipped byte or cut is `corrupted`.
/// Trailing line breaks are not part of the document. Reading functions accept sealed text as it is.
core::Result<void> check_seal(std::string_view text);

}  // namespace mlpd::api
