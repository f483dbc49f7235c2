#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/preprocess.h"
#include "core/result.h"
#include "core/table_profile.h"

namespace mlpd::api {

/// Gathers faults of rows, up to core::kRowFaultsMax.
class RowFaults {
 public:
  explicit RowFaults(core::RowUnit unit) : unit_(unit) {}
  /// `column` may be empty.
  void add(std::uint64_t place, std::string_view column, const std::string& what);
  bool empty() const { return fields_.empty(); }
  bool full() const { return fields_.size() >= core::kRowFaultsMax; }
  core::Error error() const;

 private:
  core::RowUnit unit_;
  std::vector<core::FieldError> fields_;
};

/// Cuts bytes that come in pieces into lines (LF, CRLF, CR), checks that they are UTF-8 without NUL, and
/// counts them. A byte order mark at the start is dropped.
class LineReader {
 public:
  explicit LineReader(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  /// Calls visit(line number, text with its line end) → Result<void> for each complete sound line; `last`:
  /// also for what remains.
  template <class Visit>
  core::Result<void> feed(std::string_view bytes, bool last, RowFaults& faults, Visit&& visit) {
    pending_ += bytes;
    std::size_t used = 0;
    while (true) {
      const std::string_view line = next(used, last);
      if (line.empty()) break;
      used += line.size();
      const bool sound = check(++line_, line, faults);
      if (faults.full()) return faults.error();
      if (!sound) continue;
      if (core::Result<void> visited = visit(line_, without_mark(line)); !visited) return visited;
    }
    pending_.erase(0, used);
    if (pending_.size() <= line_bytes_max_) return {};
    faults.add(line_ + 1, "", "is longer than " + std::to_string(line_bytes_max_) + " bytes");
    return faults.error();
  }

 private:
  std::string_view next(std::size_t used, bool last) const;
  static bool check(std::uint64_t line, std::string_view text, RowFaults& faults);
  std::string_view without_mark(std::string_view line) const {
    return line_ == 1 && line.substr(0, 3) == "\xEF\xBB\xBF" ? line.substr(3) : line;
  }

  std::size_t line_bytes_max_;
  std::string pending_;
  std::uint64_t line_ = 0;
};

}  // namespace mlpd::api
