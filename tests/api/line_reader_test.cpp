#include "api/line_reader.h"

#include <gtest/gtest.h>

namespace mlpd::api {
namespace {

using Lines = std::vector<std::pair<std::uint64_t, std::string>>;

Lines read(const std::string& text, std::size_t piece) {
  LineReader reader(100);
  RowFaults faults(core::RowUnit::line);
  Lines lines;
  const auto visit = [&](std::uint64_t line, std::string_view bytes) {
    lines.emplace_back(line, bytes);
    return core::Result<void>();
  };
  for (std::size_t i = 0; i < text.size(); i += piece)
    EXPECT_TRUE(reader.feed(std::string_view(text).substr(i, piece), false, faults, visit).ok());
  EXPECT_TRUE(reader.feed({}, true, faults, visit).ok());
  return lines;
}

TEST(LineReader, CutsAndCountsWhateverThePieces) {
  for (std::size_t piece : {1, 2, 3, 100})
    EXPECT_EQ(read("\xEF\xBB\xBF"
                   "a\nb\r\n\rc\r\r\nd",
                   piece),
              (Lines{{1, "a\n"}, {2, "b\r\n"}, {3, "\r"}, {4, "c\r"}, {5, "\r\n"}, {6, "d"}}))
        << piece;
}

TEST(LineReader, BoundsALine) {
  LineReader reader(3);
  RowFaults faults(core::RowUnit::line);
  const auto visit = [](std::uint64_t, std::string_view) { return core::Result<void>(); };
  EXPECT_TRUE(reader.feed("ab\nabc", false, faults, visit).ok());
  EXPECT_EQ(reader.feed("d", false, faults, visit).error().fields.at(0).pointer, "#/lines/2");
}

TEST(RowFaults, PointAtLinesAndRows) {
  RowFaults lines(core::RowUnit::line);
  lines.add(7, "age", "is odd");
  EXPECT_EQ(lines.error().message, "line 7, column 'age': is odd");
  RowFaults rows(core::RowUnit::row);
  rows.add(7, "", "is odd");
  EXPECT_EQ(rows.error().fields[0].pointer, "#/rows/6");
}

}  // namespace
}  // namespace mlpd::api
