#include <gtest/gtest.h>

#include "api/json.h"

namespace mlpd::api {
namespace {

TEST(JsonSyntax, NamesLineAndColumn) {
  EXPECT_EQ(describe_syntax_error("{\n\"a\": }", "-").rfind("line 2, column 6: ", 0), 0u);
  EXPECT_EQ(describe_syntax_error("[1e999]", "-").rfind("line 1, column ", 0), 0u);
}

TEST(JsonSyntax, SaysTheFallbackWhereNothingIsWrong) { EXPECT_EQ(describe_syntax_error("[1]", "-"), "-"); }

TEST(JsonSyntax, IsShortHoweverLongTheToken) {
  EXPECT_LE(describe_syntax_error("\"" + std::string(1'000'000, 'a'), "-").size(), 400u);
}

}  // namespace
}  // namespace mlpd::api
