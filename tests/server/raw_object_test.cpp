#include "server/raw_object.h"

#include <gtest/gtest.h>

namespace mlpd::server {
namespace {

TEST(RawObjectTest, ReadsWhatItsWriterWrote) {
  RawObjectWriter out;
  out.raw("nested", R"({"a":[1,{"b":"}\"]"}],"c":"x"})")
      .plain("id", "abc")
      .number("n", 18446744073709551615u);
  out.flag("yes", true).flag("no", false).raw("text", R"("a \\")");
  out.items("list", {"1", R"({"a":[2,3]})", R"("]")"}).items("empty", {});
  const std::string text = out.finish();
  const std::optional<RawObject> in = RawObject::parse(text);
  ASSERT_TRUE(in);
  EXPECT_EQ(in->raw("nested"), R"({"a":[1,{"b":"}\"]"}],"c":"x"})");
  EXPECT_EQ(in->plain("id"), "abc");
  EXPECT_EQ(in->number("n"), 18446744073709551615u);
  EXPECT_TRUE(in->flag("yes"));
  EXPECT_FALSE(in->flag("no"));
  EXPECT_EQ(in->raw("text"), R"("a \\")");
  EXPECT_EQ(in->items("list"), (std::vector<std::string_view>{"1", R"({"a":[2,3]})", R"("]")"}));
  EXPECT_TRUE(in->items("empty").empty());
  EXPECT_TRUE(in->items("absent").empty());
  EXPECT_FALSE(in->has("absent"));
  EXPECT_EQ(in->number("absent"), 0U);
}

TEST(RawObjectTest, RefusesWhatIsNoObject) {
  for (const char* text :
       {"", "{", "[]", R"({"a")", R"({"a":)", R"({"a":1)", R"({"a":"b})", R"({"a":{"b":1})"}) {
    EXPECT_FALSE(RawObject::parse(text)) << text;
  }
}

}  // namespace
}  // namespace mlpd::server
