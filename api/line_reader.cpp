#include "api/line_reader.h"

#include <simdjson.h>

#include <algorithm>

namespace mlpd::api {

void RowFaults::add(std::uint64_t place, std::string_view column, const std::string& what) {
  if (full()) return;
  const bool lines = unit_ == core::RowUnit::line;
  std::string pointer = lines ? "#/lines/" + std::to_string(place) : "#/rows/" + std::to_string(place - 1);
  std::string detail = (lines ? "line " : "row ") + std::to_string(place);
  if (!column.empty()) {
    pointer += "/" + std::string(column);
    detail += ", column '" + std::string(column) + "'";
  }
  fields_.push_back({std::move(pointer), detail + ": " + what});
}

core::Error RowFaults::error() const {
  std::string message = fields_.size() == 1 ? fields_[0].detail
                                            : "The table has " + std::to_string(fields_.size()) +
                                                  (full() ? " faults, and perhaps more." : " faults.");
  return {core::ErrorCode::invalid_argument, std::move(message), fields_};
}

// The next line with its end. A CR at the end of what is there may be half of a CRLF.
std::string_view LineReader::next(std::size_t used, bool last) const {
  const std::string_view rest = std::string_view(pending_).substr(used);
  const std::size_t feed = rest.find('\n');
  const std::size_t carriage = rest.substr(0, feed).find('\r');
  if (carriage != std::string_view::npos && carriage + 1 < std::min(feed, rest.size()))
    return rest.substr(0, carriage + 1);
  if (feed != std::string_view::npos) return rest.substr(0, feed + 1);
  return last ? rest : std::string_view();
}

bool LineReader::check(std::uint64_t line, std::string_view text, RowFaults& faults) {
  if (!simdjson::validate_utf8(text.data(), text.size()))
    faults.add(line, "", "isn't UTF-8; convert the file (iconv -t utf-8) and send it again");
  else if (text.find('\0') != std::string_view::npos)
    faults.add(line, "", "holds a NUL byte; is the file UTF-16 or no text at all?");
  else
    return true;
  return false;
}

}  // namespace mlpd::api
