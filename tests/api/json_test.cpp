#include "api/json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace mlpd::api {
namespace {

std::string error_of(std::string_view text) {
  const auto json = parse_json(text);
  return json ? "" : json.error().message;
}

TEST(Json, RefusesWhatIsNotStrictJson) {
  const struct {
    std::string text;
    std::string_view says;
  } kCases[] = {
      {"", "empty"},
      {" \n", "empty"},
      {"{", "line 1, column 2"},
      {"{\"a\":\n 1,}", "line 2, column 4"},
      {"[1,]", "line 1, column 4"},
      {"[1 2]", "line 1, column 4"},
      {"[01]", "line 1"},
      {"[1.]", "line 1"},
      {"[+1]", "line 1"},
      {"[.5]", "line 1"},
      {"nul", "line 1"},
      {"NaN", "line 1"},
      {"[Infinity]", "line 1"},
      {"[-Infinity]", "line 1"},
      {"[1e999]", "overflow"},
      {"[-1e999]", "overflow"},
      {"{\"a\":1} x", "line 1, column 9"},
      {"1 2", "line 1"},
      {"{\"a\":tru}", "line 1"},
      {"{'a':1}", "line 1"},
      {"\"\xff\"", "UTF-8"},
      {"[\"\\ud800\"]", "surrogate"},
      {"\"a\nb\"", "line"},
      {"{\"a\":1,\"b\":2,\"a\":3}", "\"a\" twice"},
      {std::string(10'000, '['), "line 1"},
      {std::string(33, '[') + std::string(33, ']'), "deeper than 32"},
      {std::string(10'000, '[') + std::string(10'000, ']'), "deep"},
  };
  for (const auto& c : kCases) {
    const auto json = parse_json(c.text);
    ASSERT_FALSE(json.ok()) << c.text;
    EXPECT_EQ(json.error().code, core::ErrorCode::invalid_argument);
    EXPECT_NE(json.error().message.find(c.says), std::string::npos) << c.text << ": " << json.error().message;
  }
}

TEST(Json, TakesDepthUpToTheLimit) {
  EXPECT_TRUE(parse_json(std::string(32, '[') + std::string(32, ']')).ok());
}

TEST(Json, FindsDuplicatesAmongManyKeys) {
  std::string text = "{";
  for (int i = 0; i < 50; ++i) text += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(parse_json(text + "\"z\":1}").ok());
  EXPECT_NE(error_of(text + "\"k40\":1}").find("\"k40\" twice"), std::string::npos);
}

TEST(Json, BoundsTheNumberOfValues) {
  JsonLimits limits;
  limits.values = 10;
  EXPECT_TRUE(parse_json("[1,2,3,4,5,6,7,8,9,10,11,12]", limits).ok());  // flat numbers are free
  EXPECT_TRUE(parse_json("[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]", limits).ok());
  EXPECT_FALSE(parse_json("[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]", limits).ok());
  EXPECT_FALSE(parse_json("[1,2,3,4,5,6,7,8,9,10,11,null]", limits).ok());
}

TEST(Json, KeepsNumbersFlat) {
  const auto numbers = parse_json("[1, -0, 2.5e3]");
  ASSERT_TRUE(numbers.ok());
  ASSERT_NE(numbers->as<JsonNumbers>(), nullptr);
  EXPECT_EQ(*numbers->as<JsonNumbers>(), (JsonNumbers{1, -0.0, 2500}));
  EXPECT_TRUE(std::signbit((*numbers->as<JsonNumbers>())[1]));
  const auto rows = parse_json("[[1,2],[],[3]]");
  ASSERT_NE(rows->as<JsonRows>(), nullptr);
  EXPECT_EQ(rows->as<JsonRows>()->ends, (std::vector<std::size_t>{2, 2, 3}));
  EXPECT_EQ(rows->as<JsonRows>()->length_of(2), 1u);
  const auto mixed = parse_json("[1,2,\"a\"]");
  ASSERT_NE(mixed->as<JsonArray>(), nullptr);
  EXPECT_EQ(mixed->as<JsonArray>()->size(), 3u);
  const auto mixed_rows = parse_json("[[1],[2,3],4]");
  ASSERT_NE(mixed_rows->as<JsonArray>(), nullptr);
  EXPECT_EQ(*(*mixed_rows->as<JsonArray>())[1].as<JsonNumbers>(), (JsonNumbers{2, 3}));
}

TEST(Json, KeepsWholeNumbersToTheLastBit) {
  const auto json = parse_json(R"({"seed":18446744073709551615,"x":1.5})");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->find("seed")->as<JsonNumber>()->integer, 18446744073709551615ull);
  EXPECT_TRUE(json->find("seed")->as<JsonNumber>()->is_integer);
  EXPECT_FALSE(json->find("x")->as<JsonNumber>()->is_integer);
  EXPECT_EQ(json->find("y"), nullptr);
}

TEST(Json, MergesPatchesAsTheRfcSays) {
  // The examples of RFC 7396, appendix A, that have objects or arrays as results.
  const struct {
    std::string_view target, patch, result;
  } kCases[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  const std::function<bool(const Json&, const Json&)> same = [&](const Json& a, const Json& b) {
    if (a.value.index() != b.value.index()) return false;
    if (const auto* text = a.as<std::string>()) return *text == *b.as<std::string>();
    const auto* x = a.as<JsonObject>();
    if (!x) return true;
    const auto* y = b.as<JsonObject>();
    return x->size() == y->size() &&
           std::equal(x->begin(), x->end(), y->begin(), [&](const auto& p, const auto& q) {
             return p.first == q.first && same(p.second, q.second);
           });
  };
  for (const auto& c : kCases) {
    Json target = *parse_json(c.target);
    merge_patch(target, *parse_json(c.patch));
    EXPECT_TRUE(same(target, *parse_json(c.result))) << c.target << " + " << c.patch;
  }
}

}  // namespace
}  // namespace mlpd::api
