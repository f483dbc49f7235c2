#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"

namespace mlpd::core {

/// A cell of a raw row: missing, a number, or text.
using Cell = std::variant<std::monostate, double, std::string>;

/// Raw rows × named columns as they came from CSV, NDJSON or JSON rows.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;  ///< each as long as `columns`
};

enum class ColumnType { number, category, label, ignored };
enum class Scaling { none, standardize, min_max };
enum class MissingPolicy { refuse, mean, most_frequent, indicator };
enum class UnseenPolicy { refuse, other };

/// One raw column: what it is and what was fitted on the training part. A number gives one input (two with
/// `indicator`); a category gives one per known value (plus one for `other`).
struct Column {
  std::string name;
  ColumnType type = ColumnType::number;
  Scaling scaling = Scaling::standardize;
  MissingPolicy missing = MissingPolicy::refuse;
  UnseenPolicy unseen = UnseenPolicy::refuse;
  double offset = 0;  ///< fitted: x' = (x − offset) / scale
  double scale = 1;
  double fill = 0;                      ///< fitted: number used for a missing value
  std::string fill_category;            ///< fitted: category used for a missing value
  std::vector<std::string> categories;  ///< fitted: known values in order of code
  bool operator==(const Column&) const = default;
};

/// Turns raw rows into the numbers a network takes. Fitted on the training part only, kept inside the model.
/// Immutable after fitting; safe to use from any thread.
struct Preprocess {
  std::vector<Column>
      columns;    ///< input columns, in order; ignored ones are kept so that rows may carry them
  Column target;  ///< label (its categories are the classes) or number (its scaling is undone in answers)
  bool operator==(const Preprocess&) const = default;

  /// Columns of the input matrix that encode() makes.
  std::size_t input_count() const;
};

}  // namespace mlpd::core
