#include "core/history.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mlpd::core {

const std::vector<std::string_view>& record_fields() {
  static const std::vector<std::string_view> kFields = {
      "step",          "epoch",         "loss",     "data_loss",       "penalty",
      "learning_rate", "gradient_norm", "accuracy", "validation_loss", "validation_accuracy"};
  return kFields;
}

double record_value(const Record& record, std::size_t field) {
  const double values[] = {static_cast<double>(record.step),
                           static_cast<double>(record.epoch),
                           record.loss,
                           record.data_loss,
                           record.penalty,
                           record.learning_rate,
                           record.gradient_norm,
                           record.accuracy,
                           record.validation_loss,
                           record.validation_accuracy};
  return values[field];
}

namespace {

/// Positions of the smallest and the largest loss in [first, last), first of equals; both `first` where no
/// record has a loss.
std::pair<std::size_t, std::size_t> extremes(const std::vector<Record>& records, std::size_t first,
                                             std::size_t last) {
  std::size_t smallest = first;
  std::size_t largest = first;
  for (std::size_t i = first; i < last; ++i) {
    if (std::isnan(records[i].loss)) continue;
    if (!(records[smallest].loss <= records[i].loss)) smallest = i;
    if (!(records[largest].loss >= records[i].loss)) largest = i;
  }
  return {smallest, largest};
}

/// Appends the records of [first, last) that stand for a span: its two extremes, or first and last where
/// these are one and the same; where `open`, the last one too.
void append_span(const std::vector<Record>& from, std::size_t first, std::size_t last, bool open,
                 std::vector<Record>& to) {
  if (first == last) return;
  auto [low, high] = extremes(from, first, last);
  if (low > high) std::swap(low, high);
  if (low == high) {
    low = high == first ? high : first;
    high = last - 1;
  }
  to.push_back(from[low]);
  if (high != low) to.push_back(from[high]);
  if (open && high != last - 1) to.push_back(from[last - 1]);
}

/// Records that a finished span of `stride` appended records keeps.
std::size_t kept_of(std::uint64_t stride) { return stride == 1 ? 1 : 2; }

/// Finished spans after `seen` appended records. The very first record stands alone; the newest span stays
/// open until the next append, so that the last record is always there.
std::size_t finished_spans(const History::State& state) {
  return state.seen < 2 ? 0 : static_cast<std::size_t>((state.seen - 2) / state.stride);
}

/// Where the open span's records begin.
std::size_t open_begin(const History::State& state) {
  return std::min(state.records.size(), 1 + finished_spans(state) * kept_of(state.stride));
}

/// Doubles the stride: two neighbouring finished spans become one, what is left joins the open one.
void double_stride(History::State& state) {
  if (state.stride == 1) {
    state.stride = 2;
    return;
  }
  state.stride *= 2;
  std::vector<Record> kept;
  kept.reserve(state.records.capacity());
  kept.push_back(state.records.front());
  const std::size_t spans = finished_spans(state);
  for (std::size_t i = 0; i < spans; ++i) append_span(state.records, 1 + 4 * i, 5 + 4 * i, false, kept);
  append_span(state.records, 1 + 4 * spans, state.records.size(), true, kept);
  state.records = std::move(kept);
}

}  // namespace

History::History(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 16)) {}

void History::append(const Record& record) {
  std::vector<Record>& records = state_.records;
  if (!records.empty() && records.back().step == record.step) {
    records.back() = record;
    return;
  }
  const std::size_t open = open_begin(state_);
  ++state_.seen;
  const bool finished = state_.seen > 2 && (state_.seen - 2) % state_.stride == 0;
  if (state_.stride > 1 && records.size() > open) {
    // The open span keeps its extremes; its newest record is dropped if it is neither.
    std::vector<Record> span;
    if (records.size() - open > 2 || finished) {
      append_span(records, open, records.size(), false, span);
      records.resize(open);
      records.insert(records.end(), span.begin(), span.end());
    }
  }
  records.push_back(record);
  while (records.size() > capacity_) double_stride(state_);
}

void History::clear() { state_ = {}; }

void History::truncate(std::uint64_t step) {
  std::vector<Record>& records = state_.records;
  while (!records.empty() && records.back().step > step) records.pop_back();
  if (records.empty()) {
    state_ = {};
    return;
  }
  // Spans are counted anew from what is kept.
  const std::uint64_t rest = records.size() - 1;
  const std::uint64_t kept = kept_of(state_.stride);
  state_.seen = rest == 0 ? 1 : 2 + (rest - 1) / kept * state_.stride + (rest - 1) % kept;
}

HistoryColumns History::query(const HistoryQuery& query) const {
  std::vector<Record> chosen;
  for (const Record& record : state_.records)
    if (record.step >= query.from_step && record.step <= query.to_step) chosen.push_back(record);
  if (query.max_points != 0 && chosen.size() > query.max_points) {
    std::vector<Record> thinned;
    const std::size_t inner = chosen.size() - 2;
    const std::size_t spans = query.max_points < 2 ? 0 : (query.max_points - 2) / 2;
    if (query.max_points >= 2) thinned.push_back(chosen.front());
    for (std::size_t i = 0; i < spans; ++i)
      append_span(chosen, 1 + inner * i / spans, 1 + inner * (i + 1) / spans, false, thinned);
    thinned.push_back(chosen.back());
    chosen = std::move(thinned);
  }
  HistoryColumns columns;
  for (std::size_t field = 0; field < record_fields().size(); ++field) {
    const std::string_view name = record_fields()[field];
    if (!query.fields.empty() &&
        std::find(query.fields.begin(), query.fields.end(), name) == query.fields.end())
      continue;
    std::vector<double> values;
    values.reserve(chosen.size());
    for (const Record& record : chosen) values.push_back(record_value(record, field));
    if (field > 1 && std::all_of(values.begin(), values.end(), [](double x) { return std::isnan(x); }))
      continue;
    columns.names.emplace_back(name);
    columns.values.push_back(std::move(values));
  }
  return columns;
}

const Record* History::last() const { return state_.records.empty() ? nullptr : &state_.records.back(); }

std::size_t History::size() const { return state_.records.size(); }

std::size_t History::memory_bytes() const {
  return sizeof *this + state_.records.capacity() * sizeof(Record);
}

History::State History::state(std::size_t from) const {
  const auto first = state_.records.begin() + static_cast<std::ptrdiff_t>(from);
  return {state_.stride, state_.seen, {first, state_.records.end()}};
}

/// The last record may still be replaced.
std::size_t History::settled() const {
  return state_.records.empty() ? 0 : std::min(open_begin(state_), state_.records.size() - 1);
}

History History::restore(State state, std::size_t capacity) {
  History history(capacity);
  history.state_ = std::move(state);
  return history;
}

}  // namespace mlpd::core
