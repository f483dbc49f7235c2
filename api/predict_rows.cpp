#include "api/predict_rows.h"

#include <algorithm>
#include <map>

#include "api/json_reader.h"
#include "api/table_parser.h"

namespace mlpd::api {
namespace {

core::Cell cell_of(const Json& json, const std::string& pointer, Faults& faults) {
  if (json.is_null()) return {};
  if (const auto* number = json.as<JsonNumber>()) return number->value;
  if (const auto* text = json.as<std::string>()) return *text;
  if (const auto* flag = json.as<bool>()) return std::string(*flag ? "true" : "false");
  faults.add(pointer,
             "must be a number, a string, true, false or null, not " + std::string(json.kind_name()));
  return {};
}

// Columns in order of first appearance; cells that a row lacks are missing.
core::Table table_of(const JsonArray& rows, Faults& faults) {
  core::Table table;
  std::map<std::string_view, std::size_t> places;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::string pointer = child("#/rows", r);
    const auto* fields = rows[r].as<JsonObject>();
    if (!fields) {
      faults.add(pointer, "must be an object, not " + std::string(rows[r].kind_name()));
      continue;
    }
    auto& cells = table.rows.emplace_back(table.columns.size());
    for (const auto& [name, value] : *fields) {
      const auto [place, is_new] = places.emplace(name, table.columns.size());
      if (is_new) {
        table.columns.push_back(name);
        cells.emplace_back();
      }
      cells[place->second] = cell_of(value, child(pointer, name), faults);
    }
  }
  for (auto& cells : table.rows) cells.resize(table.columns.size());
  return table;
}

class Collect final : public TableSink {
 public:
  core::Result<void> columns(const std::vector<std::string>& names) override {
    table.columns = names;
    return {};
  }
  core::Result<void> row(std::uint64_t, std::span<const core::Cell> cells) override {
    table.rows.emplace_back(cells.begin(), cells.end());
    return {};
  }
  core::Table table;
};

}  // namespace

core::Result<std::vector<double>> encode_named_rows(const Json& rows, const core::Preprocess& preprocess) {
  Faults faults;
  const auto* list = rows.as<JsonArray>();
  if (!list) {
    faults.add("#/rows", "must be an array of objects with at least one");
    return faults.error();
  }
  const core::Table table = table_of(*list, faults);
  if (!faults.empty()) return faults.error();
  return core::encode_inputs(preprocess, core::TableSource(table));
}

core::Result<Json> lines_as_body(std::string_view text, const JsonLimits& limits) {
  JsonArray lines;
  JsonRows numbers;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto json = parse_json(line, limits);
    if (!json)
      return core::Error{json.error().code,
                         "line " + std::to_string(line_number) + " of NDJSON: " + json.error().message,
                         {}};
    if (const auto* number = json->as<JsonNumber>()) json = Json(JsonNumbers{number->value});
    if (const auto* row = json->as<JsonNumbers>(); row && lines.empty()) {
      numbers.values.insert(numbers.values.end(), row->begin(), row->end());
      numbers.ends.push_back(numbers.values.size());
      continue;
    }
    for (std::size_t r = 0; r < numbers.rows(); ++r) {  // numbers so far, and now something else
      const auto* first = numbers.values.data() + numbers.begin_of(r);
      lines.emplace_back(JsonNumbers(first, first + numbers.length_of(r)));
    }
    numbers = {};
    lines.push_back(std::move(*json));
  }
  const bool named = !lines.empty() && lines.front().as<JsonObject>();
  Json rows{JsonNumbers{}};  // of no line at all
  if (!lines.empty())
    rows = Json(std::move(lines));
  else if (numbers.rows() > 0)
    rows = Json(std::move(numbers));
  JsonObject body;
  body.emplace_back(named ? "rows" : "inputs", std::move(rows));
  return Json(std::move(body));
}

core::Result<std::vector<double>> encode_csv_rows(std::string_view text, const core::Preprocess& preprocess) {
  Collect sink;
  CsvOptions options;
  options.header = true;
  const auto parser = make_csv_parser(options, sink);
  if (auto fed = parser->feed(text); !fed) return fed.error();
  if (auto finished = parser->finish(); !finished) return finished.error();
  if (sink.table.rows.empty())
    return core::Error{
        core::ErrorCode::invalid_argument, "there are no rows", {{"#/lines/1", "has no rows behind it"}}};
  return core::encode_inputs(preprocess, core::TableSource(sink.table));
}

}  // namespace mlpd::api
