#include "api/number_block.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace mlpd::api {
namespace {

static_assert(std::endian::native == std::endian::little, "base64 arrays are little-endian memory");

template <class T>
void write_block(JsonWriter& out, std::span<const T> values, std::span<const std::size_t> shape,
                 bool base64) {
  if (!base64) {
    if (shape.size() == 2)
      out.rows(values.data(), shape[0], shape[1]);
    else
      out.values(values);
    return;
  }
  const std::size_t bytes = values.size_bytes();
  std::string text(4 * ((bytes + 2) / 3) + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                  reinterpret_cast<const unsigned char*>(values.data()), static_cast<int>(bytes));
  text.pop_back();
  const core::Dtype dtype = sizeof(T) == 4 ? core::Dtype::float32 : core::Dtype::float64;
  out.begin_object().field("dtype", core::name_of(dtype)).key("shape");
  out.values(shape).key("base64").text("\"" + text + "\"").end_object();
}

// The bytes of strict base64, nullopt where it isn't.
std::optional<std::string> decode_base64(const std::string& text) {
  if (text.size() % 4 != 0 || text.size() > std::numeric_limits<int>::max()) return std::nullopt;
  const std::size_t end = text.find_last_not_of('=') + 1;
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  if (text.size() - end > 2 ||
      !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), allowed))
    return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  if (!text.empty() &&
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size())) < 0)
    return std::nullopt;
  bytes.resize(bytes.size() - (text.size() - end));
  return bytes;
}

template <class T>
std::vector<T> from_bytes(const std::string& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

struct Encoded {
  std::vector<std::size_t> shape;
  core::NumberArray values;
};

std::optional<std::vector<std::size_t>> read_shape(ObjectReader& object, std::size_t& count) {
  const Json* json = object.find("shape");
  const auto* sizes = json ? json->as<JsonNumbers>() : nullptr;
  std::vector<std::size_t> shape;
  count = 1;
  for (double size : sizes ? *sizes : JsonNumbers{}) {
    static constexpr double kSizeMax = 1e12;
    if (!(size >= 0 && static_cast<double>(count) * size <= kSizeMax && size == std::floor(size))) break;
    shape.push_back(static_cast<std::size_t>(size));
    count *= shape.back();
  }
  if (sizes && !shape.empty() && shape.size() <= 2 && shape.size() == sizes->size()) return shape;
  if (json) object.fault("shape", "must be one or two sizes");
  return std::nullopt;
}

std::optional<Encoded> read_encoded(const Json& json, const std::string& pointer, Faults& faults) {
  static constexpr std::string_view kDtypes[] = {"float32", "float64"};
  ObjectReader object(json, pointer, faults);
  for (std::string_view name : {"dtype", "shape", "base64"}) object.require(name);
  const auto dtype = object.string("dtype");
  std::size_t count = 0;
  const auto shape = read_shape(object, count);
  const auto text = object.string("base64");
  object.finish("an encoded array");
  if (!dtype || !shape || !text) return std::nullopt;
  if (*dtype != kDtypes[0] && *dtype != kDtypes[1]) {
    object.fault("dtype", "must be float32 or float64");
    return std::nullopt;
  }
  const auto bytes = decode_base64(*text);
  const std::size_t width = *dtype == kDtypes[0] ? 4 : 8;
  if (!bytes || bytes->size() != count * width) {
    object.fault("base64", bytes ? "holds " + std::to_string(bytes->size()) +
                                       " bytes where shape and dtype say " + std::to_string(count * width)
                                 : std::string("is not base64"));
    return std::nullopt;
  }
  Encoded encoded{*shape, {}};
  if (width == 4)
    encoded.values = from_bytes<float>(*bytes);
  else
    encoded.values = from_bytes<double>(*bytes);
  const bool finite = std::visit(
      [](const auto& values) {
        return std::all_of(values.begin(), values.end(), [](auto v) { return std::isfinite(v); });
      },
      encoded.values);
  if (!finite) {
    object.fault("base64", "holds NaN or Infinity");
    return std::nullopt;
  }
  return encoded;
}

void check_number(const Json& json, const std::string& pointer, Faults& faults) {
  if (!json.as<JsonNumber>()) faults.add(pointer, "must be a number, not " + std::string(json.kind_name()));
}

void check_row(const Json& json, const std::string& pointer, Faults& faults) {
  if (json.as<JsonNumbers>()) return;
  if (const auto* mixed = json.as<JsonArray>())
    for (std::size_t i = 0; i < mixed->size(); ++i) check_number((*mixed)[i], child(pointer, i), faults);
  else
    faults.add(pointer, "must be a row of numbers, not " + std::string(json.kind_name()));
}

}  // namespace

