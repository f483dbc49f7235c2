#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/digest.h"
#include "core/result.h"
#include "core/table.h"
#include "server/store/file_system.h"

/// Raw rows on the disk, in blocks of whole rows. A cell is a LEB128 number: 0 = missing, 1 = a float64 (8
/// bytes follow, little-endian), n ≥ 2 = a text of n − 2 bytes. Each block has its SHA-256 in the list of
/// blocks, which is kept elsewhere (the data set's document), so damage is found wherever a row is read.
namespace mlpd::server {

/// A block is closed once it has so many bytes.
inline constexpr std::size_t kRowBlockBytes = 256u << 10;

struct RowBlock {
  std::uint64_t first_row = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  core::Digest digest;
};

struct RowBlocks {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::vector<RowBlock> blocks;

  /// Of all blocks, in order.
  core::Digest digest() const;
};

/// Appends rows to a new file. Holds one block in memory.
class RowFileWriter {
 public:
  RowFileWriter(FileSystem& files, std::filesystem::path file) : files_(files), file_(std::move(file)) {}
  core::Result<void> add(std::span<const core::Cell> cells);
  /// Writes what waits and makes the file durable.
  core::Result<RowBlocks> finish();

 private:
  core::Result<void> flush();

  FileSystem& files_;
  std::filesystem::path file_;
  RowBlocks written_;
  std::uint64_t block_first_row_ = 0;
  std::string block_;
};

/// Reads them back, block by block; safe from several threads at once.
class RowFileSource final : public core::RowSource {
 public:
  RowFileSource(std::shared_ptr<FileSystem> files, std::filesystem::path file,
                std::vector<std::string> columns, std::shared_ptr<const RowBlocks> blocks)
      : files_(std::move(files)),
        file_(std::move(file)),
        columns_(std::move(columns)),
        blocks_(std::move(blocks)) {}
  const std::vector<std::string>& columns() const override { return columns_; }
  std::size_t rows() const override { return static_cast<std::size_t>(blocks_->rows); }
  core::Result<void> for_each(std::size_t first, const Visit& visit) const override;

 private:
  std::shared_ptr<FileSystem> files_;
  std::filesystem::path file_;
  std::vector<std::string> columns_;
  std::shared_ptr<const RowBlocks> blocks_;
};

}  // namespace mlpd::server
