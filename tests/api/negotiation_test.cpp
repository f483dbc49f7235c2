#include "api/negotiation.h"

#include <gtest/gtest.h>

namespace mlpd::api {
namespace {

TEST(Negotiation, ChoosesAmongWhatIsOffered) {
  static constexpr Media kOffered[] = {Media::json, Media::csv, Media::ndjson};
  const struct {
    std::string accept;
    std::optional<Media> chosen;
  } kCases[] = {{"*/*", Media::json},
                {"", Media::json},
                {"text/csv", Media::csv},
                {"TEXT/CSV", Media::csv},
                {"text/*", Media::csv},
                {"text/html, text/csv;q=0.5, */*;q=0.1", Media::csv},
                {"application/json;q=0.2, application/x-ndjson;q=0.9", Media::ndjson},
                {"text/html", std::nullopt},
                {"text/csv;q=0", std::nullopt}};
  for (const auto& c : kCases) {
    Request request;
    request.headers.emplace_back("accept", c.accept);
    const auto media = choose_media(request, kOffered);
    ASSERT_EQ(media.ok(), c.chosen.has_value()) << c.accept;
    if (media) {
      EXPECT_EQ(*media, *c.chosen) << c.accept;
    }
  }
  Request by_query;
  by_query.headers.emplace_back("Accept", "text/html");
  by_query.query.emplace_back("format", "csv");
  EXPECT_EQ(*choose_media(by_query, kOffered), Media::csv);
  by_query.query[0].second = "png";
  EXPECT_FALSE(choose_media(by_query, kOffered).ok());
}

TEST(Negotiation, ReadsEntityTags) {
  Request request;
  const auto present = [] { return std::string("b"); };
  EXPECT_FALSE(if_match(request, present));
  request.headers.emplace_back("If-Match", "");
  const struct {
    std::string header, tag;
  } kCases[] = {{"*", "*"}, {"\"a\"", "a"}, {"W/\"a\"", "a"}, {"\"a\", \"b\"", "b"}, {"\"a\", \"c\"", "a"},
                {"", ""}};
  for (const auto& c : kCases) {
    request.headers[0].second = c.header;
    EXPECT_EQ(*if_match(request, present), c.tag) << c.header;
  }
  EXPECT_EQ(quoted_etag("x"), "\"x\"");
}

TEST(Negotiation, ReadsFlagsAndNumbers) {
  Request request;
  EXPECT_FALSE(*query_flag(request, "force"));
  request.query.emplace_back("force", "");
  for (const auto& [text, wanted] :
       {std::pair{"", true}, {"true", true}, {"1", true}, {"false", false}, {"0", false}}) {
    request.query[0].second = text;
    EXPECT_EQ(*query_flag(request, "force"), wanted);
  }
  request.query[0] = {"step", "18446744073709551615"};
  EXPECT_EQ(**query_integer(request, "step"), 18446744073709551615ull);
  for (auto bad : {"", "-1", "1.5", "18446744073709551616", " 1", "0x1"}) {
    request.query[0].second = bad;
    EXPECT_FALSE(query_integer(request, "step").ok()) << bad;
  }
}

TEST(Negotiation, ReadsPreferencesAsHttpWritesThem) {
  const struct {
    std::string header;
    std::optional<int> seconds;
  } kCases[] = {{"wait=5", 5},
                {"Wait = \"5\"; lenient", 5},
                {"handling=strict, wait=0", 0},
                {"wait=5, respond-async", 0},
                {"handling=strict", kWaitSecondsDefault},
                {"wait=", std::nullopt},
                {"wait=1.5", std::nullopt}};
  for (const auto& c : kCases) {
    Request request;
    request.headers.emplace_back("Prefer", c.header);
    const auto read = preference(request);
    ASSERT_EQ(read.ok(), c.seconds.has_value()) << c.header;
    if (read) {
      EXPECT_EQ(read->wait, std::chrono::seconds(*c.seconds)) << c.header;
    }
  }
}

TEST(Negotiation, CapsTheWait) {
  Request request;
  request.headers.emplace_back("Prefer", "wait=" + std::to_string(kWaitSecondsMax + 1));
  EXPECT_EQ(preference(request)->wait, std::chrono::seconds(kWaitSecondsMax));
}

}  // namespace
}  // namespace mlpd::api
