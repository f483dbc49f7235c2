// Any bytes as a table: CSV (the first byte chooses its options) and NDJSON, whole and byte by byte.
#include <cstdint>
#include <string>

#include "api/table_parser.h"
#include "tests/fuzz/require.h"

namespace {

using namespace mlpd;
using namespace mlpd::api;

constexpr std::size_t kCellsMax = 100'000;

struct Kept final : TableSink {
  core::Table table;
  core::Result<void> columns(const std::vector<std::string>& names) override {
    table.columns = names;
    return {};
  }
  core::Result<void> row(std::uint64_t, std::span<const core::Cell> cells) override {
    fuzz::require(cells.size() == table.columns.size());
    table.rows.emplace_back(cells.begin(), cells.end());
    return {};
  }
};

bool feed_bytes(TableParser& parser, std::string_view text) {
  for (const char& c : text)
    if (!parser.feed({&c, 1})) return false;
  return parser.finish().ok();
}

void compare(const core::Result<core::Table>& whole, bool sound, const Kept& kept) {
  fuzz::require(whole.ok() == sound);
  if (sound) fuzz::require(whole->columns == kept.table.columns && whole->rows == kept.table.rows);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 20'000) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  CsvOptions options;
  options.delimiter = "\0,;\t|"[data[0] % 5];
  if (data[0] & 0x40) options.header = (data[0] & 0x20) != 0;
  Kept csv, ndjson;
  const auto csv_parser = make_csv_parser(options, csv);
  compare(read_csv_table(text, options, kCellsMax), feed_bytes(*csv_parser, text), csv);
  const auto ndjson_parser = make_ndjson_parser(ndjson);
  compare(read_ndjson_table(text, kCellsMax), feed_bytes(*ndjson_parser, text), ndjson);
  if (const auto rows = read_json_table(text, kCellsMax))
    for (const auto& row : rows->rows) fuzz::require(row.size() == rows->columns.size());
  split_rows(text);
  return 0;
}
