#include "api/tensor_codec.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "api/json_reader.h"
#include "core/named_table.h"

namespace mlpd::api {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are copied as they lie in memory");

constexpr std::size_t kLengthBytes = 4;

constexpr DatatypeRow kDatatypes[] = {
    {Datatype::boolean, "BOOL", 1},  {Datatype::uint8, "UINT8", 1},   {Datatype::uint16, "UINT16", 2},
    {Datatype::uint32, "UINT32", 4}, {Datatype::uint64, "UINT64", 8}, {Datatype::int8, "INT8", 1},
    {Datatype::int16, "INT16", 2},   {Datatype::int32, "INT32", 4},   {Datatype::int64, "INT64", 8},
    {Datatype::fp16, "FP16", 2},     {Datatype::bf16, "BF16", 2},     {Datatype::fp32, "FP32", 4},
    {Datatype::fp64, "FP64", 8},     {Datatype::bytes, "BYTES", 0},
};

const DatatypeRow& row_of(Datatype datatype) {
  for (const DatatypeRow& row : kDatatypes)
    if (row.value == datatype) return row;
  return kDatatypes[0];
}

core::Error wrong(const Tensor& tensor, const std::string& what) {
  return {core::ErrorCode::invalid_argument, "input '" + tensor.name + "' " + what, {}};
}

core::Error not_finite(const Tensor& tensor, std::size_t element) {
  return wrong(tensor, "is null or not finite in the network's dtype at element " + std::to_string(element) +
                           " (from 0)");
}

// IEEE 754 binary16: sign, 5 bits of exponent with a bias of 15, 10 bits of fraction.
float from_fp16(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1f;
  const int fraction = bits & 0x3ff;
  float magnitude = 0;
  if (exponent == 0x1f)
    magnitude = fraction ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  else
    magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                              : std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

// The upper half of a binary32.
float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

template <class Stored>
Stored load(std::string_view bytes, std::size_t element) {
  Stored stored;
  std::memcpy(&stored, bytes.data() + element * sizeof(Stored), sizeof(Stored));
  return stored;
}

// Calls visit(element, number) until it returns false; numbers as float64, which holds every datatype's
// values but the whole numbers past 2^53.
template <class Stored, class Visit>
void visit_stored(std::string_view bytes, Visit&& visit) {
  for (std::size_t i = 0; i * sizeof(Stored) < bytes.size(); ++i)
    if (!visit(i, static_cast<double>(load<Stored>(bytes, i)))) return;
}

template <class Visit>
void visit_bytes(Datatype datatype, std::string_view bytes, Visit&& visit) {
  switch (datatype) {
    case Datatype::boolean:
      for (std::size_t i = 0; i < bytes.size(); ++i)
        if (!visit(i, bytes[i] ? 1.0 : 0.0)) return;
      return;
    case Datatype::uint8:
      return visit_stored<std::uint8_t>(bytes, visit);
    case Datatype::uint16:
      return visit_stored<std::uint16_t>(bytes, visit);
    case Datatype::uint32:
      return visit_stored<std::uint32_t>(bytes, visit);
    case Datatype::uint64:
      return visit_stored<std::uint64_t>(bytes, visit);
    case Datatype::int8:
      return visit_stored<std::int8_t>(bytes, visit);
    case Datatype::int16:
      return visit_stored<std::int16_t>(bytes, visit);
    case Datatype::int32:
      return visit_stored<std::int32_t>(bytes, visit);
    case Datatype::int64:
      return visit_stored<std::int64_t>(bytes, visit);
    case Datatype::fp16:
    case Datatype::bf16:
      for (std::size_t i = 0; i * 2 < bytes.size(); ++i) {
        const auto bits = load<std::uint16_t>(bytes, i);
        if (!visit(i, static_cast<double>(datatype == Datatype::fp16 ? from_fp16(bits) : from_bf16(bits))))
          return;
      }
      return;
    case Datatype::fp32:
      return visit_stored<float>(bytes, visit);
    case Datatype::fp64:
      return visit_stored<double>(bytes, visit);
    case Datatype::bytes:
      return;
  }
}

// Calls number(value) or other(json) for every leaf of nested arrays, row-major, until one returns false.
template <class Number, class Other>
bool visit_leaves(const Json& json, Number&& number, Other&& other) {
  if (const auto* flat = json.as<JsonNumbers>()) {
    for (double value : *flat)
      if (!number(value)) return false;
    return true;
  }
  if (const auto* rows = json.as<JsonRows>()) {
    for (double value : rows->values)
      if (!number(value)) return false;
    return true;
  }
  if (const auto* list = json.as<JsonArray>()) {
    for (const Json& item : *list)
      if (!visit_leaves(item, number, other)) return false;
    return true;
  }
  if (const auto* value = json.as<JsonNumber>()) return number(value->value);
  return other(json);
}

std::size_t count_leaves(const Json& json) {
  if (const auto* flat = json.as<JsonNumbers>()) return flat->size();
  if (const auto* rows = json.as<JsonRows>()) return rows->values.size();
  const auto* list = json.as<JsonArray>();
  if (!list) return 1;
  std::size_t count = 0;
  for (const Json& item : *list) count += count_leaves(item);
  return count;
}

// Whether a JSON number is one of the datatype's values.
bool holds(Datatype datatype, double value) {
  const auto whole = [value](double low, double high) {
    return value >= low && value <= high && value == std::trunc(value);
  };
  switch (datatype) {
    case Datatype::boolean:
      return value == 0 || value == 1;
    case Datatype::uint8:
      return whole(0, 0xff);
    case Datatype::uint16:
      return whole(0, 0xffff);
    case Datatype::uint32:
      return whole(0, 0xffffffff);
    case Datatype::uint64:
      return whole(0, 0x1p64);
    case Datatype::int8:
      return whole(-0x1p7, 0x1p7 - 1);
    case Datatype::int16:
      return whole(-0x1p15, 0x1p15 - 1);
    case Datatype::int32:
      return whole(-0x1p31, 0x1p31 - 1);
    case Datatype::int64:
      return whole(-0x1p63, 0x1p63);
    case Datatype::fp32:
      return std::isfinite(to_float32(value));
    case Datatype::fp64:
      return true;
    case Datatype::fp16:
    case Datatype::bf16:
    case Datatype::bytes:
      return false;
  }
  return false;
}

core::Result<void> check_json_datatype(const Tensor& tensor) {
  if (tensor.datatype != Datatype::fp16 && tensor.datatype != Datatype::bf16) return {};
  return wrong(tensor, "has datatype " + std::string(row_of(tensor.datatype).name) +
                           ", which JSON can't carry; send it as binary data");
}

// Calls visit(element, number) for JSON data, after its checks; visit returns false to stop.
template <class Visit>
core::Result<void> visit_json(const Tensor& tensor, const Json& json, Visit&& visit) {
  if (auto possible = check_json_datatype(tensor); !possible) return possible;
  std::size_t element = 0;
  std::string fault;
  const std::string name(row_of(tensor.datatype).name);
  const auto number = [&](double value) {
    if (!holds(tensor.datatype, value)) {
      fault = "has a number at element " + std::to_string(element) + " (from 0) that is no " + name;
      return false;
    }
    return visit(element++,
                 tensor.datatype == Datatype::fp32 ? static_cast<double>(to_float32(value)) : value);
  };
  const auto other = [&](const Json& leaf) {
    const bool* flag = leaf.as<bool>();
    if (flag && tensor.datatype == Datatype::boolean) return visit(element++, *flag ? 1.0 : 0.0);
    if (leaf.is_null()) return visit(element++, std::numeric_limits<double>::quiet_NaN());
    fault = "must hold numbers of " + name + ", but element " + std::to_string(element) + " (from 0) is " +
            std::string(leaf.kind_name());
    return false;
  };
  visit_leaves(json, number, other);
  if (!fault.empty()) return wrong(tensor, fault);
  return {};
}

// The elements of a BYTES tensor; false where the lengths don't add up to what is there.
bool split_bytes(std::string_view bytes, std::size_t elements, std::vector<core::Cell>& cells) {
  for (std::size_t i = 0; i < elements; ++i) {
    if (bytes.size() < kLengthBytes) return false;
    const std::size_t length = load<std::uint32_t>(bytes, 0);
    bytes.remove_prefix(kLengthBytes);
    if (length > bytes.size()) return false;
    cells.emplace_back(std::string(bytes.substr(0, length)));
    bytes.remove_prefix(length);
  }
  return bytes.empty();
}

core::Result<std::vector<core::Cell>> decode_texts(const Tensor& tensor) {
  std::vector<core::Cell> cells;
  cells.reserve(tensor.elements);
  if (const auto* bytes = std::get_if<std::string_view>(&tensor.data)) {
    if (split_bytes(*bytes, tensor.elements, cells)) return cells;
    return wrong(tensor, "has BYTES elements whose lengths do not add up to its binary_data_size");
  }
  std::string fault;
  const auto number = [&](double) {
    fault = "must hold strings, but element " + std::to_string(cells.size()) + " (from 0) is a number";
    return false;
  };
  const auto other = [&](const Json& leaf) {
    if (const auto* text = leaf.as<std::string>())
      cells.emplace_back(*text);
    else if (leaf.is_null())
      cells.emplace_back();
    else
      fault = "must hold strings, but element " + std::to_string(cells.size()) + " (from 0) is " +
              std::string(leaf.kind_name());
    return fault.empty();
  };
  visit_leaves(*std::get<const Json*>(tensor.data), number, other);
  if (!fault.empty()) return wrong(tensor, fault);
  return cells;
}

template <class T>
void append_raw(std::string& out, std::span<const T> values) {
  const std::size_t at = out.size();
  out.resize(at + values.size_bytes());
  if (!values.empty()) std::memcpy(out.data() + at, values.data(), values.size_bytes());
}

}  // namespace

std::span<const DatatypeRow> datatypes() { return kDatatypes; }

core::Result<void> check_size(const Tensor& tensor) {
  const DatatypeRow& type = row_of(tensor.datatype);
  if (const auto* json = std::get_if<const Json*>(&tensor.data)) {
    const std::size_t count = count_leaves(**json);
    if (count == tensor.elements) return {};
    return wrong(tensor, "has " + std::to_string(count) + " elements, but its shape says " +
                             std::to_string(tensor.elements));
  }
  const std::size_t size = std::get<std::string_view>(tensor.data).size();
  const std::size_t least = type.size > 0 ? type.size : kLengthBytes;
  const bool fits =
      type.size > 0 ? tensor.elements == size / least && size % least == 0 : tensor.elements <= size / least;
  if (fits) return {};
  return wrong(tensor, "got " + std::to_string(size) + " bytes, but its shape says " +
                           std::to_string(tensor.elements) + " elements of " + std::string(type.name));
}

template <class T>
core::Result<void> decode_numbers(const Tensor& tensor, std::vector<T>& out) {
  static constexpr Datatype kOwn = sizeof(T) == 4 ? Datatype::fp32 : Datatype::fp64;
  if (tensor.datatype == Datatype::bytes)
    return wrong(tensor, "has datatype BYTES, but the network takes numbers here");
  const auto* bytes = std::get_if<std::string_view>(&tensor.data);
  if (bytes && tensor.datatype == kOwn) {
    out.resize(tensor.elements);
    if (!bytes->empty()) std::memcpy(out.data(), bytes->data(), bytes->size());
    for (std::size_t i = 0; i < out.size(); ++i)
      if (!std::isfinite(out[i])) return not_finite(tensor, i);
    return {};
  }
  out.clear();
  out.reserve(tensor.elements);
  std::optional<std::size_t> overflow;
  const auto push = [&](std::size_t element, double number) {
    out.push_back(static_cast<T>(number));
    if (!std::isfinite(out.back())) overflow = element;
    return !overflow;
  };
  if (bytes)
    visit_bytes(tensor.datatype, *bytes, push);
  else if (auto read = visit_json(tensor, *std::get<const Json*>(tensor.data), push); !read)
    return read;
  if (overflow) return not_finite(tensor, *overflow);
  return {};
}

template core::Result<void> decode_numbers(const Tensor&, std::vector<float>&);
template core::Result<void> decode_numbers(const Tensor&, std::vector<double>&);

core::Result<std::vector<core::Cell>> decode_cells(const Tensor& tensor) {
  if (tensor.datatype == Datatype::bytes) return decode_texts(tensor);
  std::vector<core::Cell> cells;
  cells.reserve(tensor.elements);
  const auto push = [&](std::size_t, double number) {
    if (std::isnan(number))
      cells.emplace_back();
    else
      cells.emplace_back(number);
    return true;
  };
  if (const auto* bytes = std::get_if<std::string_view>(&tensor.data))
    visit_bytes(tensor.datatype, *bytes, push);
  else if (auto read = visit_json(tensor, *std::get<const Json*>(tensor.data), push); !read)
    return read.error();
  return cells;
}

void append_numbers(std::string& out, std::span<const float> values) { append_raw(out, values); }
void append_numbers(std::string& out, std::span<const double> values) { append_raw(out, values); }

void append_bytes(std::string& out, std::string_view element) {
  const auto length = static_cast<std::uint32_t>(element.size());
  append_raw(out, std::span<const std::uint32_t>(&length, 1));
  out += element;
}

}  // namespace mlpd::api
