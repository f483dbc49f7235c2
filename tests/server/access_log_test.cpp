#include "server/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace mlpd::server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

RequestRecord record(int status, std::string_view error = {}) {
  RequestRecord request;
  request.method = "GET";
  request.path = "/v1/networks/a b";
  request.status = status;
  request.duration_us = 1'500;
  request.bytes_in = 3;
  request.bytes_out = 4;
  request.request_id = "r1";
  request.remote_address = "127.0.0.1";
  request.error = error;
  return request;
}

TEST(AccessLog, WritesALineForEachRequest) {
  std::ostringstream out;
  Log log(out, LogLevel::info, LogFormat::text);
  access_log(log, true)(record(200));
  EXPECT_THAT(
      out.str(),
      EndsWith(" info request method=GET path=\"/v1/networks/a b\" status=200 duration_ms=1.5 "
               "bytes_in=3 bytes_out=4 remote_address=127.0.0.1 key_id=- request_id=r1 trace_id=-\n"));
}

TEST(AccessLog, ShowsFailuresEvenWhereItIsOff) {
  struct Case {
    bool every;
    int status;
    bool written;
  };
  const Case cases[] = {
      {true, 200, true}, {true, 404, true}, {false, 200, false}, {false, 499, false}, {false, 500, true}};
  for (const Case& c : cases) {
    std::ostringstream out;
    Log log(out, LogLevel::info, LogFormat::text);
    access_log(log, c.every)(record(c.status));
    EXPECT_EQ(!out.str().empty(), c.written) << c.status;
  }
  std::ostringstream out;
  Log log(out, LogLevel::warning, LogFormat::json);
  access_log(log, false)(record(500, "bad_alloc"));
  EXPECT_THAT(out.str(), HasSubstr("\"level\":\"warning\""));
  EXPECT_THAT(out.str(), EndsWith("\"error\":\"bad_alloc\"}\n"));
  out.str("");
  access_log(log, true)(record(200));
  EXPECT_THAT(out.str(), testing::IsEmpty());
}

}  // namespace
}  // namespace mlpd::server
