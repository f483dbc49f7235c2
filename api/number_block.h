#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/json_reader.h"
#include "api/json_writer.h"
#include "core/number_array.h"

/// Arrays of numbers in JSON, in both forms that are read everywhere: [1, 2], [[1, 2], [3, 4]], or
/// {"dtype": "float32", "shape": [2, 2], "base64": "little-endian bytes"}.
namespace mlpd::api {

struct NumberBlock {
  std::vector<std::size_t> shape;  ///< one or two sizes, row-major
  std::vector<double> values;      ///< all finite

  std::size_t rows() const { return shape.size() == 2 ? shape[0] : 1; }
  std::size_t columns() const { return shape.back(); }
};

/// Reads either form; rows must be equally long. Adds faults and returns nullopt where it can't.
std::optional<NumberBlock> read_numbers(const Json& json, const std::string& pointer, Faults& faults);

/// Whether an encoded array may have another dtype than asked for, and keeps it.
enum class KeepDtype { no, yes };

/// The same into a given dtype: float32 decimals become the float32 that they mean.
std::optional<core::NumberArray> read_number_array(const Json& json, core::Dtype dtype,
                                                   const std::string& pointer, Faults& faults,
                                                   KeepDtype keep = KeepDtype::no);

/// Writes rows × columns (a flat list where `shape` has one size), as base64 where asked.
void write_numbers(JsonWriter& out, std::span<const float> values, std::span<const std::size_t> shape,
                   bool base64);
void write_numbers(JsonWriter& out, std::span<const double> values, std::span<const std::size_t> shape,
                   bool base64);

}  // namespace mlpd::api
