#include "core/table_profile.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "core/nearest_name.h"

namespace mlpd::core {
namespace {

constexpr std::size_t kSamplesMax = 4'000'000;  // numbers of all columns' samples: 32 MB
constexpr std::size_t kSampleMax = 4'096;       // of one column
constexpr std::size_t kValueBytesMax = 24u << 20;
constexpr std::size_t kValueOverhead = 96;  // of a node of the map, about
constexpr std::size_t kValueTextMax = 256;  // a longer text is no category
constexpr std::size_t kFaultBytesMax = 8u << 20;
constexpr std::size_t kShownMax = 40;
constexpr std::size_t kFewValues = 10;
constexpr std::uint64_t kSampleStream = 0x73616d706c65;

bool whole(double x) { return std::floor(x) == x && std::fabs(x) <= 0x1p53; }

std::vector<double> quantiles_of(std::vector<double> sample) {
  std::sort(sample.begin(), sample.end());
  std::vector<double> quantiles;
  for (double q : kProfileQuantiles) {
    const double place = q * static_cast<double>(sample.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double above = sample[std::min(below + 1, sample.size() - 1)];
    const double share = place - std::floor(place);
    quantiles.push_back(sample[below] * (1 - share) + above * share);
  }
  return quantiles;
}

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

}  // namespace

const ColumnProfile* TableProfile::find(std::string_view column) const {
  for (const ColumnProfile& profile : columns)
    if (profile.name == column) return &profile;
  return nullptr;
}

TableProfiler::TableProfiler(std::vector<std::string> columns, RowUnit unit)
    : columns_(std::move(columns)),
      unit_(unit),
      watches_(columns_.size()),
      sample_max_(std::min(kSampleMax, kSamplesMax / std::max<std::size_t>(columns_.size(), 1))),
      random_(0, kSampleStream) {}

void TableProfiler::add(std::uint64_t place, std::span<const Cell> cells) {
  ++rows_;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    Watch& watch = watches_[i];
    const Cell& cell = cells[i];
    const std::string* text = std::get_if<std::string>(&cell);
    if (std::holds_alternative<std::monostate>(cell) || (text != nullptr && text->empty())) {
      ++watch.empty;
      continue;
    }
    if (const std::optional<double> number = number_of(cell)) {
      add_number(watch, *number);
    } else if (is_missing_marker(*text)) {
      ++watch.markers;
    } else {
      ++watch.texts;
      if (watch.faults.size() < kRowFaultsMax && fault_bytes_ < kFaultBytesMax) {
        watch.faults.push_back({place, text->substr(0, kShownMax)});
        fault_bytes_ += sizeof(Fault) + kShownMax;
      }
    }
    if (watch.counting) add_value(watch, text != nullptr ? *text : text_of(cell));
  }
}

void TableProfiler::add_number(Watch& watch, double number) {
  const std::uint64_t count = ++watch.numbers;
  watch.minimum = count == 1 ? number : std::min(watch.minimum, number);
  watch.maximum = count == 1 ? number : std::max(watch.maximum, number);
  const double delta = number - watch.mean;
  watch.mean += delta / static_cast<double>(count);
  watch.squares += delta * (number - watch.mean);
  watch.whole = watch.whole && whole(number);
  // Reservoir sampling (Vitter's algorithm R): every value has the same chance to be in the sample.
  if (watch.sample.size() < sample_max_) {
    watch.sample.push_back(number);
  } else if (const std::uint64_t place = random_.below(count); place < watch.sample.size()) {
    watch.sample[place] = number;
  }
}

void TableProfiler::add_value(Watch& watch, std::string_view text) {
  if (const auto found = watch.values.find(std::string(text)); found != watch.values.end()) {
    ++found->second;
    return;
  }
  const std::size_t bytes = kValueOverhead + text.size();
  if (watch.values.size() < kCategoriesMax && text.size() <= kValueTextMax &&
      value_bytes_ + bytes <= kValueBytesMax) {
    watch.values.emplace(text, 1);
    watch.bytes += bytes;
    value_bytes_ += bytes;
    return;
  }
  watch.counting = false;
  watch.values = {};
  value_bytes_ -= watch.bytes;
}

ColumnType TableProfiler::infer(const Watch& watch, bool is_target) const {
  const std::uint64_t present = watch.numbers + watch.texts;
  const std::size_t distinct = watch.values.size();
  const bool repeats = watch.counting && 2 * distinct <= present;
  if (present == 0) return ColumnType::ignored;
  if (watch.numbers > watch.texts)
    return is_target && watch.texts == 0 && watch.whole && repeats && distinct <= kInferredClassesMax
               ? ColumnType::label
               : ColumnType::number;
  if (is_target) return ColumnType::label;
  return repeats || (watch.counting && distinct <= kFewValues) ? ColumnType::category : ColumnType::ignored;
}

ColumnProfile TableProfiler::profile(const std::string& name, ColumnType type, const Watch& watch) const {
  ColumnProfile column;
  column.name = name;
  column.type = type;
  column.missing = watch.empty + (type == ColumnType::number ? watch.markers : 0);
  column.count = rows_ - column.missing;
  column.distinct = watch.values.size();
  if (type == ColumnType::number) {
    column.minimum = watch.minimum;
    column.maximum = watch.maximum;
    column.mean = watch.mean;
    column.deviation =
        std::sqrt(watch.squares / static_cast<double>(std::max<std::uint64_t>(watch.numbers, 1)));
    column.quantiles = watch.sample.empty() ? std::vector<double>() : quantiles_of(watch.sample);
    column.sampled = watch.sample.size() < watch.numbers;
    for (double* value : {&column.mean, &column.deviation})
      if (!std::isfinite(*value)) *value = 0;
  } else {
    for (const auto& [value, count] : watch.values) column.top.push_back({value, count});
    std::sort(column.top.begin(), column.top.end(), [](const CategoryCount& a, const CategoryCount& b) {
      return a.count != b.count ? a.count > b.count : a.value < b.value;
    });
    if (column.top.size() > kProfileTopMax) column.top.resize(kProfileTopMax);
  }
  return column;
}

void TableProfiler::check(const std::string& name, ColumnType type, bool is_target, const Watch& watch,
                          std::vector<std::pair<std::uint64_t, FieldError>>& faults) const {
  const auto fault = [&](std::string detail) {
    faults.push_back({0, {"#/types/" + name, std::move(detail)}});
  };
  if (type == ColumnType::label && !is_target)
    return fault("column " + quoted(name) + " is not the target: only that is a label");
  if (is_target && type != ColumnType::label && type != ColumnType::number)
    return fault("the target " + quoted(name) + " must be a label or a number" +
                 (watch.numbers + watch.texts == 0 ? "; all its cells are empty" : ""));
  if ((type == ColumnType::label || type == ColumnType::category) && !watch.counting)
    return fault("column " + quoted(name) + " has more than " + std::to_string(kCategoriesMax) +
                 " different values (or long ones): too many for a " +
                 (type == ColumnType::label ? "label" : "category"));
  if (type != ColumnType::number) return;
  for (const Fault& bad : watch.faults) {
    const std::string unit = unit_ == RowUnit::line ? "line " : "row ";
    const std::string pointer = unit_ == RowUnit::line ? "#/lines/" + std::to_string(bad.place)
                                                       : "#/rows/" + std::to_string(bad.place - 1);
    faults.push_back(
        {bad.place,
         {pointer + "/" + name, unit + std::to_string(bad.place) + ", column " + quoted(name) + ": " +
                                    quoted(bad.text) + " is not a number; if the column is none, say " +
                                    "types=" + name + ":category (or :ignored)"}});
  }
}

Result<TableProfile> TableProfiler::finish(std::string target,
                                           const std::map<std::string, ColumnType>& types) const {
  std::vector<std::pair<std::uint64_t, FieldError>> faults;
  const std::vector<std::string_view> known(columns_.begin(), columns_.end());
  const auto must_exist = [&](const std::string& name, const std::string& pointer) {
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    const std::string_view nearest = nearest_name(name, known);
    faults.push_back({0,
                      {pointer, "there is no column " + quoted(name) +
                                    (nearest.empty() ? "" : "; did you mean " + quoted(nearest) + "?")}});
  };
  for (const auto& [name, type] : types) {
    must_exist(name, "#/types/" + name);
    if (target.empty() && type == ColumnType::label) target = name;
  }
  if (!target.empty()) must_exist(target, "#/target");
  if (target.empty() && !columns_.empty()) target = columns_.back();
  if (rows_ == 0) faults.push_back({0, {"#/rows", "there are no rows"}});
  TableProfile table{rows_, target, {}};
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const bool is_target = columns_[i] == target;
    const auto given = types.find(columns_[i]);
    const ColumnType type = given != types.end() ? given->second : infer(watches_[i], is_target);
    if (rows_ > 0) check(columns_[i], type, is_target, watches_[i], faults);
    table.columns.push_back(profile(columns_[i], type, watches_[i]));
  }
  if (faults.empty()) return table;
  std::stable_sort(faults.begin(), faults.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Error error{ErrorCode::invalid_argument, "The data can't be taken as it is.", {}};
  for (std::size_t i = 0; i < std::min(faults.size(), kRowFaultsMax); ++i)
    error.fields.push_back(std::move(faults[i].second));
  return error;
}

Preprocess plan_of(const TableProfile& profile) {
  Preprocess plan;
  for (const ColumnProfile& column : profile.columns) {
    Column planned;
    planned.name = column.name;
    planned.type = column.type;
    if (column.name == profile.target)
      plan.target = std::move(planned);
    else
      plan.columns.push_back(std::move(planned));
  }
  return plan;
}

Result<Preprocess> plain_preprocess(const TableProfile& profile, const RowSource& rows) {
  Preprocess plan = plan_of(profile);
  std::vector<FieldError> faults;
  for (Column& column : plan.columns) {
    column.scaling = Scaling::none;
    if (column.type == ColumnType::category)
      faults.push_back(
          {"#/dataset", "column " + quoted(column.name) +
                            " is a category; create the network with this data set to encode it"});
  }
  plan.target.scaling = Scaling::none;
  if (!faults.empty())
    return Error{ErrorCode::invalid_argument, "The network takes plain numbers, the data set has others.",
                 std::move(faults)};
  return fit(std::move(plan), rows, 0);
}

std::span<const PartRow> part_names() {
  static constexpr std::array<PartRow, 5> kParts = {{{Part::trainable, "trainable"},
                                                     {Part::training, "training"},
                                                     {Part::validation, "validation"},
                                                     {Part::test, "test"},
                                                     {Part::all, "all"}}};
  return kParts;
}

Result<Dataset> encode_part(const TableProfile& profile, const RowSource& rows, const Preprocess* preprocess,
                            Part part, std::size_t inputs, std::size_t outputs, std::uint64_t seed) {
  Preprocess plain;
  if (preprocess == nullptr) {
    Result<Preprocess> made = plain_preprocess(profile, rows);
    if (!made) return made.error();
    plain = std::move(made).value();
    preprocess = &plain;
  }
  if (preprocess->input_count() != inputs)
    return Error{ErrorCode::invalid_argument,
                 "The data set gives " + std::to_string(preprocess->input_count()) +
                     " inputs, the network takes " + std::to_string(inputs) + ".",
                 {{"#/dataset", "does not fit the network"}}};
  Result<Parts> parts = parts_of(*preprocess, rows, seed);
  if (!parts) return parts.error();
  std::vector<std::size_t> selected;
  const auto take = [&](Part own, const std::vector<std::size_t>& own_rows) {
    if (part == own || part == Part::all || (part == Part::trainable && own != Part::test))
      selected.insert(selected.end(), own_rows.begin(), own_rows.end());
  };
  take(Part::training, parts->training);
  take(Part::validation, parts->validation);
  take(Part::test, parts->test);
  std::sort(selected.begin(), selected.end());
  if (selected.empty())
    return Error{ErrorCode::invalid_argument,
                 "The network holds out no such rows.",
                 {{"#/part", "is empty: create the network with \"test\": {\"fraction\": 0.2}"}}};
  return encode(*preprocess, rows, selected, outputs);
}

}  // namespace mlpd::core
