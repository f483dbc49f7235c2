#include "core/nearest_name.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace mlpd::core {
namespace {

TEST(NearestName, SuggestsWhatIsNearAndNothingElse) {
  constexpr std::array<std::string_view, 6> kKnown = {"inputs",    "layers",        "loss",
                                                      "optimizer", "learning_rate", "l2"};
  struct Case {
    std::string name;
    std::string_view expected;
  };
  const Case cases[] = {
      {"input", "inputs"},
      {"layer", "layers"},
      {"lyaers", "layers"},
      {"losss", "loss"},
      {"optimiser", "optimizer"},
      {"learnrate", "learning_rate"},
      {"l1", "l2"},
      {"", ""},
      {"widgets", ""},
      {"x", ""},
      {std::string(64, 'l'), ""},
      {std::string(65, 'l'), ""},
  };
  for (const Case& c : cases) EXPECT_EQ(nearest_name(c.name, kKnown), c.expected) << c.name;
}

TEST(NearestName, TakesTheEarlierOfEquals) {
  constexpr std::array<std::string_view, 2> kKnown = {"cat", "car"};
  EXPECT_EQ(nearest_name("can", kKnown), "cat");
}

TEST(NearestName, WithoutKnownNamesThereIsNoSuggestion) { EXPECT_EQ(nearest_name("a", {}), ""); }

}  // namespace
}  // namespace mlpd::core
