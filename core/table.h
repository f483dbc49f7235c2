#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"

namespace mlpd::core {

/// A cell of a raw row: missing, a number, or text (CSV cells are text, whatever they look like).
using Cell = std::variant<std::monostate, double, std::string>;

/// The finite number that a cell holds or spells in decimals (blanks around it allowed; no hexadecimal, no
/// infinity, no thousands separators); nullopt for everything else.
std::optional<double> number_of(const Cell& cell);
std::optional<double> parse_number(std::string_view text);

/// The cell's text as categories and labels know it; a number gives its shortest decimals ("3", "0.1").
std::string text_of(const Cell& cell);

/// Whether text stands for "missing" in a column of numbers: NA, N/A, n/a, NaN, nan, null, NULL or ?.
bool is_missing_marker(std::string_view text);

/// Raw rows × named columns as they came from CSV, NDJSON or JSON rows.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;  ///< each as long as `columns`
};

/// Raw rows that can be read any number of times, in the same order, without being held in memory.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual const std::vector<std::string>& columns() const = 0;
  virtual std::size_t rows() const = 0;
  /// Called with the row's index from 0 and its cells (as many as columns, valid during the call); false ends
  /// the pass.
  using Visit = std::function<bool(std::size_t row, std::span<const Cell> cells)>;
  /// Visits rows first … of the source. `corrupted` where the stored rows can't be read back.
  virtual Result<void> for_each(std::size_t first, const Visit& visit) const = 0;
};

/// A table in memory as a source; borrows it.
class TableSource final : public RowSource {
 public:
  explicit TableSource(const Table& table) : table_(table) {}
  const std::vector<std::string>& columns() const override { return table_.columns; }
  std::size_t rows() const override { return table_.rows.size(); }
  Result<void> for_each(std::size_t first, const Visit& visit) const override;

 private:
  const Table& table_;
};

}  // namespace mlpd::core
