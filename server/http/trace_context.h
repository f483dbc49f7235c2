#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mlpd::server {

/// A client's place in a distributed trace, as its traceparent header says it (W3C Trace Context, level 1).
struct TraceContext {
  std::string trace_id;  ///< 32 hexadecimal digits
  std::string flags;     ///< 2
};

/// nullopt where the header is not of the standard's form; then it must be ignored.
std::optional<TraceContext> read_traceparent(std::string_view header);

/// The header for our own part of the trace.
std::string write_traceparent(const TraceContext& context, std::uint64_t span);

}  // namespace mlpd::server
