#include "server/http/httplib_adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace mlpd::server {
namespace {

using testing::AnyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttplibAdapterTest : public testing::Test {
 protected:
  Exchange run(const std::string& method, const api::Response& response) {
    Exchange exchange;
    exchange.method = method;
    exchange.request_id = "id-1";
    exchange.respond = [&] { return response; };
    EXPECT_TRUE(adapter_.run(exchange));
    return exchange;
  }
  HttplibAdapter adapter_;
};

TEST_F(HttplibAdapterTest, WritesTheHeadAndMovesTheBody) {
  api::Response response;
  response.status = 422;
  response.headers = {{"Content-Type", "application/json"}, {"Vary", "Accept"}};
  response.body = "{}";
  const auto exchange = run("POST", response);
  EXPECT_EQ(exchange.status, 422);
  EXPECT_EQ(exchange.body, "{}");
  EXPECT_THAT(exchange.head, AnyOf(StartsWith("HTTP/1.1 422 Unprocessable Entity\r\n"),     // httplib 0.11
                                   StartsWith("HTTP/1.1 422 Unprocessable Content\r\n")));  // 0.18
  EXPECT_THAT(exchange.head, EndsWith("\r\n\r\n"));
  for (const char* line : {"Content-Length: 2\r\n", "Vary: Accept\r\n", "X-Request-Id: id-1\r\n"})
    EXPECT_THAT(exchange.head, HasSubstr(line));
  EXPECT_THAT(exchange.head, Not(HasSubstr("Keep-Alive")));
}

TEST_F(HttplibAdapterTest, KnowsTheReasonOfEveryStatusThatWeUse) {
  for (const int status : {200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405, 406, 408,
                           409, 412, 413, 414, 415, 417, 422, 429, 431, 501, 503, 505}) {
    api::Response response;
    response.status = status;
    EXPECT_THAT(run("GET", response).head, Not(HasSubstr("Internal"))) << status;
  }
}

TEST_F(HttplibAdapterTest, AnswersMethodsThatHttplibDoesNotKnow) {
  api::Response response;
  response.status = 405;
  for (const char* method : {"QUERY", "TRACE"}) EXPECT_EQ(run(method, response).status, 405) << method;
}

TEST_F(HttplibAdapterTest, DropsFieldsThatWouldSplitTheHead) {
  api::Response response;
  response.headers = {{"Location", "/a\r\nX-Evil: 1"}, {"X\r\nY", "1"}};
  EXPECT_THAT(run("GET", response).head, Not(HasSubstr("Evil")));
}

TEST_F(HttplibAdapterTest, ReportsThatNoAnswerCameAbout) {
  Exchange exchange;
  exchange.method = "GET";
  exchange.respond = []() -> api::Response { throw std::runtime_error("secret"); };
  EXPECT_FALSE(adapter_.run(exchange));
}

}  // namespace
}  // namespace mlpd::server
