#include "api/search_space.h"

#include <gtest/gtest.h>

#include <set>

namespace mlpd::api {
namespace {

Json parsed(const std::string& text) {
  auto json = parse_json(text);
  EXPECT_TRUE(json.ok()) << text;
  return json.ok() ? *json : Json{};
}

std::string text_of(const Json& json) {
  std::string text;
  JsonWriter out(text);
  write_json(out, json);
  return text;
}

std::string text_of(const Candidates& made) {
  std::string text;
  for (const auto& candidate : made.candidates) {
    for (const Json& value : candidate) text += text_of(value) + " ";
    text += "| ";
  }
  return text;
}

std::vector<SearchField> space(const std::string& train, bool grid) {
  Faults faults;
  auto fields =
      decode_space(parsed("{\"train\":" + train + "}"), "#/space", parsed("{}"), parsed("{}"), grid, faults);
  EXPECT_TRUE(faults.empty()) << faults.error().message;
  return fields;
}

TEST(SearchSpace, AGridHasItsLastFieldChangingFastest) {
  const auto fields = space(R"({"/a":[1,"x"],"/b":[[1,2],[3]],"/c":[null,true]})", true);
  EXPECT_EQ(text_of(grid_candidates(fields, 100)),
            "1 [1,2] null | 1 [1,2] true | 1 [3] null | 1 [3] true | "
            "\"x\" [1,2] null | \"x\" [1,2] true | \"x\" [3] null | \"x\" [3] true | ");
  const Candidates first = grid_candidates(fields, 3);
  EXPECT_EQ(first.candidates.size(), 3u);
  EXPECT_EQ(first.left_out, 5u);
}

TEST(SearchSpace, RangesInAGridHavePoints) {
  struct Case {
    const char* range;
    const char* points;
  };
  const Case cases[] = {
      {R"({"from":0,"to":1})", "0 | 0.25 | 0.5 | 0.75 | 1 | "},
      {R"({"from":0.001,"to":10,"scale":"log","points":5})", "0.001 | 0.01 | 0.1 | 1 | 10 | "},
      {R"({"from":1,"to":3,"whole":true,"points":9})", "1 | 2 | 3 | "},
      {R"({"from":-1,"to":1,"points":2})", "-1 | 1 | "},
  };
  for (const Case& c : cases) {
    std::string text;
    for (const auto& candidate :
         grid_candidates(space("{\"/a\":" + std::string(c.range) + "}", true), 99).candidates)
      text += text_of(candidate[0]) + " | ";
    EXPECT_EQ(text, c.points) << c.range;
  }
}

TEST(SearchSpace, RandomCandidatesAreDifferentWithinTheirRangesAndTheSameForASeed) {
  const auto fields = space(
      R"({"/rate":{"from":0.001,"to":0.1,"scale":"log"},"/units":{"from":4,"to":6,"whole":true}})", false);
  const Candidates made = random_candidates(fields, 200, 7);
  ASSERT_EQ(made.candidates.size(), 200u);
  std::set<std::string> all, units;
  int below = 0;
  for (const auto& candidate : made.candidates) {
    const double rate = candidate[0].as<JsonNumber>()->value;
    EXPECT_TRUE(rate >= 0.001 && rate <= 0.1) << rate;
    below += rate < 0.01;
    units.insert(text_of(candidate[1]));
    all.insert(text_of(candidate[0]) + text_of(candidate[1]));
  }
  EXPECT_EQ(all.size(), 200u);
  EXPECT_EQ(units, (std::set<std::string>{"4", "5", "6"}));
  EXPECT_TRUE(below > 60 && below < 140) << below;  // even in the logarithm
  EXPECT_EQ(text_of(random_candidates(fields, 200, 7)), text_of(made));
  EXPECT_NE(text_of(random_candidates(fields, 200, 8)), text_of(made));
}

TEST(SearchSpace, ARandomSearchEndsWhereAFiniteSpaceHasNoMore) {
  EXPECT_EQ(random_candidates(space(R"({"/a":[1,2],"/b":[1,2,3]})", false), 50, 0).candidates.size(), 6u);
}

TEST(SearchSpace, RangesThatMakeNoSenseAreFaults) {
  struct Case {
    const char* range;
    bool grid;
    const char* pointer;
  };
  const Case cases[] = {
      {R"({"from":1})", true, "#/space/train/~1a/to"},
      {R"({"from":2,"to":2})", true, "#/space/train/~1a/to"},
      {R"({"from":0,"to":2,"scale":"log"})", true, "#/space/train/~1a/from"},
      {R"({"from":0.5,"to":2,"whole":true})", true, "#/space/train/~1a/from"},
      {R"({"from":1,"to":2,"scale":"cubic"})", true, "#/space/train/~1a/scale"},
      {R"({"from":1,"to":2,"points":1})", true, "#/space/train/~1a/points"},
      {R"({"from":1,"to":2,"points":1001})", true, "#/space/train/~1a/points"},
      {R"({"from":1,"to":2,"points":3})", false, "#/space/train/~1a/points"},
      {R"({"from":1,"to":2,"step":3})", true, "#/space/train/~1a/step"},
  };
  for (const Case& c : cases) {
    Faults faults;
    (void)decode_space(parsed("{\"train\":{\"/a\":" + std::string(c.range) + "}}"), "#/space", parsed("{}"),
                       parsed("{}"), c.grid, faults);
    ASSERT_EQ(faults.count(), 1u) << c.range;
    EXPECT_EQ(faults.error().fields[0].pointer, c.pointer) << c.range;
  }
}

TEST(SearchSpace, ValuesGoWhereTheirPointerSays) {
  struct Case {
    const char* pointer;
    const char* result;  ///< null: refused
  };
  const Case cases[] = {
      {"/layers/0/units", R"({"layers":[{"units":7},{"units":3}],"seed":1})"},
      {"/layers/1", R"({"layers":[{"units":2},7],"seed":1})"},
      {"/layers", R"({"layers":7,"seed":1})"},
      {"/optimizer/rate", R"({"layers":[{"units":2},{"units":3}],"seed":1,"optimizer":{"rate":7}})"},
      {"/a~1b~0", R"({"layers":[{"units":2},{"units":3}],"seed":1,"a/b~":7})"},
      {"/layers/2/units", nullptr},
      {"/layers/01", nullptr},
      {"/layers/-", nullptr},
      {"/seed/x", nullptr},
  };
  for (const Case& c : cases) {
    Json body = parsed(R"({"layers":[{"units":2},{"units":3}],"seed":1})");
    EXPECT_EQ(set_at(body, c.pointer, parsed("7")), c.result != nullptr) << c.pointer;
    if (c.result) {
      EXPECT_EQ(text_of(body), c.result);
    }
  }
}

}  // namespace
}  // namespace mlpd::api
