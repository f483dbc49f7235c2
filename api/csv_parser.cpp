#include <csv.h>

#include <algorithm>
#include <array>
#include <set>

#include "api/line_reader.h"
#include "api/table_parser.h"

namespace mlpd::api {
namespace {

constexpr std::array<char, 4> kDelimiters = {'\t', ';', '|', ','};
constexpr std::size_t kDetectLinesMax = 20;
constexpr int kRowNotBegun = 0;  // libcsv's pstate between rows

// How often each delimiter stands outside quotes in each of the first records.
std::vector<std::array<std::size_t, kDelimiters.size()>> count_delimiters(std::string_view head) {
  std::vector<std::array<std::size_t, kDelimiters.size()>> counts(1);
  bool quoted = false;
  bool empty = true;
  for (char c : head) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r')) {
      if (empty) continue;
      if (counts.size() == kDetectLinesMax) return counts;
      counts.emplace_back();
      empty = true;
      continue;
    }
    empty = false;
    if (quoted) continue;
    for (std::size_t i = 0; i < kDelimiters.size(); ++i)
      if (c == kDelimiters[i]) ++counts.back()[i];
  }
  // What the cut of the head left of a record says nothing.
  if (counts.size() > 1) counts.pop_back();
  return counts;
}

// The delimiter that every record has equally often; else the most frequent one of the first record.
char detect_delimiter(std::string_view head) {
  const auto counts = count_delimiters(head);
  for (std::size_t i = 0; i < kDelimiters.size(); ++i)
    if (counts[0][i] > 0 &&
        std::all_of(counts.begin(), counts.end(), [&](const auto& c) { return c[i] == counts[0][i]; }))
      return kDelimiters[i];
  const auto most = std::max_element(counts[0].begin(), counts[0].end());
  return *most == 0 ? ',' : kDelimiters[static_cast<std::size_t>(most - counts[0].begin())];
}

class CsvParser final : public TableParser {
 public:
  CsvParser(const CsvOptions& options, TableSink& sink) : options_(options), sink_(sink) {
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
  }
  ~CsvParser() override { csv_free(&parser_); }
  CsvParser(const CsvParser&) = delete;
  CsvParser& operator=(const CsvParser&) = delete;

  core::Result<void> feed(std::string_view bytes) override {
    if (started_) return take(bytes, false);
    head_ += bytes;
    return head_.size() < kDetectBytes ? core::Result<void>() : start(false);
  }

  core::Result<void> finish() override {
    if (core::Result<void> taken = started_ ? take({}, true) : start(true); !taken) return taken;
    if (csv_fini(&parser_, on_cell, on_row, this) != 0)
      faults_.add(row_line_, "", "a quote that begins in this row is never closed");
    if (failure_) return *failure_;
    if (!faults_.empty()) return faults_.error();
    if (!has_columns_) faults_.add(1, "", "there is no row at all");
    return faults_.empty() ? core::Result<void>() : faults_.error();
  }

 private:
  core::Result<void> start(bool last) {
    started_ = true;
    const char delimiter = options_.delimiter != 0 ? options_.delimiter : detect_delimiter(head_);
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
    core::Result<void> taken = take(head_, last);
    head_ = {};
    return taken;
  }

  core::Result<void> take(std::string_view bytes, bool last) {
    return lines_.feed(bytes, last, faults_,
                       [this](std::uint64_t line, std::string_view text) { return parse(line, text); });
  }

  core::Result<void> parse(std::uint64_t line, std::string_view text) {
    if (parser_.pstate == kRowNotBegun) row_line_ = line;
    if (csv_parse(&parser_, text.data(), text.size(), on_cell, on_row, this) != text.size()) {
      // Where the next cell begins can't be known after this.
      faults_.add(line, cell_name(),
                  "has a quote inside of a cell; quote the whole cell and double its quotes (\"\")");
      return faults_.error();
    }
    if (failure_) return *failure_;
    if (parser_.pstate != kRowNotBegun && parser_.entry_pos > kCellBytesMax) {
      faults_.add(
          row_line_, cell_name(),
          "has a cell longer than " + std::to_string(kCellBytesMax) + " bytes; is a quote not closed?");
      return faults_.error();
    }
    return faults_.full() ? core::Result<void>(faults_.error()) : core::Result<void>();
  }

  static void on_cell(void* text, std::size_t size, void* self) {
    CsvParser& parser = *static_cast<CsvParser*>(self);
    if (parser.used_ == parser.cells_.size()) parser.cells_.emplace_back();
    core::Cell& cell = parser.cells_[parser.used_++];
    if (size == 0)
      cell = std::monostate();
    else if (std::string* kept = std::get_if<std::string>(&cell))
      kept->assign(static_cast<const char*>(text), size);
    else
      cell = std::string(static_cast<const char*>(text), size);
  }

  static void on_row(int, void* self) {
    CsvParser& parser = *static_cast<CsvParser*>(self);
    parser.end_row({parser.cells_.data(), parser.used_});
    parser.used_ = 0;
  }

  void end_row(std::span<const core::Cell> cells) {
    if (failure_ || faults_.full()) return;
    if (!has_columns_) {
      has_columns_ = true;
      const bool header =
          options_.header.value_or(std::none_of(cells.begin(), cells.end(), [](const core::Cell& cell) {
            return core::number_of(cell).has_value();
          }));
      name_columns(cells, header);
      if (failure_ || header) return;
    }
    if (cells.size() != columns_.size())
      return faults_.add(row_line_, "",
                         "has " + std::to_string(cells.size()) + " columns, the first row has " +
                             std::to_string(columns_.size()));
    if (!faults_.empty()) return;  // only further faults matter now
    if (core::Result<void> taken = sink_.row(row_line_, cells); !taken) failure_ = taken.error();
  }

  void name_columns(std::span<const core::Cell> cells, bool header) {
    if (cells.size() > kTableColumnsMax)
      failure_ = core::Error{core::ErrorCode::resource_exhausted,
                             "The table has more than " + std::to_string(kTableColumnsMax) + " columns.",
                             {}};
    std::set<std::string> known;
    for (std::size_t i = 0; i < cells.size() && !failure_; ++i) {
      std::string name = header ? core::text_of(cells[i]) : "x" + std::to_string(i + 1);
      if (name.empty()) name = "column_" + std::to_string(i + 1);
      if (!known.insert(name).second) faults_.add(row_line_, name, "stands there twice");
      columns_.push_back(std::move(name));
    }
    if (failure_ || !faults_.empty()) return;
    if (core::Result<void> taken = sink_.columns(columns_); !taken) failure_ = taken.error();
  }

  std::string cell_name() const {
    return used_ < columns_.size() ? columns_[used_] : "column_" + std::to_string(used_ + 1);
  }

  CsvOptions options_;
  TableSink& sink_;
  csv_parser parser_{};
  bool started_ = false;
  std::string head_;
  LineReader lines_{kLineBytesMax};
  RowFaults faults_{core::RowUnit::line};
  std::optional<core::Error> failure_;
  bool has_columns_ = false;
  std::vector<std::string> columns_;
  std::vector<core::Cell> cells_;
  std::size_t used_ = 0;
  std::uint64_t row_line_ = 1;
};

}  // namespace

std::unique_ptr<TableParser> make_csv_parser(const CsvOptions& options, TableSink& sink) {
  return std::make_unique<CsvParser>(options, sink);
}

}  // namespace mlpd::api
