#include "api/json_reader.h"

#include <gtest/gtest.h>

#include <bit>

#include "core/activation.h"

namespace mlpd::api {
namespace {

std::vector<std::string> faults_of(const Faults& faults) {
  std::vector<std::string> out;
  for (const auto& field : faults.error().fields) out.push_back(field.pointer + " " + field.detail);
  return out;
}

TEST(ObjectReader, CollectsEveryFaultWithItsPointer) {
  const Json json =
      *parse_json(R"({"n":"x","i":1.5,"neg":-1,"b":1,"s":2,"act":"tahn","l":["a",1],"lerning_rate":3})");
  Faults faults;
  ObjectReader reader(json, "#/p", faults);
  EXPECT_FALSE(reader.number("n"));
  EXPECT_FALSE(reader.integer("i"));
  EXPECT_FALSE(reader.integer("neg"));
  EXPECT_FALSE(reader.boolean("b"));
  EXPECT_FALSE(reader.string("s"));
  EXPECT_FALSE(reader.choice("act", core::activations()));
  EXPECT_TRUE(reader.strings("l"));
  EXPECT_FALSE(reader.number("learning_rate"));
  reader.require("gone");
  reader.finish();
  const auto list = faults_of(faults);
  ASSERT_EQ(list.size(), 9u);
  EXPECT_EQ(list[0], "#/p/n must be a number, not a string");
  EXPECT_EQ(list[5].rfind("#/p/act \"tahn\" is unknown; did you mean \"tanh\"?", 0), 0u) << list[5];
  EXPECT_EQ(list[6], "#/p/l/1 must be a string, not a number");
  EXPECT_EQ(list[7], "#/p/gone is required");
  EXPECT_EQ(list[8], "#/p/lerning_rate is an unknown field; did you mean \"learning_rate\"?");
}

TEST(ObjectReader, TakesWholeNumbersInAnySpelling) {
  const Json json = *parse_json(R"({"a":1e3,"b":1000.0,"c":18446744073709551615})");
  Faults faults;
  ObjectReader reader(json, "#", faults);
  EXPECT_EQ(reader.integer("a"), 1000u);
  EXPECT_EQ(reader.integer("b"), 1000u);
  EXPECT_EQ(reader.integer("c"), 18446744073709551615ull);
  EXPECT_TRUE(faults.empty());
}

TEST(ObjectReader, RefusesWhatIsNoObject) {
  Faults faults;
  ObjectReader reader(*parse_json("[1]"), "#", faults);
  EXPECT_FALSE(reader.is_object());
  EXPECT_EQ(faults_of(faults), std::vector<std::string>{"# must be an object, not an array"});
}

TEST(Faults, ListsAtMostItsLimitAndCountsTheRest) {
  Faults faults;
  for (std::size_t i = 0; i <= kFaultsMax; ++i) faults.add("#/a", "is wrong");
  EXPECT_EQ(faults.error().fields.size(), kFaultsMax);
  EXPECT_EQ(faults.count(), kFaultsMax + 1);
  EXPECT_NE(faults.error().message.find("101 faults"), std::string::npos);
}

TEST(Faults, MergesWithoutSayingTheSamePlaceTwice) {
  Faults faults;
  faults.add("#/a", "must be a number");
  faults.merge(
      {core::ErrorCode::invalid_argument, "m", {{"#/a", "must be at least 1"}, {"#/b", "is wrong"}}});
  EXPECT_EQ(faults_of(faults), (std::vector<std::string>{"#/a must be a number", "#/b is wrong"}));
}

TEST(Pointers, EscapeAsTheRfcSays) {
  EXPECT_EQ(child("#", "a/b~c"), "#/a~1b~0c");
  EXPECT_EQ(child("#/x", std::size_t{3}), "#/x/3");
}

TEST(Float32, TreatsTheOneShortestDecimalThatDoubleRoundingMisses) {
  EXPECT_EQ(std::bit_cast<std::uint32_t>(to_float32(7.038531e-26)), 0x15ae43fdu);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(to_float32(-7.038531e-26)), 0x95ae43fdu);
  EXPECT_NE(std::bit_cast<std::uint32_t>(static_cast<float>(7.038531e-26)), 0x15ae43fdu);
}

}  // namespace
}  // namespace mlpd::api
