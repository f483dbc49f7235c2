#include "server/http/trace_context.h"

#include <gtest/gtest.h>

namespace mlpd::server {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kSpan = "00f067aa0ba902b7";

TEST(TraceContext, TakesWhatTheStandardAllows) {
  struct Case {
    std::string header;
    bool valid;
  };
  const Case cases[] = {
      {"00-" + kTrace + "-" + kSpan + "-01", true},
      {"01-" + kTrace + "-" + kSpan + "-01-more", true},
      {"00-" + kTrace + "-" + kSpan + "-01-more", false},
      {"01-" + kTrace + "-" + kSpan + "-01more", false},
      {"ff-" + kTrace + "-" + kSpan + "-01", false},
      {"00-" + std::string(32, '0') + "-" + kSpan + "-01", false},
      {"00-" + kTrace + "-" + std::string(16, '0') + "-01", false},
      {"00-" + std::string(32, 'A') + "-" + kSpan + "-01", false},
      {"00-" + kTrace + "-" + kSpan + "-0", false},
      {"00_" + kTrace + "-" + kSpan + "-01", false},
      {"", false},
  };
  for (const Case& c : cases) {
    const auto context = read_traceparent(c.header);
    ASSERT_EQ(context.has_value(), c.valid) << c.header;
    if (context) {
      EXPECT_EQ(context->trace_id, kTrace);
    }
  }
}

TEST(TraceContext, GoesOnWithASpanOfItsOwn) {
  const auto context = read_traceparent("00-" + kTrace + "-" + kSpan + "-01");
  ASSERT_TRUE(context);
  EXPECT_EQ(write_traceparent(*context, 0x0123456789abcdefu), "00-" + kTrace + "-0123456789abcdef-01");
}

}  // namespace
}  // namespace mlpd::server
