#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/json.h"
#include "core/result.h"
#include "core/table.h"

/// Tensors of the Open Inference Protocol: JSON values or little-endian bytes ⇄ numbers and cells.
namespace mlpd::api {

enum class Datatype {
  boolean,
  uint8,
  uint16,
  uint32,
  uint64,
  int8,
  int16,
  int32,
  int64,
  fp16,
  bf16,
  fp32,
  fp64,
  bytes
};

/// `size`: bytes of one element; 0 for BYTES, whose elements have a 4-byte length each.
struct DatatypeRow {
  Datatype value;
  std::string_view name;
  std::size_t size;
};
std::span<const DatatypeRow> datatypes();

/// A tensor of a request. The data is borrowed: a JSON value, or the bytes behind the JSON.
struct Tensor {
  std::string name;
  Datatype datatype = Datatype::fp32;
  std::vector<std::size_t> shape;
  std::size_t elements = 0;  ///< product of the shape
  std::variant<const Json*, std::string_view> data;
};

/// Whether the data is as long as the shape says. Called once, before anything is allocated for the elements.
core::Result<void> check_size(const Tensor& tensor);

/// All elements as T (float or double), row-major; replaces `out`. FP32 bytes into float are copied. Refuses
/// BYTES, non-finite numbers, JSON numbers outside their datatype and numbers past T. FP16 and BF16 come as
/// bytes only: JSON has no form for them.
template <class T>
core::Result<void> decode_numbers(const Tensor& tensor, std::vector<T>& out);

/// All elements as cells of a raw column: numbers, or BYTES as text. NaN and null are missing values.
core::Result<std::vector<core::Cell>> decode_cells(const Tensor& tensor);

/// Appends little-endian bytes.
void append_numbers(std::string& out, std::span<const float> values);
void append_numbers(std::string& out, std::span<const double> values);
/// Appends one element of a BYTES tensor: its length and its bytes.
void append_bytes(std::string& out, std::string_view element);

}  // namespace mlpd::api
