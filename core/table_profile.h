#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/preprocess.h"
#include "core/random.h"
#include "core/result.h"
#include "core/table.h"

namespace mlpd::core {

/// The quantiles that a profile gives of a column of numbers.
inline constexpr std::array<double, 5> kProfileQuantiles = {0.05, 0.25, 0.5, 0.75, 0.95};
/// Most frequent values that a profile gives of a category or label.
inline constexpr std::size_t kProfileTopMax = 10;
/// A whole-numbered target with at most so many values is taken for classes.
inline constexpr std::size_t kInferredClassesMax = 20;

struct CategoryCount {
  std::string value;
  std::uint64_t count = 0;
  bool operator==(const CategoryCount&) const = default;
};

/// One column of a data set: its type and statistics over all rows.
struct ColumnProfile {
  std::string name;
  ColumnType type = ColumnType::ignored;
  std::uint64_t count = 0;     ///< values present
  std::uint64_t missing = 0;   ///< empty cells, and missing markers among numbers
  std::uint64_t distinct = 0;  ///< different values; 0 = more than were counted
  // Numbers only:
  double minimum = 0;
  double maximum = 0;
  double mean = 0;
  double deviation = 0;           ///< of the population
  std::vector<double> quantiles;  ///< at kProfileQuantiles, linear between neighbours
  bool sampled = false;           ///< quantiles come from a seeded sample, not from all values
  // Categories and labels only:
  std::vector<CategoryCount> top;  ///< most frequent first, equals by value
  bool operator==(const ColumnProfile&) const = default;
};

struct TableProfile {
  std::uint64_t rows = 0;
  std::string target;
  std::vector<ColumnProfile> columns;
  bool operator==(const TableProfile&) const = default;

  const ColumnProfile* find(std::string_view column) const;
};

/// How faults name a row: by the file's line or by its place among the rows (both from 1).
enum class RowUnit { line, row };

/// Looks at raw rows as they stream by and says what their columns are. Takes at most ~64 MiB, however many
/// rows there are: distinct values are counted up to kCategoriesMax a column and 24 MiB in all, quantiles
/// come from a seeded sample where a column has more values than its share of 4 million. Not thread-safe.
class TableProfiler {
 public:
  TableProfiler(std::vector<std::string> columns, RowUnit unit);

  /// `place`: the row's line or number.
  void add(std::uint64_t place, std::span<const Cell> cells);

  /// The target is `target`, or where that is empty the column overridden to be a label, else the last one.
  /// A column whose present values are mostly numbers is a number, and the others are faults by row; other
  /// columns are categories while their values repeat (at most half as many as rows, or ten), else ignored. A
  /// target is a label where it is text, or whole numbers of at most kInferredClassesMax values that repeat.
  /// `types` overrides by name. All faults at once, up to kRowFaultsMax.
  Result<TableProfile> finish(std::string target, const std::map<std::string, ColumnType>& types) const;

 private:
  struct Fault {
    std::uint64_t place;
    std::string text;
  };
  struct Watch {
    std::uint64_t empty = 0;
    std::uint64_t markers = 0;
    std::uint64_t numbers = 0;
    std::uint64_t texts = 0;  // neither
    bool whole = true;
    double minimum = 0;
    double maximum = 0;
    double mean = 0;
    double squares = 0;
    std::vector<double> sample;
    bool counting = true;
    std::size_t bytes = 0;
    std::unordered_map<std::string, std::uint64_t> values;
    std::vector<Fault> faults;
  };

  void add_number(Watch& watch, double number);
  void add_value(Watch& watch, std::string_view text);
  ColumnType infer(const Watch& watch, bool is_target) const;
  ColumnProfile profile(const std::string& name, ColumnType type, const Watch& watch) const;
  void check(const std::string& name, ColumnType type, bool is_target, const Watch& watch,
             std::vector<std::pair<std::uint64_t, FieldError>>& faults) const;

  std::vector<std::string> columns_;
  RowUnit unit_;
  std::vector<Watch> watches_;
  std::size_t sample_max_;
  Random random_;
  std::uint64_t rows_ = 0;
  std::size_t value_bytes_ = 0;
  std::size_t fault_bytes_ = 0;
};

/// A plan for core::fit: all columns but the target as inputs, numbers standardized, nothing missing or
/// unseen allowed.
Preprocess plan_of(const TableProfile& profile);

/// The preprocess of a network that takes plain numbers: no scaling, the label's classes as given. All
/// columns but the target and ignored ones must be numbers: invalid_argument by name otherwise.
Result<Preprocess> plain_preprocess(const TableProfile& profile, const RowSource& rows);

/// Which rows of a data set: those that a network may train on (without the test part), or one part alone.
enum class Part { trainable, training, validation, test, all };
struct PartRow {
  Part value;
  std::string_view name;
};
std::span<const PartRow> part_names();

/// A data set as rows for a network with so many inputs and outputs and this seed, encoded by `preprocess`,
/// or by plain_preprocess() where that is null. invalid_argument where it doesn't fit, or the part is empty.
Result<Dataset> encode_part(const TableProfile& profile, const RowSource& rows, const Preprocess* preprocess,
                            Part part, std::size_t inputs, std::size_t outputs, std::uint64_t seed);

}  // namespace mlpd::core
