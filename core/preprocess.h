#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/dataset.h"
#include "core/result.h"
#include "core/table.h"

namespace mlpd::core {

/// Faults reported in one answer; what lies past them is counted only.
inline constexpr std::size_t kRowFaultsMax = 20;
/// Known values of one category or label column.
inline constexpr std::size_t kCategoriesMax = 1'000;
/// Numbers (inputs and targets) of one encoded data set: 1.6 GB.
inline constexpr std::size_t kEncodedNumbersMax = 200'000'000;

enum class ColumnType { number, category, label, ignored };
enum class Scaling { none, standardize, min_max };
enum class MissingPolicy { refuse, mean, most_frequent, indicator };
enum class UnseenPolicy { refuse, other };

/// Wire names: "number", …; "standardize", …; "most_frequent", …; "other".
struct ColumnTypeRow {
  ColumnType value;
  std::string_view name;
};
struct ScalingRow {
  Scaling value;
  std::string_view name;
};
struct MissingPolicyRow {
  MissingPolicy value;
  std::string_view name;
};
struct UnseenPolicyRow {
  UnseenPolicy value;
  std::string_view name;
};
std::span<const ColumnTypeRow> column_types();
std::span<const ScalingRow> scalings();
std::span<const MissingPolicyRow> missing_policies();
std::span<const UnseenPolicyRow> unseen_policies();

/// One raw column: what it is and what was fitted on the training part. A number gives one input; a category
/// gives one per known value, plus one for `other`; `indicator` adds one that is 1 where the value is
/// missing.
struct Column {
  std::string name;
  ColumnType type = ColumnType::number;
  Scaling scaling = Scaling::standardize;         ///< number; constant columns get scale 1
  MissingPolicy missing = MissingPolicy::refuse;  ///< mean: numbers only; indicator fills in the mean (0s)
  UnseenPolicy unseen = UnseenPolicy::refuse;     ///< category
  double offset = 0;                              ///< fitted: x' = (x − offset) / scale
  double scale = 1;
  double fill = 0;                           ///< fitted: number used for a missing value
  std::string fill_category = {};            ///< fitted: category used for a missing value
  std::vector<std::string> categories = {};  ///< fitted: known values in order of code
  bool operator==(const Column&) const = default;

  /// Columns of the input matrix that this one makes.
  std::size_t input_count() const;
};

/// The shares of the rows that fitting did not see, as held_out_order() gives them for the network's seed:
/// first the test rows, then of the others the validation rows.
struct HeldOut {
  double test = 0;        ///< [0, 1): never trained on
  double validation = 0;  ///< [0, 1): the most that a training may use as its validation.fraction
  bool operator==(const HeldOut&) const = default;
};

/// Turns raw rows into the numbers a network takes. Fitted on the training part only, kept inside the model.
/// Immutable after fitting; safe to use from any thread.
struct Preprocess {
  std::vector<Column>
      columns;    ///< input columns, in order; ignored ones are kept so that rows may carry them
  Column target;  ///< label (its categories are the classes) or number (its scaling is undone in answers)
  HeldOut held_out;
  bool operator==(const Preprocess&) const = default;

  /// Columns of the input matrix that encode() makes.
  std::size_t input_count() const;
  /// One name for each of them: "age", "sex=f", "sex=other", "age missing".
  std::vector<std::string> input_names() const;
};

/// Rows by their part in training, each ascending.
struct Parts {
  std::vector<std::size_t> training;
  std::vector<std::size_t> validation;
  std::vector<std::size_t> test;
};

/// Fits `plan` (types, scalings and policies set; its fitted fields are replaced) to the training part of
/// `rows`: offsets and scales (population deviation), fills, categories (in numeric order where all are
/// numbers, else by bytes). With UnseenPolicy::other, values that occur once in the training part go to
/// `other`, so that its input is trained. The classes of a label target are those of all rows. Every row of
/// `rows` must have a target. All faults are reported, up to kRowFaultsMax, by row (from 1) and column.
Result<Preprocess> fit(Preprocess plan, const RowSource& rows, std::uint64_t seed);

/// The rows of each part for a fitted preprocess and the seed that it was fitted with; equal to what split()
/// does to encoded rows, test rows first.
Result<Parts> parts_of(const Preprocess& preprocess, const RowSource& rows, std::uint64_t seed);

/// Encodes raw rows one by one; columns are matched by name, once. Immutable: safe from any thread. Borrows
/// the preprocess.
class RowEncoder {
 public:
  /// Refuses rows that lack an input column or carry an unknown one, by name; the target and ignored columns
  /// may be there or not. With `with_target`, the target must be there.
  static Result<RowEncoder> make(const Preprocess& preprocess, const std::vector<std::string>& columns,
                                 bool with_target);

  /// Writes preprocess.input_count() numbers. Faults are appended with pointers "#/rows/{row}/{column}".
  void encode_inputs(std::size_t row, std::span<const Cell> cells, double* inputs,
                     std::vector<FieldError>& faults) const;
  /// Writes `outputs` numbers: one-hot for labels (or 0 and 1 in one number for two classes), a scaled number
  /// otherwise. Requires with_target.
  void encode_target(std::size_t row, std::span<const Cell> cells, double* target, std::size_t outputs,
                     std::vector<FieldError>& faults) const;

 private:
  struct Source {
    const Column* column;
    std::size_t cell;
    std::unordered_map<std::string_view, std::size_t> codes;
  };
  std::vector<Source> inputs_;
  Source target_{};
};

/// The input matrix of raw rows, rows × input_count() row-major: what predict does. All faults at once.
Result<std::vector<double>> encode_inputs(const Preprocess& preprocess, const RowSource& rows);

/// Inputs and targets of the given rows (ascending) as a data set with `outputs` target columns.
/// invalid_argument where the target can't have that many; resource_exhausted past kEncodedNumbersMax.
Result<Dataset> encode(const Preprocess& preprocess, const RowSource& rows,
                       const std::vector<std::size_t>& selected, std::size_t outputs);

/// An output of the network in the target's own units; the inverse of a number target's scaling.
double decode_number(const Preprocess& preprocess, double output);

/// The class that a row of outputs means: the largest one's, or for one output the second class from 0.5 on.
/// The target is a label with as many classes as outputs (two for one output).
const std::string& decode_label(const Preprocess& preprocess, std::span<const double> outputs);

}  // namespace mlpd::core