std::optional<NumberBlock> read_numbers(const Json& json, const std::string& pointer, Faults& faults) {
  if (const auto* numbers = json.as<JsonNumbers>()) return NumberBlock{{numbers->size()}, *numbers};
  if (const auto* rows = json.as<JsonRows>()) {
    const std::size_t columns = rows->length_of(0);
    bool equal = true;
    for (std::size_t r = 1; r < rows->rows(); ++r) {
      if (rows->length_of(r) == columns) continue;
      faults.add(child(pointer, r), "has " + std::to_string(rows->length_of(r)) +
                                        " numbers, but the rows before it have " + std::to_string(columns));
      equal = false;
    }
    if (!equal) return std::nullopt;
    return NumberBlock{{rows->rows(), columns}, rows->values};
  }
  if (json.as<JsonObject>()) {
    auto encoded = read_encoded(json, pointer, faults);
    if (!encoded) return std::nullopt;
    NumberBlock block{std::move(encoded->shape), {}};
    std::visit([&](const auto& values) { block.values.assign(values.begin(), values.end()); },
               encoded->values);
    return block;
  }
  if (const auto* mixed = json.as<JsonArray>()) {
    const bool by_rows = (*mixed)[0].is_array();
    for (std::size_t i = 0; i < mixed->size(); ++i)
      if (by_rows)
        check_row((*mixed)[i], child(pointer, i), faults);
      else
        check_number((*mixed)[i], child(pointer, i), faults);
    return std::nullopt;
  }
  faults.add(pointer, "must be numbers or rows of numbers, not " + std::string(json.kind_name()));
  return std::nullopt;
}

std::optional<core::NumberArray> read_number_array(const Json& json, core::Dtype dtype,
                                                   const std::string& pointer, Faults& faults,
                                                   KeepDtype keep) {
  if (json.as<JsonObject>()) {
    auto encoded = read_encoded(json, pointer, faults);
    if (!encoded) return std::nullopt;
    if (core::dtype_of(encoded->values) == dtype || keep == KeepDtype::yes) return std::move(encoded->values);
    faults.add(child(pointer, "dtype"), "must be " + std::string(core::name_of(dtype)));
    return std::nullopt;
  }
  auto block = read_numbers(json, pointer, faults);
  if (!block) return std::nullopt;
  if (dtype == core::Dtype::float64) return core::NumberArray{std::move(block->values)};
  std::vector<float> narrowed(block->values.size());
  for (std::size_t i = 0; i < narrowed.size(); ++i) {
    narrowed[i] = to_float32(block->values[i]);
    if (std::isfinite(narrowed[i])) continue;
    faults.add(pointer, "holds a number past float32");
    return std::nullopt;
  }
  return core::NumberArray{std::move(narrowed)};
}

void write_numbers(JsonWriter& out, std::span<const float> values, std::span<const std::size_t> shape,
                   bool base64) {
  write_block(out, values, shape, base64);
}

void write_numbers(JsonWriter& out, std::span<const double> values, std::span<const std::size_t> shape,
                   bool base64) {
  write_block(out, values, shape, base64);
}

}  // namespace mlpd::api
