#include <simdjson.h>

#include <unordered_map>

#include "api/line_reader.h"
#include "api/table_parser.h"

namespace mlpd::api {
namespace {

namespace ondemand = simdjson::ondemand;

bool at_end(ondemand::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

// Rows of JSON → cells, for both formats: what the columns are, which keys were seen.
class JsonRows {
 public:
  JsonRows(RowFaults& faults, TableSink& sink) : faults_(faults), sink_(sink) {}

  bool has_columns() const { return !columns_.empty(); }

  core::Result<void> set_columns(const std::vector<std::string>& columns) {
    columns_ = columns;
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (columns[i].empty() || !places_.emplace(columns[i], i).second)
        return core::Error{core::ErrorCode::invalid_argument,
                           "Columns need different names.",
                           {{"#/columns/" + std::to_string(i), "is empty or stands there twice"}}};
    if (columns.size() > kTableColumnsMax)
      return core::Error{core::ErrorCode::resource_exhausted,
                         "The table has more than " + std::to_string(kTableColumnsMax) + " columns.",
                         {}};
    cells_.resize(columns.size());
    seen_.resize(columns.size());
    return sink_.columns(columns_);
  }

  // simdjson's own error where the text is no JSON; faults of content go to the list.
  simdjson::error_code add_object(std::uint64_t place, ondemand::object object, core::Result<void>& result) {
    const bool first = !has_columns();
    std::vector<std::string> names;
    std::fill(cells_.begin(), cells_.end(), core::Cell());
    std::fill(seen_.begin(), seen_.end(), false);
    for (auto field : object) {
      std::string_view key;
      if (auto error = field.unescaped_key().get(key)) return error;
      core::Cell cell;
      bool plain = true;
      if (auto error = read_cell(field.value(), cell, plain)) return error;
      if (!plain) faults_.add(place, key, "must be a number, text, true, false or null");
      if (first) {
        names.emplace_back(key);
        cells_.push_back(std::move(cell));
        continue;
      }
      const auto found = places_.find(std::string(key));
      if (found == places_.end())
        faults_.add(place, key, "is no column of the first row");
      else if (seen_[found->second])
        faults_.add(place, key, "stands there twice");
      else
        cells_[found->second] = std::move(cell);
      if (found != places_.end()) seen_[found->second] = true;
    }
    if (first && names.empty()) faults_.add(place, "", "is an object without fields");
    if (first && !names.empty()) result = set_columns(names);
    hand_over(place, result);
    return simdjson::SUCCESS;
  }

  simdjson::error_code add_array(std::uint64_t place, ondemand::array array, core::Result<void>& result) {
    std::size_t i = 0;
    for (auto element : array) {
      core::Cell cell;
      bool plain = true;
      if (auto error = read_cell(element, cell, plain)) return error;
      if (!plain) faults_.add(place, "", "cells must be numbers, texts, true, false or null");
      if (i < cells_.size()) cells_[i] = std::move(cell);
      ++i;
    }
    if (i != cells_.size())
      faults_.add(
          place, "",
          "has " + std::to_string(i) + " cells, there are " + std::to_string(cells_.size()) + " columns");
    hand_over(place, result);
    return simdjson::SUCCESS;
  }

 private:
  static simdjson::error_code read_cell(simdjson::simdjson_result<ondemand::value> value, core::Cell& cell,
                                        bool& plain) {
    ondemand::json_type type;
    if (auto error = value.type().get(type)) return error;
    switch (type) {
      case ondemand::json_type::number: {
        double number = 0;
        if (auto error = value.get_double().get(number)) return error;
        cell = number;
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::string: {
        std::string_view text;
        if (auto error = value.get_string().get(text)) return error;
        cell = std::string(text);
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::boolean: {
        bool flag = false;
        if (auto error = value.get_bool().get(flag)) return error;
        cell = std::string(flag ? "true" : "false");
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::null: {  // so far only its first letter was looked at
        bool is_null = false;
        if (auto error = value.is_null().get(is_null)) return error;
        return is_null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
      }
      default:
        plain = false;
        std::string_view skipped;
        return value.raw_json_token().get(skipped);
    }
  }

  void hand_over(std::uint64_t place, core::Result<void>& result) {
    if (faults_.empty() && result) result = sink_.row(place, cells_);
    if (faults_.full()) result = faults_.error();
  }

  RowFaults& faults_;
  TableSink& sink_;
  std::vector<std::string> columns_;
  std::unordered_map<std::string, std::size_t> places_;
  std::vector<core::Cell> cells_;
  std::vector<bool> seen_;
};

class NdjsonParser final : public TableParser {
 public:
  explicit NdjsonParser(TableSink& sink) : rows_(faults_, sink) {}

  core::Result<void> feed(std::string_view bytes) override { return take(bytes, false); }

  core::Result<void> finish() override {
    if (core::Result<void> taken = take({}, true); !taken) return taken;
    if (faults_.empty() && !rows_.has_columns()) faults_.add(1, "", "there is no row at all");
    return faults_.empty() ? core::Result<void>() : faults_.error();
  }

 private:
  core::Result<void> take(std::string_view bytes, bool last) {
    return lines_.feed(bytes, last, faults_,
                       [this](std::uint64_t line, std::string_view text) { return parse(line, text); });
  }

  core::Result<void> parse(std::uint64_t line, std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
    buffer_.assign(text);
    buffer_.append(simdjson::SIMDJSON_PADDING, ' ');
    core::Result<void> result;
    simdjson::error_code error = [&]() -> simdjson::error_code {
      ondemand::document document;
      if (auto failed = parser_.iterate(buffer_.data(), text.size(), buffer_.size()).get(document))
        return failed;
      ondemand::object object;
      if (auto failed = document.get_object().get(object)) return failed;
      if (auto failed = rows_.add_object(line, object, result)) return failed;
      return at_end(document) ? simdjson::SUCCESS : simdjson::TAPE_ERROR;
    }();
    if (error == simdjson::INCORRECT_TYPE)
      faults_.add(line, "", "must be a JSON object");
    else if (error != simdjson::SUCCESS)
      faults_.add(line, "", std::string("isn't JSON: ") + simdjson::error_message(error));
    if (!result) return result;
    return faults_.full() ? core::Result<void>(faults_.error()) : core::Result<void>();
  }

  LineReader lines_{kLineBytesMax};
  RowFaults faults_{core::RowUnit::line};
  JsonRows rows_;
  ondemand::parser parser_;
  std::string buffer_;
};

// Keeps rows in memory.
class Collector final : public TableSink {
 public:
  explicit Collector(std::size_t cells_max) : cells_max_(cells_max) {}
  core::Result<void> columns(const std::vector<std::string>& names) override {
    table_.columns = names;
    return {};
  }
  core::Result<void> row(std::uint64_t, std::span<const core::Cell> cells) override {
    if ((table_.rows.size() + 1) * cells.size() > cells_max_)
      return core::Error{core::ErrorCode::resource_exhausted,
                         "The table has more than " + std::to_string(cells_max_) + " cells.",
                         {}};
    table_.rows.emplace_back(cells.begin(), cells.end());
    return {};
  }
  core::Table take() { return std::move(table_); }

 private:
  std::size_t cells_max_;
  core::Table table_;
};

core::Result<core::Table> collect(TableParser& parser, std::string_view text, Collector& collector) {
  if (core::Result<void> fed = parser.feed(text); !fed) return fed.error();
  if (core::Result<void> finished = parser.finish(); !finished) return finished.error();
  return collector.take();
}

}  // namespace

std::unique_ptr<TableParser> make_ndjson_parser(TableSink& sink) {
  return std::make_unique<NdjsonParser>(sink);
}

SplitRows split_rows(std::string_view text) {
  const simdjson::padded_string padded(text);
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(padded).get(document) || document.get_object().get(object))
    return {{}, std::string(text)};
  for (auto item : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(item).get(field) || field.unescaped_key().get(key)) break;
    if (key != "rows") continue;
    ondemand::array array;
    std::string_view rows;
    if (field.value().get_array().get(array) || array.raw_json().get(rows)) break;
    const auto begin = static_cast<std::size_t>(rows.data() - padded.data());
    std::string rest(text.substr(0, begin));
    rest += "[]";
    rest += text.substr(begin + rows.size());
    return {text.substr(begin, rows.size()), std::move(rest)};
  }
  return {{}, std::string(text)};
}

core::Result<void> parse_json_rows(std::string_view text, const std::vector<std::string>& columns,
                                   TableSink& sink) {
  RowFaults faults(core::RowUnit::row);
  JsonRows rows(faults, sink);
  if (!columns.empty())
    if (core::Result<void> set = rows.set_columns(columns); !set) return set;
  core::Result<void> result;
  std::uint64_t row = 0;
  const simdjson::padded_string padded(text);
  ondemand::parser parser;
  const simdjson::error_code error = [&]() -> simdjson::error_code {
    ondemand::document document;
    if (auto failed = parser.iterate(padded).get(document)) return failed;
    ondemand::array array;
    if (auto failed = document.get_array().get(array)) return failed;
    for (auto element : array) {
      ++row;
      ondemand::json_type type;
      if (auto failed = element.type().get(type)) return failed;
      simdjson::error_code failed = simdjson::SUCCESS;
      if (type == ondemand::json_type::array && !columns.empty())
        failed = rows.add_array(row, element.get_array(), result);
      else if (type == ondemand::json_type::object)
        failed = rows.add_object(row, element.get_object(), result);
      else
        faults.add(row, "", columns.empty() ? "must be an object" : "must be an object or an array");
      if (failed) return failed;
      if (!result || faults.full()) return simdjson::SUCCESS;
    }
    return at_end(document) ? simdjson::SUCCESS : simdjson::TAPE_ERROR;
  }();
  if (error == simdjson::INCORRECT_TYPE)
    return core::Error{
        core::ErrorCode::invalid_argument, "Rows must be an array.", {{"#/rows", "must be an array"}}};
  if (error)
    faults.add(std::max<std::uint64_t>(row, 1), "",
               std::string("isn't JSON: ") + simdjson::error_message(error));
  if (!result) return result;
  if (faults.empty() && row == 0) faults.add(1, "", "there is no row at all");
  return faults.empty() ? core::Result<void>() : faults.error();
}

core::Result<core::Table> read_csv_table(std::string_view text, const CsvOptions& options,
                                         std::size_t cells_max) {
  Collector collector(cells_max);
  return collect(*make_csv_parser(options, collector), text, collector);
}

core::Result<core::Table> read_ndjson_table(std::string_view text, std::size_t cells_max) {
  Collector collector(cells_max);
  return collect(*make_ndjson_parser(collector), text, collector);
}

core::Result<core::Table> read_json_table(std::string_view text, std::size_t cells_max) {
  Collector collector(cells_max);
  if (core::Result<void> parsed = parse_json_rows(text, {}, collector); !parsed) return parsed.error();
  return collector.take();
}

}  // namespace mlpd::api
