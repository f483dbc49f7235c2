#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/table.h"
#include "core/table_profile.h"

/// CSV, NDJSON and JSON → raw rows.
namespace mlpd::api {

/// Columns of one table.
inline constexpr std::size_t kTableColumnsMax = 65'536;
/// Bytes of one cell of CSV, and of one line.
inline constexpr std::size_t kCellBytesMax = 1u << 20;
inline constexpr std::size_t kLineBytesMax = 16u << 20;
/// Bytes that are kept until delimiter and header are detected.
inline constexpr std::size_t kDetectBytes = 64u << 10;

enum class TableFormat { csv, ndjson };

struct CsvOptions {
  char delimiter = 0;          ///< ',', ';', tab or '|'; 0 = detected in the first lines
  std::optional<bool> header;  ///< none = there is one unless a cell of the first row is a number
};

/// Gets the rows of a table, in order.
class TableSink {
 public:
  virtual ~TableSink() = default;
  /// Once, before the first row; names are different and not empty.
  virtual core::Result<void> columns(const std::vector<std::string>& names) = 0;
  /// `place` is the line on which the row begins (JSON: the row's number), from 1. The cells are valid during
  /// the call. A failure ends the parsing.
  virtual core::Result<void> row(std::uint64_t place, std::span<const core::Cell> cells) = 0;
};

/// Takes a table's bytes piece by piece, as they come. Faults of form (ragged rows, stray quotes, bytes that
/// are not UTF-8, unknown fields) are gathered: finish() reports them all, feed() fails as soon as there are
/// core::kRowFaultsMax of them; after a failure nothing more may be fed. Pointers are "#/lines/LINE" with the
/// column's name behind. Memory: kDetectBytes, one row, one line. Not thread-safe.
class TableParser {
 public:
  virtual ~TableParser() = default;
  virtual core::Result<void> feed(std::string_view bytes) = 0;
  virtual core::Result<void> finish() = 0;
};

/// RFC 4180: quotes, doubled quotes and line breaks in quotes; LF, CRLF and CR; a UTF-8 byte order mark.
/// Blanks around unquoted cells are dropped, blank lines skipped, empty cells are missing. Without a header
/// the columns are x1, x2, …; an unnamed column of a header is column_N.
std::unique_ptr<TableParser> make_csv_parser(const CsvOptions& options, TableSink& sink);

/// One JSON object a line; the first one's keys are the columns, absent keys of later ones are missing.
std::unique_ptr<TableParser> make_ndjson_parser(TableSink& sink);

/// The rows of a JSON text: an array of objects as above, or with `columns` of arrays as long. Faults have
/// pointers "#/rows/INDEX". `text` is whole and stays as it is.
core::Result<void> parse_json_rows(std::string_view text, const std::vector<std::string>& columns,
                                   TableSink& sink);

/// A JSON object whose `rows` is an array, taken apart without building it: the text of the rows, and the
/// object with [] in their place. `rows` is empty where there is no such field (or the text is no object).
struct SplitRows {
  std::string_view rows;
  std::string rest;
};
SplitRows split_rows(std::string_view text);

/// A whole table into memory, for the rows of a prediction; at most `cells_max` cells.
core::Result<core::Table> read_csv_table(std::string_view text, const CsvOptions& options,
                                         std::size_t cells_max);
core::Result<core::Table> read_ndjson_table(std::string_view text, std::size_t cells_max);
core::Result<core::Table> read_json_table(std::string_view text, std::size_t cells_max);

}  // namespace mlpd::api
