#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace mlpd::core {

/// Bytes at which every Matrix and parameter buffer starts: one cache line, one AVX-512 vector.
inline constexpr std::size_t kAlignment = 64;

/// A growable array of numbers that starts on a 64-byte boundary. Elements added by resize are zero.
template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size) { resize(size); }
  AlignedBuffer(const AlignedBuffer& other) : AlignedBuffer(other.size_) {
    std::copy_n(other.data(), size_, data());
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  void resize(std::size_t size) {
    if (size > capacity_) {
      std::unique_ptr<T[], Free> grown(
          static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{kAlignment})));
      std::copy_n(data(), size_, grown.get());
      data_ = std::move(grown);
      capacity_ = size;
    }
    if (size > size_) std::fill(data() + size_, data() + size, T{});
    size_ = size;
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete (p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<T[], Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Borrowed rows × columns numbers, row-major, without gaps. Never outlives what it borrows from.
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;

  MatrixView() = default;
  MatrixView(T* d, std::size_t r, std::size_t c) : data(d), rows(r), columns(c) {}
  /// A mutable view reads as a const one.
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  MatrixView(MatrixView<U> other) : data(other.data), rows(other.rows), columns(other.columns) {}

  std::size_t size() const { return rows * columns; }
  T* row(std::size_t r) const { return data + r * columns; }
  T& operator()(std::size_t r, std::size_t c) const { return data[r * columns + c]; }
};

template <class T>
using ConstMatrixView = MatrixView<const T>;

/// Owned rows × columns numbers, row-major, 64-byte aligned. resize keeps capacity, so a warm Workspace
/// allocates nothing.
template <class T>
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t columns) : buffer_(rows * columns), rows_(rows), columns_(columns) {}

  void resize(std::size_t rows, std::size_t columns) {
    buffer_.resize(rows * columns);
    rows_ = rows;
    columns_ = columns;
  }

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  std::size_t size() const { return rows_ * columns_; }
  T* data() { return buffer_.data(); }
  const T* data() const { return buffer_.data(); }
  T& operator()(std::size_t r, std::size_t c) { return buffer_[r * columns_ + c]; }
  const T& operator()(std::size_t r, std::size_t c) const { return buffer_[r * columns_ + c]; }
  MatrixView<T> view() { return {data(), rows_, columns_}; }
  ConstMatrixView<T> view() const { return {data(), rows_, columns_}; }

 private:
  AlignedBuffer<T> buffer_;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
};

}  // namespace mlpd::core
