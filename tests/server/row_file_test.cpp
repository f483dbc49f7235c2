#include "server/store/row_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace mlpd::server {
namespace {

using core::Cell;

class RowFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("row_file_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  RowFileSource write(const std::vector<std::vector<Cell>>& rows, std::size_t columns) {
    RowFileWriter writer(*files_, file());
    for (const auto& row : rows) EXPECT_TRUE(writer.add(row).ok());
    blocks_ = std::make_shared<const RowBlocks>(*writer.finish());
    return {files_, file(), std::vector<std::string>(columns, "c"), blocks_};
  }
  std::filesystem::path file() const { return folder_ / "rows"; }

  std::filesystem::path folder_;
  std::shared_ptr<FileSystem> files_ = std::make_shared<FileSystem>();
  std::shared_ptr<const RowBlocks> blocks_;
};

std::vector<std::vector<Cell>> read(const RowFileSource& source, std::size_t first) {
  std::vector<std::vector<Cell>> rows;
  EXPECT_TRUE(source
                  .for_each(first,
                            [&](std::size_t row, std::span<const Cell> cells) {
                              EXPECT_EQ(row, first + rows.size());
                              rows.emplace_back(cells.begin(), cells.end());
                              return true;
                            })
                  .ok());
  return rows;
}

std::vector<std::vector<Cell>> many_rows(std::size_t count) {
  std::vector<std::vector<Cell>> rows;
  for (std::size_t r = 0; r < count; ++r)
    rows.push_back({static_cast<double>(r) / 3, std::string(r % 300, 'x'), Cell()});
  return rows;
}

TEST_F(RowFile, GivesBackEveryCell) {
  const std::vector<std::vector<Cell>> rows = {
      {"", -0.0, Cell()}, {std::string(70'000, 'a'), 1e-308, "ä\n,\""}, {Cell(), Cell(), "0"}};
  EXPECT_EQ(read(write(rows, 3), 0), rows);
}

TEST_F(RowFile, ReadsFromAnyRowOverBlocks) {
  const auto rows = many_rows(5'000);
  const RowFileSource source = write(rows, 3);
  EXPECT_GT(blocks_->blocks.size(), 2u);
  for (std::size_t first : {0, 1, 1'700, 2'499, 4'999, 5'000})
    EXPECT_EQ(read(source, first), std::vector<std::vector<Cell>>(rows.begin() + first, rows.end())) << first;
}

TEST_F(RowFile, FindsEveryDamagedByteOfABlock) {
  const RowFileSource source = write(many_rows(40), 3);
  const auto size = std::filesystem::file_size(file());
  for (std::uintmax_t at = 0; at < size; at += 37) {
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const char was = static_cast<char>(stream.get());
    const auto put = [&](char c) {
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put(c);
      stream.flush();
    };
    put(static_cast<char>(was ^ 1));
    const core::Result<void> result = source.for_each(0, [](std::size_t, auto) { return true; });
    ASSERT_FALSE(result.ok()) << at;
    EXPECT_EQ(result.error().code, core::ErrorCode::corrupted);
    put(was);
  }
  std::filesystem::resize_file(file(), size - 1);
  EXPECT_FALSE(source.for_each(0, [](std::size_t, auto) { return true; }).ok());
}

}  // namespace
}  // namespace mlpd::server
