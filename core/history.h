#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace mlpd::core {

/// "Not measured" inside a record; JSON shows null or leaves the column out.
inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

/// One point of a training's history: the parameters before update step+1 on that update's batch.
struct Record {
  std::uint64_t step = 0;
  std::uint64_t epoch = 0;
  double loss = kAbsent;  ///< data_loss + penalty
  double data_loss = kAbsent;
  double penalty = kAbsent;
  double learning_rate = kAbsent;
  double gradient_norm = kAbsent;  ///< before clipping, penalty included
  double accuracy = kAbsent;
  double validation_loss = kAbsent;
  double validation_accuracy = kAbsent;
};

/// The wire names of a record's columns, in order; column i of a history is field i of Record.
const std::vector<std::string_view>& record_fields();
/// Field i of a record as a number (step and epoch too).
double record_value(const Record& record, std::size_t field);

/// Equal-length columns, as GET …/history answers them. Columns in which no record has a value are left out.
struct HistoryColumns {
  std::vector<std::string> names;
  std::vector<std::vector<double>> values;  ///< kAbsent where a record has none
};

/// Which part of a history: steps from … to (inclusive), thinned to at most max_points (0 = all), named
/// fields (empty = all). Thinning keeps the first and last record and each span's extremes of loss.
struct HistoryQuery {
  std::uint64_t from_step = 0;
  std::uint64_t to_step = std::numeric_limits<std::uint64_t>::max();
  std::size_t max_points = 0;
  std::vector<std::string> fields;
};

/// Bounded columnar records of one network. When `capacity` is reached, the stride between kept records
/// doubles; of every span the records with the smallest and largest loss are kept, so that extremes stay
/// exact. Deterministic: the same appends give the same history. Not thread-safe.
class History {
 public:
  /// 100,000 records is api.md's bound.
  explicit History(std::size_t capacity = 100'000);

  /// Steps must not decrease; a record of the last step replaces it.
  void append(const Record& record);
  /// Drops every record past `step` (going back in time).
  void truncate(std::uint64_t step);
  void clear();
  HistoryColumns query(const HistoryQuery& query) const;
  const Record* last() const;
  std::size_t size() const;
  std::size_t memory_bytes() const;

  /// All kept records and the stride state, to be stored; restore() of it continues exactly.
  struct State {
    std::uint64_t stride = 1;
    std::uint64_t seen = 0;
    std::vector<Record> records;
  };
  /// The records before the `from`-th left out.
  State state(std::size_t from = 0) const;
  /// How many records, from the first on, stay as they are as long as the stride does and none is dropped.
  std::size_t settled() const;
  std::uint64_t stride() const { return state_.stride; }
  static History restore(State state, std::size_t capacity = 100'000);

 private:
  std::size_t capacity_;
  State state_;
};

}  // namespace mlpd::core
