#include "server/store/row_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace mlpd::server {
namespace {

static_assert(std::endian::native == std::endian::little, "rows hold native float64 as little-endian");

void append_count(std::string& out, std::uint64_t count) {
  for (; count >= 128; count >>= 7) out += static_cast<char>(count | 128);
  out += static_cast<char>(count);
}

// Takes cells off a block; a block whose digest holds is well-formed.
class BlockReader {
 public:
  explicit BlockReader(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }

  bool next(core::Cell& cell) {
    std::uint64_t tag = 0;
    for (int shift = 0;; shift += 7) {
      if (rest_.empty() || shift > 56) return false;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      tag |= static_cast<std::uint64_t>(byte & 127) << shift;
      if (byte < 128) break;
    }
    const std::uint64_t size = tag == 0 ? 0 : tag == 1 ? sizeof(double) : tag - 2;
    if (size > rest_.size()) return false;
    if (tag == 0) {
      cell = std::monostate();
    } else if (tag == 1) {
      double number = 0;
      std::memcpy(&number, rest_.data(), sizeof number);
      cell = number;
    } else if (std::string* text = std::get_if<std::string>(&cell)) {
      text->assign(rest_.data(), size);
    } else {
      cell = std::string(rest_.substr(0, size));
    }
    rest_.remove_prefix(size);
    return true;
  }

 private:
  std::string_view rest_;
};

core::Error damaged(const std::filesystem::path& file) {
  return {core::ErrorCode::corrupted,
          "the rows in " + file.parent_path().filename().string() + " are damaged: a checksum does not hold",
          {}};
}

}  // namespace

core::Digest RowBlocks::digest() const {
  core::Hasher hasher;
  hasher.add(rows);
  for (const RowBlock& block : blocks) hasher.add(block.digest.hex());
  return hasher.finish();
}

core::Result<void> RowFileWriter::add(std::span<const core::Cell> cells) {
  for (const core::Cell& cell : cells) {
    if (const std::string* text = std::get_if<std::string>(&cell)) {
      append_count(block_, text->size() + 2);
      block_ += *text;
    } else if (const double* number = std::get_if<double>(&cell)) {
      append_count(block_, 1);
      char bytes[sizeof(double)];
      std::memcpy(bytes, number, sizeof bytes);
      block_.append(bytes, sizeof bytes);
    } else {
      append_count(block_, 0);
    }
  }
  ++written_.rows;
  return block_.size() < kRowBlockBytes ? core::Result<void>() : flush();
}

core::Result<void> RowFileWriter::flush() {
  if (core::Result<void> put = files_.write(file_, written_.bytes, block_); !put) return put;
  written_.blocks.push_back({block_first_row_, written_.bytes, block_.size(), core::digest_bytes(block_)});
  written_.bytes += block_.size();
  block_first_row_ = written_.rows;
  block_.clear();
  return {};
}

core::Result<RowBlocks> RowFileWriter::finish() {
  if (!block_.empty())
    if (core::Result<void> put = flush(); !put) return put.error();
  if (core::Result<void> synced = files_.sync(file_); !synced) return synced.error();
  return std::move(written_);
}

core::Result<void> RowFileSource::for_each(std::size_t first, const Visit& visit) const {
  const auto& blocks = blocks_->blocks;
  auto block = std::upper_bound(blocks.begin(), blocks.end(), first,
                                [](std::uint64_t row, const RowBlock& b) { return row < b.first_row; });
  if (block != blocks.begin()) --block;
  std::vector<core::Cell> cells(columns_.size());
  for (; block != blocks.end(); ++block) {
    core::Result<std::string> bytes = files_->read_part(file_, block->offset, block->bytes);
    if (!bytes) return bytes.error();
    if (core::digest_bytes(*bytes) != block->digest) return damaged(file_);
    BlockReader reader(*bytes);
    for (std::size_t row = block->first_row; !reader.empty(); ++row) {
      for (core::Cell& cell : cells)
        if (!reader.next(cell)) return damaged(file_);
      if (row >= first && !visit(row, cells)) return {};
    }
  }
  return {};
}

}  // namespace mlpd::server
