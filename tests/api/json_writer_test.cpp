#include "api/json_writer.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "api/json.h"
#include "api/json_reader.h"

namespace mlpd::api {
namespace {

template <class T>
std::string written(T value) {
  std::string out;
  append_number(out, value);
  return out;
}

TEST(JsonWriter, WritesTheShortestDecimal) {
  EXPECT_EQ(written(0.1f), "0.1");
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(-0.0f), "-0");
  EXPECT_EQ(written(1.0), "1");
  EXPECT_EQ(written(std::uint64_t{18446744073709551615ull}), "18446744073709551615");
  EXPECT_EQ(written(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(written(-std::numeric_limits<float>::infinity()), "null");
}

template <class T>
std::string to_chars_text(T value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

// Over all exponents, both signs, few and many digits, and around the bounds where an exponent is written.
TEST(JsonWriter, WritesAsToCharsDoes) {
  std::uint64_t random = 1;
  for (std::uint64_t i = 0; i < 400'000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const auto single = std::bit_cast<float>(static_cast<std::uint32_t>(random >> 32));
    const auto twice = std::bit_cast<double>(random ^ (random >> 31));
    if (std::isfinite(single)) {
      ASSERT_EQ(written(single), to_chars_text(single));
    }
    if (std::isfinite(twice)) {
      ASSERT_EQ(written(twice), to_chars_text(twice));
    }
    const double small =
        static_cast<double>(i % 2'000) * std::pow(10.0, static_cast<double>(i / 2'000 % 20) - 10);
    ASSERT_EQ(written(small), to_chars_text(small));
    ASSERT_EQ(written(static_cast<float>(-small)), to_chars_text(static_cast<float>(-small)));
  }
  for (const float bound : {0.001f, 1e5f})
    for (const float value : {std::nextafter(bound, 0.0f), bound, std::nextafter(bound, 1e9f)})
      EXPECT_EQ(written(value), to_chars_text(value));
}

// Longer than what is put together before it is appended.
TEST(JsonWriter, WritesListsAsSingleNumbers) {
  for (const std::size_t count : {0u, 1u, 31u, 32u, 33u, 64u, 100u}) {
    std::vector<double> numbers;
    std::string expected = "[";
    for (std::size_t i = 0; i < count; ++i) {
      numbers.push_back(i % 7 == 3 ? std::numeric_limits<double>::infinity()
                                   : -1e-300 / static_cast<double>(i + 3));
      expected += (i ? "," : "") + written(numbers.back());
    }
    std::string text;
    JsonWriter(text).values(numbers);
    EXPECT_EQ(text, expected + "]");
  }
}

// Every float32 comes back with the same bits through JSON's float64, the one exception treated.
TEST(JsonWriter, Float32ComesBackBitForBit) {
  std::vector<std::uint32_t> bits = {0x15ae43fd, 0x95ae43fd, 0x15ae43fc, 0x15ae43fe, 0x00000000, 0x80000000,
                                     0x00000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x3f800001};
  for (std::uint32_t b = 1; b < 0x7f800000u - 50'021; b += 50'021) bits.push_back(b);
  for (const std::uint32_t b : bits) {
    const float value = std::bit_cast<float>(b);
    const auto json = parse_json(written(value));
    ASSERT_TRUE(json.ok()) << written(value);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(to_float32(json->as<JsonNumber>()->value)), b) << written(value);
  }
}

TEST(JsonWriter, Float64ComesBackBitForBit) {
  for (double value : {0.1, 1.0 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -0.0, 1e22,
                       123456789.125, 9007199254740993.0}) {
    const auto json = parse_json(written(value));
    ASSERT_TRUE(json.ok());
    EXPECT_EQ(std::bit_cast<std::uint64_t>(json->as<JsonNumber>()->value),
              std::bit_cast<std::uint64_t>(value));
  }
}

TEST(JsonWriter, PutsCommasAndEscapes) {
  std::string text;
  JsonWriter out(text);
  out.begin_object().field("a\"\\", std::string("\x01\n\t\r\x7f")).key("b").begin_array().value(true).null();
  out.value(-3).values(std::vector<float>{1, 2}).begin_object().end_object().end_array();
  out.field("bad", std::string("x\xffy")).end_object();
  EXPECT_EQ(
      text,
      "{\"a\\\"\\\\\":\"\\u0001\\n\\t\\r\\u007f\",\"b\":[true,null,-3,[1,2],{}],\"bad\":\"x\xEF\xBF\xBDy\"}");
  EXPECT_TRUE(parse_json(text).ok());
}

TEST(JsonWriter, WritesRowsAndOptionals) {
  std::string text;
  JsonWriter out(text);
  const double numbers[] = {1, 2, 3, 4};
  out.begin_object().key("m").rows(numbers, 2, 2).optional_field("no", std::optional<double>{});
  out.optional_field("yes", std::optional<std::uint64_t>{7}).end_object();
  EXPECT_EQ(text, R"({"m":[[1,2],[3,4]],"yes":7})");
}

TEST(JsonWriter, WritesTimesThatReadBack) {
  const Timestamp time{std::chrono::milliseconds(1795466280123)};
  EXPECT_EQ(format_timestamp(time), "2026-11-23T20:38:00.123Z");
  EXPECT_EQ(parse_timestamp(format_timestamp(time)), time);
  for (auto bad : {"", "2026-11-23", "2026-13-23T20:38:00.123Z", "2026-02-30T00:00:00.000Z",
                   "2026-11-23T24:00:00.000Z", "2026-11-23T20:38:00.123+"})
    EXPECT_FALSE(parse_timestamp(bad)) << bad;
}

TEST(JsonWriter, PrettyTextMeansTheSameAndKeepsNumberListsOnALine) {
  EXPECT_EQ(prettify(R"({"a":[1,2],"b":{},"c":{"d":"x{[,:\"y"},"e":[[1],[2]]})"),
            "{\n  \"a\": [1, 2],\n  \"b\": {},\n  \"c\": {\n    \"d\": \"x{[,:\\\"y\"\n  },\n"
            "  \"e\": [\n    [1],\n    [2]\n  ]\n}");
  EXPECT_EQ(prettify("{}\n"), "{}");
}

}  // namespace
}  // namespace mlpd::api
