#include "api/number_block.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace mlpd::api {
namespace {

TEST(NumberBlock, BothFormsComeBackBitForBit) {
  const std::vector<float> floats = {0.1f,          -0.0f,  std::bit_cast<float>(0x15ae43fdu),
                                     3.4028235e38f, 1e-45f, 7};
  for (const bool base64 : {false, true}) {
    std::string text;
    JsonWriter out(text);
    const std::size_t shape[] = {floats.size()};
    write_numbers(out, floats, shape, base64);
    Faults faults;
    const auto read = read_number_array(*parse_json(text), core::Dtype::float32, "#", faults);
    ASSERT_TRUE(read) << text;
    const auto& back = std::get<std::vector<float>>(*read);
    ASSERT_EQ(back.size(), floats.size());
    for (std::size_t i = 0; i < floats.size(); ++i)
      EXPECT_EQ(std::bit_cast<std::uint32_t>(back[i]), std::bit_cast<std::uint32_t>(floats[i])) << i;
  }
}

TEST(NumberBlock, MatricesKeepTheirShape) {
  for (const bool base64 : {false, true}) {
    std::string text;
    JsonWriter out(text);
    const std::vector<double> numbers = {1, 2, 3, 4, 5, 6};
    const std::size_t shape[] = {2, 3};
    write_numbers(out, numbers, shape, base64);
    Faults faults;
    const auto block = read_numbers(*parse_json(text), "#", faults);
    ASSERT_TRUE(block);
    EXPECT_EQ(block->shape, (std::vector<std::size_t>{2, 3}));
    EXPECT_EQ(block->values, numbers);
  }
}

TEST(NumberBlock, AnEmptyListIsOne) {
  std::string text;
  JsonWriter out(text);
  const std::size_t shape[] = {0};
  write_numbers(out, std::vector<float>{}, shape, true);
  Faults faults;
  const auto read = read_number_array(*parse_json(text), core::Dtype::float32, "#", faults);
  ASSERT_TRUE(read);
  EXPECT_EQ(core::size_of(*read), 0u);
}

TEST(NumberBlock, SaysWhatIsWrong) {
  const struct {
    std::string_view text, pointer, detail;
  } kCases[] = {
      {R"("x")", "#/v", "not a string"},
      {R"([1,"x"])", "#/v/1", "not a string"},
      {R"([[1,2],[3]])", "#/v/1", "has 1 numbers"},
      {R"([[1],2])", "#/v/1", "row of numbers"},
      {R"({"dtype":"float32","shape":[2],"base64":"AAAA"})", "#/v/base64", "3 bytes"},
      {R"({"dtype":"float32","shape":[1],"base64":"AA=AAA=="})", "#/v/base64", "not base64"},
      {R"({"dtype":"float32","shape":[1],"base64":"AADAfw=="})", "#/v/base64", "NaN"},
      {R"({"dtype":"int8","shape":[1],"base64":""})", "#/v/dtype", "float32 or float64"},
      {R"({"dtype":"float32","shape":[1,2,3],"base64":""})", "#/v/shape", "one or two"},
      {R"({"dtype":"float32","shape":[1e12,1e12],"base64":""})", "#/v/shape", "one or two"},
      {R"({"dtype":"float32","shape":[-1],"base64":""})", "#/v/shape", "one or two"},
      {R"({"dtype":"float32"})", "#/v/shape", "required"},
  };
  for (const auto& c : kCases) {
    Faults faults;
    EXPECT_FALSE(read_numbers(*parse_json(c.text), "#/v", faults)) << c.text;
    ASSERT_FALSE(faults.empty()) << c.text;
    EXPECT_EQ(faults.error().fields[0].pointer, c.pointer) << c.text;
    EXPECT_NE(faults.error().fields[0].detail.find(c.detail), std::string::npos)
        << faults.error().fields[0].detail;
  }
}

TEST(NumberBlock, RefusesNumbersPastFloat32AndOtherDtypes) {
  Faults faults;
  EXPECT_FALSE(read_number_array(*parse_json("[1e39]"), core::Dtype::float32, "#", faults));
  const Json other = *parse_json(R"({"dtype":"float64","shape":[0],"base64":""})");
  EXPECT_FALSE(read_number_array(other, core::Dtype::float32, "#", faults));
  EXPECT_EQ(faults.count(), 2u);
  EXPECT_TRUE(read_number_array(other, core::Dtype::float32, "#", faults, KeepDtype::yes));
}

}  // namespace
}  // namespace mlpd::api
