#include "server/http/trace_context.h"

namespace mlpd::server {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kSize = 55;  // version-trace_id-span_id-flags

bool is_hex(std::string_view text) { return text.find_first_not_of(kDigits) == std::string_view::npos; }
bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

std::optional<TraceContext> read_traceparent(std::string_view header) {
  if (header.size() < kSize || header[2] != '-' || header[35] != '-' || header[52] != '-')
    return std::nullopt;
  const auto version = header.substr(0, 2);
  const auto trace_id = header.substr(3, 32);
  const auto span_id = header.substr(36, 16);
  const auto flags = header.substr(53, 2);
  // Later versions may append fields; version 00 has none, ff is forbidden.
  const bool ends = header.size() == kSize || (version != "00" && header[kSize] == '-');
  if (!ends || version == "ff" || !is_hex(version) || !is_hex(trace_id) || !is_hex(span_id) ||
      !is_hex(flags) || is_zero(trace_id) || is_zero(span_id))
    return std::nullopt;
  return TraceContext{std::string(trace_id), std::string(flags)};
}

std::string write_traceparent(const TraceContext& context, std::uint64_t span) {
  std::string text = "00-" + context.trace_id + "-";
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(span >> shift) & 15];
  return text + "-" + context.flags;
}

}  // namespace mlpd::server
