#include "core/preprocess.h"

#include <algorithm>
#include <array>

#include "core/nearest_name.h"

namespace mlpd::core {
namespace {

constexpr std::array<ColumnTypeRow, 4> kColumnTypes = {{{ColumnType::number, "number"},
                                                        {ColumnType::category, "category"},
                                                        {ColumnType::label, "label"},
                                                        {ColumnType::ignored, "ignored"}}};
constexpr std::array<ScalingRow, 3> kScalings = {
    {{Scaling::none, "none"}, {Scaling::standardize, "standardize"}, {Scaling::min_max, "min_max"}}};
constexpr std::array<MissingPolicyRow, 4> kMissingPolicies = {
    {{MissingPolicy::refuse, "refuse"},
     {MissingPolicy::mean, "mean"},
     {MissingPolicy::most_frequent, "most_frequent"},
     {MissingPolicy::indicator, "indicator"}}};
constexpr std::array<UnseenPolicyRow, 2> kUnseenPolicies = {
    {{UnseenPolicy::refuse, "refuse"}, {UnseenPolicy::other, "other"}}};

constexpr std::size_t kShownMax = 40;

std::string shown(std::string_view text) {
  return "'" + std::string(text.substr(0, kShownMax)) + (text.size() > kShownMax ? "…'" : "'");
}

// RFC 6901: '~' and '/' of a name are escaped.
std::string pointer_of(std::size_t row, std::string_view column) {
  std::string pointer = "#/rows/" + std::to_string(row) + "/";
  for (char c : column)
    pointer += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  return pointer;
}

void add_fault(std::vector<FieldError>& faults, std::size_t row, const Column& column,
               const std::string& what) {
  faults.push_back({pointer_of(row, column.name),
                    "row " + std::to_string(row + 1) + ", column '" + column.name + "': " + what});
}

bool is_missing(const Column& column, const Cell& cell) {
  if (std::holds_alternative<std::monostate>(cell)) return true;
  const std::string* text = std::get_if<std::string>(&cell);
  return text != nullptr &&
         (text->empty() || (column.type == ColumnType::number && is_missing_marker(*text)));
}

// The number of a present cell or of the column's fill; a fault leaves 0.
double number_or_fault(const Column& column, std::size_t row, const Cell& cell,
                       std::vector<FieldError>& faults) {
  if (const std::optional<double> number = number_of(cell)) return *number;
  add_fault(faults, row, column, shown(text_of(cell)) + " is not a finite number");
  return 0;
}

void encode_number(const Column& column, std::size_t row, const Cell& cell, double* inputs,
                   std::vector<FieldError>& faults) {
  const bool missing = is_missing(column, cell);
  if (missing && column.missing == MissingPolicy::refuse) {
    add_fault(faults, row, column, "is missing, and the column's policy is to refuse that");
    return;
  }
  const double number = missing ? column.fill : number_or_fault(column, row, cell, faults);
  const double scaled = (number - column.offset) / column.scale;
  inputs[0] = scaled;
  if (!(scaled - scaled == 0)) add_fault(faults, row, column, "is too large for the column's scaling");
  if (column.missing == MissingPolicy::indicator) inputs[1] = missing ? 1 : 0;
}

void encode_category(const Column& column, const std::unordered_map<std::string_view, std::size_t>& codes,
                     std::size_t row, const Cell& cell, double* inputs, std::vector<FieldError>& faults) {
  std::fill(inputs, inputs + column.input_count(), 0.0);
  const bool missing = is_missing(column, cell);
  if (missing && column.missing == MissingPolicy::refuse)
    return add_fault(faults, row, column, "is missing, and the column's policy is to refuse that");
  if (missing && column.missing == MissingPolicy::indicator) {
    inputs[column.input_count() - 1] = 1;
    return;
  }
  const std::string text = missing ? column.fill_category : text_of(cell);
  if (const auto found = codes.find(text); found != codes.end())
    inputs[found->second] = 1;
  else if (column.unseen == UnseenPolicy::other)
    inputs[column.categories.size()] = 1;
  else
    add_fault(faults, row, column,
              shown(text) + " is not one of the " + std::to_string(column.categories.size()) +
                  " categories seen in training, and the column's policy is to refuse that");
}

std::string near(std::string_view name, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view nearest = nearest_name(name, views);
  return nearest.empty() ? "" : "; did you mean '" + std::string(nearest) + "'?";
}

std::unordered_map<std::string_view, std::size_t> codes_of(const Column& column) {
  std::unordered_map<std::string_view, std::size_t> codes;
  for (std::size_t code = 0; code < column.categories.size(); ++code)
    codes.emplace(column.categories[code], code);
  return codes;
}

Error faulty(std::vector<FieldError> faults) {
  std::string message = "The rows can't be encoded: " + std::to_string(faults.size()) +
                        (faults.size() == 1 ? " fault." : " faults.");
  if (faults.size() > kRowFaultsMax) {
    faults.resize(kRowFaultsMax);
    message += " The first " + std::to_string(kRowFaultsMax) + " are listed.";
  }
  return Error{ErrorCode::invalid_argument, std::move(message), std::move(faults)};
}

// Whether a target of this kind can fill `outputs` columns.
Result<void> check_outputs(const Preprocess& preprocess, std::size_t outputs) {
  const Column& target = preprocess.target;
  const std::size_t classes = target.categories.size();
  if (target.type != ColumnType::label)
    return outputs == 1
               ? Result<void>()
               : Error{ErrorCode::invalid_argument,
                       "The target '" + target.name + "' is a number; the network needs one output, not " +
                           std::to_string(outputs) + ".",
                       {}};
  if (outputs == classes || (outputs == 1 && classes == 2)) return {};
  return Error{ErrorCode::invalid_argument,
               "The target '" + target.name + "' has " + std::to_string(classes) +
                   " classes; the network has " + std::to_string(outputs) + " outputs.",
               {}};
}

}  // namespace

std::span<const ColumnTypeRow> column_types() { return kColumnTypes; }
std::span<const ScalingRow> scalings() { return kScalings; }
std::span<const MissingPolicyRow> missing_policies() { return kMissingPolicies; }
std::span<const UnseenPolicyRow> unseen_policies() { return kUnseenPolicies; }

std::size_t Column::input_count() const {
  const std::size_t indicator = missing == MissingPolicy::indicator ? 1 : 0;
  if (type == ColumnType::number) return 1 + indicator;
  if (type == ColumnType::category)
    return categories.size() + (unseen == UnseenPolicy::other ? 1 : 0) + indicator;
  return 0;
}

std::size_t Preprocess::input_count() const {
  std::size_t count = 0;
  for (const Column& column : columns) count += column.input_count();
  return count;
}

std::vector<std::string> Preprocess::input_names() const {
  std::vector<std::string> names;
  for (const Column& column : columns) {
    if (column.type == ColumnType::number) names.push_back(column.name);
    if (column.type == ColumnType::category) {
      for (const std::string& category : column.categories) names.push_back(column.name + "=" + category);
      if (column.unseen == UnseenPolicy::other) names.push_back(column.name + " other");
    }
    if (column.input_count() > 0 && column.missing == MissingPolicy::indicator)
      names.push_back(column.name + " missing");
  }
  return names;
}

Result<RowEncoder> RowEncoder::make(const Preprocess& preprocess, const std::vector<std::string>& columns,
                                    bool with_target) {
  std::unordered_map<std::string_view, std::size_t> cells;
  std::vector<FieldError> faults;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (!cells.emplace(columns[i], i).second)
      faults.push_back({"#/rows", "column '" + columns[i] + "' comes twice"});
  RowEncoder encoder;
  std::vector<std::string> known = {preprocess.target.name};
  for (const Column& column : preprocess.columns) {
    known.push_back(column.name);
    const auto found = cells.find(column.name);
    if (column.input_count() == 0) continue;
    if (found == cells.end())
      faults.push_back({"#/rows", "column '" + column.name + "' is missing"});
    else
      encoder.inputs_.push_back({&column, found->second, codes_of(column)});
  }
  for (const std::string& column : columns)
    if (std::find(known.begin(), known.end(), column) == known.end())
      faults.push_back({"#/rows", "column '" + column + "' is unknown" + near(column, known)});
  if (with_target) {
    const auto found = cells.find(preprocess.target.name);
    if (found == cells.end())
      faults.push_back({"#/rows", "the target column '" + preprocess.target.name + "' is missing"});
    else
      encoder.target_ = {&preprocess.target, found->second, codes_of(preprocess.target)};
  }
  if (!faults.empty()) {
    if (faults.size() > kRowFaultsMax) faults.resize(kRowFaultsMax);
    return Error{ErrorCode::invalid_argument, "The rows' columns don't fit the network's.",
                 std::move(faults)};
  }
  return encoder;
}

void RowEncoder::encode_inputs(std::size_t row, std::span<const Cell> cells, double* inputs,
                               std::vector<FieldError>& faults) const {
  for (const Source& source : inputs_) {
    if (source.column->type == ColumnType::number)
      encode_number(*source.column, row, cells[source.cell], inputs, faults);
    else
      encode_category(*source.column, source.codes, row, cells[source.cell], inputs, faults);
    inputs += source.column->input_count();
  }
}

void RowEncoder::encode_target(std::size_t row, std::span<const Cell> cells, double* target,
                               std::size_t outputs, std::vector<FieldError>& faults) const {
  const Column& column = *target_.column;
  const Cell& cell = cells[target_.cell];
  if (is_missing(column, cell)) return add_fault(faults, row, column, "the target is missing");
  if (column.type == ColumnType::number) {
    *target = (number_or_fault(column, row, cell, faults) - column.offset) / column.scale;
    if (!(*target - *target == 0)) add_fault(faults, row, column, "is too large for the column's scaling");
    return;
  }
  std::fill(target, target + outputs, 0.0);
  const std::string text = text_of(cell);
  const auto found = target_.codes.find(text);
  if (found == target_.codes.end())
    return add_fault(faults, row, column, shown(text) + " is not one of the known classes");
  if (outputs == 1)
    *target = static_cast<double>(found->second);
  else
    target[found->second] = 1;
}

Result<std::vector<double>> encode_inputs(const Preprocess& preprocess, const RowSource& rows) {
  Result<RowEncoder> encoder = RowEncoder::make(preprocess, rows.columns(), false);
  if (!encoder) return encoder.error();
  const std::size_t width = preprocess.input_count();
  std::vector<double> inputs(rows.rows() * width);
  std::vector<FieldError> faults;
  const Result<void> read = rows.for_each(0, [&](std::size_t row, std::span<const Cell> cells) {
    encoder->encode_inputs(row, cells, inputs.data() + row * width, faults);
    return faults.size() <= kRowFaultsMax;
  });
  if (!read) return read.error();
  if (!faults.empty()) return faulty(std::move(faults));
  return inputs;
}

Result<Dataset> encode(const Preprocess& preprocess, const RowSource& rows,
                       const std::vector<std::size_t>& selected, std::size_t outputs) {
  if (Result<void> fits = check_outputs(preprocess, outputs); !fits) return fits.error();
  Result<RowEncoder> encoder = RowEncoder::make(preprocess, rows.columns(), true);
  if (!encoder) return encoder.error();
  Dataset data;
  data.rows = selected.size();
  data.input_count = preprocess.input_count();
  data.output_count = outputs;
  if (data.input_count + outputs > kEncodedNumbersMax / std::max<std::size_t>(data.rows, 1))
    return Error{ErrorCode::resource_exhausted,
                 std::to_string(data.rows) + " rows of " + std::to_string(data.input_count) +
                     " inputs are more than " + std::to_string(kEncodedNumbersMax) + " numbers.",
                 {}};
  if (outputs > 1) data.class_labels = preprocess.target.categories;
  data.inputs.resize(data.rows * data.input_count);
  data.targets.resize(data.rows * outputs);
  std::vector<FieldError> faults;
  std::size_t next = 0;
  const Result<void> read = rows.for_each(0, [&](std::size_t row, std::span<const Cell> cells) {
    if (next == selected.size()) return false;
    if (selected[next] != row) return true;
    encoder->encode_inputs(row, cells, data.inputs.data() + next * data.input_count, faults);
    encoder->encode_target(row, cells, data.targets.data() + next * outputs, outputs, faults);
    ++next;
    return faults.size() <= kRowFaultsMax;
  });
  if (!read) return read.error();
  if (!faults.empty()) return faulty(std::move(faults));
  return data;
}

double decode_number(const Preprocess& preprocess, double output) {
  return output * preprocess.target.scale + preprocess.target.offset;
}

const std::string& decode_label(const Preprocess& preprocess, std::span<const double> outputs) {
  const std::size_t code =
      outputs.size() == 1
          ? (outputs[0] >= 0.5 ? 1 : 0)
          : static_cast<std::size_t>(std::max_element(outputs.begin(), outputs.end()) - outputs.begin());
  return preprocess.target.categories[code];
}

}  // namespace mlpd::core
