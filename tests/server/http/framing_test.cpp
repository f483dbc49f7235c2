#include "server/http/framing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mlpd::server {
namespace {

using namespace std::string_literals;

constexpr std::size_t kFieldsMax = 5;

struct Case {
  std::string name;
  std::string block;
  int status;  ///< 0 = accepted
};

class ParseHead : public testing::TestWithParam<Case> {};

TEST_P(ParseHead, AcceptsOrRefuses) {
  RequestHead head;
  EXPECT_EQ(parse_head(GetParam().block, kFieldsMax, head).status, GetParam().status);
}

std::string with(const std::string& fields, const std::string& line = "GET / HTTP/1.1") {
  return line + "\r\nHost: h\r\n" + fields + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    RequestLine, ParseHead,
    testing::Values(
        Case{"plain", with(""), 0}, Case{"old", "GET / HTTP/1.0\r\n\r\n", 0},
        Case{"absolute", with("", "GET http://h/x?y HTTP/1.1"), 0},
        Case{"absolute_without_path", with("", "GET http://h HTTP/1.1"), 400},
        Case{"star", with("", "OPTIONS * HTTP/1.1"), 400}, Case{"empty", "\r\n", 400}, Case{"none", "", 400},
        Case{"no_version", with("", "GET /"), 400}, Case{"two_blanks", with("", "GET  / HTTP/1.1"), 400},
        Case{"blank_in_target", with("", "GET /a b HTTP/1.1"), 400},
        Case{"lower_case_version", with("", "GET / http/1.1"), 400},
        Case{"version_2", with("", "GET / HTTP/2.0"), 505},
        Case{"unknown_method", with("", "BREW / HTTP/1.1"), 501},
        Case{"trace", with("", "TRACE / HTTP/1.1"), 0}, Case{"query", with("", "QUERY / HTTP/1.1"), 0},
        Case{"connect", with("", "CONNECT h:1 HTTP/1.1"), 501},
        Case{"lower_case_method", with("", "get / HTTP/1.1"), 501},
        Case{"method_is_no_token", with("", "G\"T / HTTP/1.1"), 400},
        Case{"fragment", with("", "GET /a#b HTTP/1.1"), 400}, Case{"nul", with("", "GET /\0 HTTP/1.1"s), 400},
        Case{"control", with("", "GET /\x01 HTTP/1.1"), 400},
        Case{"relative", with("", "GET x HTTP/1.1"), 400},
        Case{"longest_target", with("", "GET /" + std::string(kRequestTargetBytesMax - 1, 'a') + " HTTP/1.1"),
             0},
        Case{"target_too_long", with("", "GET /" + std::string(kRequestTargetBytesMax, 'a') + " HTTP/1.1"),
             414}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Fields, ParseHead,
    testing::Values(Case{"most", with("a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n"), 0},
                    Case{"one_too_many", with("a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\ne: 5\r\n"), 431},
                    Case{"empty_value", with("a:\r\n"), 0}, Case{"no_colon", with("abc\r\n"), 400},
                    Case{"no_name", with(": x\r\n"), 400}, Case{"blank_before_colon", with("a : x\r\n"), 400},
                    Case{"folded", with("a: x\r\n y\r\n"), 400}, Case{"nul", with("a: x\0y\r\n"s), 400},
                    Case{"control", with("a: x\x1fy\r\n"), 400},
                    Case{"lone_return", with("a: x\ry\r\n"), 400}, Case{"tab_inside", with("a: x\ty\r\n"), 0},
                    Case{"latin_1", with("a: \xe4\r\n"), 0},
                    Case{"bare_line_feed", "GET / HTTP/1.1\r\nHost: h\na: b\r\n\r\n", 400},
                    Case{"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
                    Case{"two_hosts", with("host: h\r\n"), 400}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Body, ParseHead,
    testing::Values(
        Case{"length", with("Content-Length: 5\r\n"), 0}, Case{"zero", with("Content-Length: 0\r\n"), 0},
        Case{"largest", with("Content-Length: 18446744073709551615\r\n"), 0},
        Case{"overflow", with("Content-Length: 18446744073709551616\r\n"), 400},
        Case{"letters", with("Content-Length: abc\r\n"), 400},
        Case{"plus", with("Content-Length: +5\r\n"), 400}, Case{"minus", with("Content-Length: -5\r\n"), 400},
        Case{"hex", with("Content-Length: 0x5\r\n"), 400},
        Case{"list", with("Content-Length: 5, 5\r\n"), 400}, Case{"empty", with("Content-Length: \r\n"), 400},
        Case{"twice", with("Content-Length: 5\r\ncontent-length: 5\r\n"), 400},
        Case{"chunked", with("Transfer-Encoding: Chunked\r\n"), 0},
        Case{"chunked_and_length", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
        Case{"length_and_chunked", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
        Case{"chunked_twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
        Case{"gzip_chunked", with("Transfer-Encoding: gzip, chunked\r\n"), 501},
        Case{"identity", with("Transfer-Encoding: identity\r\n"), 501},
        Case{"obscured",
             with("Transfer-Encoding: \x0b"
                  "chunked\r\n"),
             400},
        Case{"chunked_in_1_0", with("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0"), 400},
        Case{"gzip", with("Content-Encoding: gzip\r\n"), 415},
        Case{"plain_coding", with("Content-Encoding: identity\r\n"), 0},
        Case{"expect", with("Expect: 100-Continue\r\n"), 0},
        Case{"expect_other", with("Expect: tea\r\n"), 417}),
    [](const auto& test) { return test.param.name; });

TEST(RequestHead, KeepsWhatWasSent) {
  RequestHead head;
  ASSERT_EQ(parse_head("POST /a%20b?x=1?y HTTP/1.1\r\nHost: h\r\nX-A:  100%25 \t\r\nContent-Length: 7\r\n"
                       "Expect: 100-continue\r\nConnection: foo, Close\r\n\r\n",
                       kFieldsMax, head)
                .status,
            0);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/a%20b");
  EXPECT_EQ(head.query, "x=1?y");
  EXPECT_EQ(head.field("x-a"), "100%25");
  EXPECT_EQ(head.field("x-b"), std::nullopt);
  EXPECT_EQ(head.content_length, 7u);
  EXPECT_TRUE(head.has_body());
  EXPECT_TRUE(head.expects_continue);
  EXPECT_FALSE(head.keep_alive);
}

TEST(RequestHead, KnowsWhenAConnectionGoesOn) {
  const struct {
    std::string block;
    bool keep_alive;
  } cases[] = {{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
               {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false},
               {"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n", false},
               {"GET / HTTP/1.0\r\n\r\n", false},
               {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true}};
  for (const auto& test : cases) {
    RequestHead head;
    ASSERT_EQ(parse_head(test.block, kFieldsMax, head).status, 0);
    EXPECT_EQ(head.keep_alive, test.keep_alive) << test.block;
  }
}

TEST(RequestHead, IsParsedAnewEachTime) {
  RequestHead head;
  ASSERT_EQ(
      parse_head(with("Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n"), kFieldsMax, head)
          .status,
      0);
  ASSERT_EQ(parse_head(with(""), kFieldsMax, head).status, 0);
  EXPECT_FALSE(head.has_body());
  EXPECT_FALSE(head.expects_continue);
  EXPECT_TRUE(head.keep_alive);
}

TEST(HeadScanner, FindsTheEndWhereverTheTextIsCut) {
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\nrest\n";
  HeadScanner scanner;
  for (std::size_t size = 0; size < 27; ++size)
    ASSERT_EQ(scanner.scan(text.substr(0, size)), HeadScanner::State::incomplete) << size;
  EXPECT_EQ(scanner.scan(text), HeadScanner::State::complete);
  EXPECT_EQ(scanner.size(), 27u);
}

TEST(HeadScanner, RefusesBareLineFeeds) {
  for (const char* text : {"\n", "GET / HTTP/1.1\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\n"}) {
    HeadScanner scanner;
    EXPECT_EQ(scanner.scan(text), HeadScanner::State::malformed) << text;
  }
}

TEST(DecodePath, DecodesOnceAndStrictly) {
  EXPECT_EQ(decode_path("/a%2Fb%25c+d"), "/a/b%c+d");
  EXPECT_EQ(decode_path("/%c3%a4"), "/\xc3\xa4");
  for (const char* bad : {"/%", "/%1", "/%zz", "/%00", "/%0a", "/%u0041"})
    EXPECT_EQ(decode_path(bad), std::nullopt) << bad;
}

TEST(DecodeQuery, KeepsOrderAndWholeValues) {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  const struct {
    std::string query;
    Fields fields;
  } cases[] = {{"", {}},
               {"b=1&a=&b=1", {{"b", "1"}, {"a", ""}, {"b", "1"}}},
               {"a=x%20y+z%2B%26", {{"a", "x y z+&"}}},
               {"a=1?b=2", {{"a", "1?b=2"}}},
               {"cursor=YQ==&&x", {{"cursor", "YQ=="}, {"x", ""}}},
               {"=1", {{"", "1"}}}};
  for (const auto& test : cases) EXPECT_EQ(decode_query(test.query), test.fields) << test.query;
  for (const char* bad : {"a=%", "a=%2", "%zz=1", "a=%u0041"})
    EXPECT_EQ(decode_query(bad), std::nullopt) << bad;
}

TEST(RequestId, IsTakenOverOnlyWhereItIsTame) {
  EXPECT_TRUE(is_request_id("Az09._-"));
  EXPECT_TRUE(is_request_id(std::string(128, 'a')));
  for (const std::string& bad : {""s, std::string(129, 'a'), "a b"s, "a\"b"s, "\xe4"s})
    EXPECT_FALSE(is_request_id(bad)) << bad;
}

/// Decodes `text` in pieces of `step` bytes.
ChunkedDecoder::State decode(const std::string& text, std::size_t step, std::size_t limit, std::string& body,
                             std::size_t& consumed) {
  ChunkedDecoder decoder(limit);
  auto state = ChunkedDecoder::State::more;
  consumed = 0;
  for (std::size_t at = 0; at < text.size() && state == ChunkedDecoder::State::more; at += step) {
    std::string_view input = std::string_view(text).substr(at, step);
    const auto before = input.size();
    while (!input.empty() && state == ChunkedDecoder::State::more) {
      std::string_view payload;
      state = decoder.next(input, 3, payload);
      EXPECT_LE(payload.size(), 3u);
      body.append(payload);
    }
    consumed += before - input.size();
  }
  return state;
}

TEST(ChunkedDecoder, GivesTheSameBodyHoweverItIsCut) {
  const std::string text = "5;name=\"v\"\r\nhello\r\n00A\r\n, world!!!\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    std::string body;
    std::size_t consumed = 0;
    ASSERT_EQ(decode(text + "GET", step, 15, body, consumed), ChunkedDecoder::State::done) << step;
    EXPECT_EQ(body, "hello, world!!!");
    EXPECT_EQ(consumed, text.size());
  }
}

TEST(ChunkedDecoder, CountsTheWholeBody) {
  std::string body;
  std::size_t consumed = 0;
  EXPECT_EQ(decode("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", 64, 10, body, consumed),
            ChunkedDecoder::State::done);
  body.clear();
  EXPECT_EQ(decode("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", 64, 9, body, consumed),
            ChunkedDecoder::State::too_large);
  EXPECT_EQ(body, "hello");  // the second chunk is refused by its announced size
}

TEST(ChunkedDecoder, RefusesWhatIsNotChunked) {
  const std::string cases[] = {"\r\n",
                               "x\r\n",
                               "-1\r\n",
                               " 5\r\nhello\r\n",
                               "5\nhello\r\n",
                               "5\r\nhelloX",
                               "5\r\nhello\rX",
                               "0x5\r\nhello\r\n",
                               "1234567890abcdef\r\n",
                               "5 \r\nhello\r\n",
                               ";a\r\n",
                               "5;\nhello\r\n",
                               "0\r\n\rX",
                               "0\r\na: \x01\r\n\r\n",
                               "5;" + std::string(kChunkLineBytesMax, 'x') + "\r\nhello\r\n0\r\n\r\n",
                               "0\r\n" + std::string(kTrailerBytesMax + 1, 'x')};
  for (const auto& text : cases) {
    std::string body;
    std::size_t consumed = 0;
    EXPECT_EQ(decode(text, 64, 1'000, body, consumed), ChunkedDecoder::State::malformed) << text;
  }
}

}  // namespace
}  // namespace mlpd::server
