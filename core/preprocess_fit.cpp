#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/preprocess.h"

namespace mlpd::core {
namespace {

void order_categories(std::vector<std::string>& categories) {
  const bool numbers = std::all_of(categories.begin(), categories.end(),
                                   [](const std::string& text) { return parse_number(text).has_value(); });
  std::sort(categories.begin(), categories.end());
  if (numbers)
    std::stable_sort(categories.begin(), categories.end(), [](const std::string& a, const std::string& b) {
      return *parse_number(a) < *parse_number(b);
    });
}

// What the training part says about one column.
struct ColumnFit {
  std::size_t present = 0;
  std::size_t missing = 0;
  double mean = 0;
  double squares = 0;  // Welford's sum of squared deviations
  double minimum = 0;
  double maximum = 0;
  std::map<double, std::size_t> numbers;          // counted for most_frequent only
  std::map<std::string, std::size_t> categories;  // counted for categories only

  void add(const Column& column, const Cell& cell) {
    if (column.type == ColumnType::category) {
      const std::string text = text_of(cell);
      if (text.empty())
        ++missing;
      else if (++categories[text] > 0)
        ++present;
      return;
    }
    const std::optional<double> number = number_of(cell);
    if (!number) {
      ++missing;
      return;
    }
    ++present;
    const double delta = *number - mean;
    mean += delta / static_cast<double>(present);
    squares += delta * (*number - mean);
    minimum = present == 1 ? *number : std::min(minimum, *number);
    maximum = present == 1 ? *number : std::max(maximum, *number);
    if (column.missing == MissingPolicy::most_frequent) ++numbers[*number];
  }
};

template <class Counts>
auto most_frequent(const Counts& counts) {
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

void set_scaling(Column& column, const ColumnFit& fitted) {
  column.offset = 0;
  column.scale = 1;
  if (column.scaling == Scaling::standardize) {
    column.offset = fitted.mean;
    column.scale = std::sqrt(fitted.squares / static_cast<double>(fitted.present));
  } else if (column.scaling == Scaling::min_max) {
    column.offset = fitted.minimum;
    column.scale = fitted.maximum - fitted.minimum;
  }
  if (!(column.scale > 0)) column.scale = 1;
}

void set_number(Column& column, const ColumnFit& fitted, std::vector<FieldError>& faults) {
  if (fitted.present == 0)
    return faults.push_back({"#/dataset", "column '" + column.name + "' has no number in the training part"});
  set_scaling(column, fitted);
  column.fill = column.missing == MissingPolicy::most_frequent ? most_frequent(fitted.numbers)
                : column.missing == MissingPolicy::refuse      ? 0
                                                               : fitted.mean;
  if (!std::isfinite(column.scale) || !std::isfinite(column.offset) || !std::isfinite(column.fill))
    faults.push_back({"#/dataset", "column '" + column.name + "' has numbers too large to be scaled"});
}

void set_category(Column& column, const ColumnFit& fitted, std::vector<FieldError>& faults) {
  column.categories.clear();
  column.fill_category.clear();
  for (const auto& [value, count] : fitted.categories)
    if (column.unseen != UnseenPolicy::other || count > 1) column.categories.push_back(value);
  order_categories(column.categories);
  if (column.missing == MissingPolicy::mean)
    faults.push_back({"#/preprocess", "column '" + column.name + "' is a category: missing can't be 'mean'"});
  if (fitted.present == 0)
    faults.push_back({"#/dataset", "column '" + column.name + "' has no value in the training part"});
  else if (column.missing == MissingPolicy::most_frequent)
    column.fill_category = most_frequent(fitted.categories);
  if (column.categories.size() > kCategoriesMax)
    faults.push_back({"#/dataset", "column '" + column.name + "' has more than " +
                                       std::to_string(kCategoriesMax) + " categories; make it 'ignored'"});
}

std::optional<std::size_t> index_of(const std::vector<std::string>& columns, const std::string& name) {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

// The target's class of each row, as class_indices() will see it in the encoded rows; empty for numbers.
Result<std::vector<std::size_t>> target_classes(const Column& target, const RowSource& rows) {
  const std::optional<std::size_t> cell = index_of(rows.columns(), target.name);
  if (!cell) return Error{ErrorCode::invalid_argument, "The data has no column '" + target.name + "'.", {}};
  std::vector<std::size_t> classes;
  std::vector<double> numbers;
  std::unordered_map<std::string, std::size_t> codes;
  for (std::size_t code = 0; code < target.categories.size(); ++code) codes[target.categories[code]] = code;
  const Result<void> read = rows.for_each(0, [&](std::size_t, std::span<const Cell> cells) {
    if (target.type == ColumnType::label) {
      const auto found = codes.find(text_of(cells[*cell]));
      classes.push_back(found == codes.end() ? 0 : found->second);
    } else {
      numbers.push_back(number_of(cells[*cell]).value_or(0));
    }
    return true;
  });
  if (!read) return read.error();
  if (target.type == ColumnType::label) return classes;
  // Encoded numbers look like classes only where they are all 0 or 1.
  if (target.scaling == Scaling::standardize) return classes;
  const std::set<double> distinct(numbers.begin(), numbers.end());
  const bool two =
      target.scaling == Scaling::min_max
          ? distinct.size() == 2
          : std::all_of(distinct.begin(), distinct.end(), [](double y) { return y == 0 || y == 1; });
  const double one = target.scaling == Scaling::min_max ? *distinct.rbegin() : 1;
  if (two)
    for (double y : numbers) classes.push_back(y == one ? 1 : 0);
  return classes;
}

Parts make_parts(std::size_t rows, const std::vector<std::size_t>& classes, const HeldOut& held_out,
                 std::uint64_t seed) {
  Parts parts;
  const auto take = [&](std::vector<std::size_t>& from, double fraction) {
    std::vector<std::size_t> own;
    if (!classes.empty())
      for (std::size_t row : from) own.push_back(classes[row]);
    const std::vector<std::size_t> order = held_out_order(from.size(), own, seed);
    std::vector<bool> out(from.size(), false);
    for (std::size_t i = 0; i < held_out_count(from.size(), fraction); ++i) out[order[i]] = true;
    std::vector<std::size_t> taken;
    std::vector<std::size_t> rest;
    for (std::size_t i = 0; i < from.size(); ++i) (out[i] ? taken : rest).push_back(from[i]);
    from = std::move(rest);
    return taken;
  };
  parts.training.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) parts.training[row] = row;
  parts.test = take(parts.training, held_out.test);
  parts.validation = take(parts.training, held_out.validation);
  return parts;
}

// The classes of a label target over all rows; faults where there are fewer than two or too many.
Result<void> fit_label(Column& target, const RowSource& rows) {
  const std::optional<std::size_t> cell = index_of(rows.columns(), target.name);
  if (!cell) return Error{ErrorCode::invalid_argument, "The data has no column '" + target.name + "'.", {}};
  std::set<std::string> labels;
  const Result<void> read = rows.for_each(0, [&](std::size_t, std::span<const Cell> cells) {
    if (std::string label = text_of(cells[*cell]); !label.empty()) labels.insert(std::move(label));
    return labels.size() <= kCategoriesMax;
  });
  if (!read) return read.error();
  target.categories.assign(labels.begin(), labels.end());
  order_categories(target.categories);
  if (labels.size() >= 2 && labels.size() <= kCategoriesMax) return {};
  return Error{
      ErrorCode::invalid_argument,
      "The target '" + target.name + "' has " +
          (labels.size() < 2 ? "fewer than two classes."
                             : "more than " + std::to_string(kCategoriesMax) + " classes; is it a number?"),
      {}};
}

// Fits inputs and a number target to the rows listed in `training`.
Result<void> fit_columns(Preprocess& plan, const RowSource& rows, const std::vector<std::size_t>& training) {
  std::vector<std::pair<Column*, std::size_t>> fitted_columns;
  std::vector<FieldError> faults;
  const auto watch = [&](Column& column) {
    if (const auto cell = index_of(rows.columns(), column.name))
      fitted_columns.emplace_back(&column, *cell);
    else
      faults.push_back({"#/dataset", "the data has no column '" + column.name + "'"});
  };
  for (Column& column : plan.columns)
    if (column.type != ColumnType::ignored) watch(column);
  if (plan.target.type == ColumnType::number) watch(plan.target);
  std::vector<ColumnFit> fits(fitted_columns.size());
  std::size_t next = 0;
  const Result<void> read = rows.for_each(0, [&](std::size_t row, std::span<const Cell> cells) {
    if (next == training.size()) return false;
    if (training[next] != row) return true;
    ++next;
    for (std::size_t i = 0; i < fits.size(); ++i)
      fits[i].add(*fitted_columns[i].first, cells[fitted_columns[i].second]);
    return true;
  });
  if (!read) return read.error();
  for (std::size_t i = 0; i < fits.size(); ++i) {
    Column& column = *fitted_columns[i].first;
    if (column.type == ColumnType::category)
      set_category(column, fits[i], faults);
    else
      set_number(column, fits[i], faults);
  }
  if (faults.empty()) return {};
  if (faults.size() > kRowFaultsMax) faults.resize(kRowFaultsMax);
  return Error{ErrorCode::invalid_argument, "The columns can't be fitted.", std::move(faults)};
}

// One pass of encoding in which only the faults count.
Result<void> check_rows(const Preprocess& preprocess, const RowSource& rows,
                        const std::vector<std::size_t>& training) {
  Result<RowEncoder> encoder = RowEncoder::make(preprocess, rows.columns(), true);
  if (!encoder) return encoder.error();
  std::vector<double> inputs(preprocess.input_count());
  std::vector<double> target(std::max<std::size_t>(preprocess.target.categories.size(), 1));
  std::vector<FieldError> faults;
  std::size_t next = 0;
  const Result<void> read = rows.for_each(0, [&](std::size_t row, std::span<const Cell> cells) {
    encoder->encode_target(row, cells, target.data(), target.size(), faults);
    if (next < training.size() && training[next] == row) {
      encoder->encode_inputs(row, cells, inputs.data(), faults);
      ++next;
    }
    return faults.size() < kRowFaultsMax;
  });
  if (!read) return read.error();
  if (faults.empty()) return {};
  if (faults.size() > kRowFaultsMax) faults.resize(kRowFaultsMax);
  return Error{ErrorCode::invalid_argument, "Rows of the data set can't be encoded.", std::move(faults)};
}

}  // namespace

Result<Preprocess> fit(Preprocess plan, const RowSource& rows, std::uint64_t seed) {
  if (rows.rows() == 0) return Error{ErrorCode::invalid_argument, "The data set has no rows.", {}};
  if (plan.target.type == ColumnType::label)
    if (Result<void> fitted = fit_label(plan.target, rows); !fitted) return fitted.error();
  Result<Parts> parts = parts_of(plan, rows, seed);
  if (!parts) return parts.error();
  if (parts->training.empty())
    return Error{
        ErrorCode::invalid_argument,
        "Holding out those fractions of " + std::to_string(rows.rows()) + " rows leaves nothing to train on.",
        {{"#/validation/fraction", "must leave at least one row to train on"}}};
  if (Result<void> fitted = fit_columns(plan, rows, parts->training); !fitted) return fitted.error();
  if (plan.input_count() == 0)
    return Error{ErrorCode::invalid_argument, "No column is left as an input.", {}};
  if (Result<void> checked = check_rows(plan, rows, parts->training); !checked) return checked.error();
  return plan;
}

Result<Parts> parts_of(const Preprocess& preprocess, const RowSource& rows, std::uint64_t seed) {
  Result<std::vector<std::size_t>> classes = target_classes(preprocess.target, rows);
  if (!classes) return classes.error();
  return make_parts(rows.rows(), *classes, preprocess.held_out, seed);
}

}  // namespace mlpd::core
