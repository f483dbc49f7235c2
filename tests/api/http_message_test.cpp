#include "api/http_message.h"

#include <gtest/gtest.h>

namespace mlpd::api {
namespace {

TEST(Request, FindsHeadersInAnyCaseAndQueryFieldsAsTheyAre) {
  Request request;
  request.headers = {{"Content-Type", "a"}, {"content-type", "b"}};
  request.query = {{"limit", "1"}, {"limit", "2"}, {"pretty", ""}};
  EXPECT_EQ(request.header("CONTENT-TYPE"), "a");
  EXPECT_EQ(request.header("Content-Typ"), std::nullopt);
  EXPECT_EQ(request.query_value("limit"), "1");
  EXPECT_EQ(request.query_value("Limit"), std::nullopt);
  EXPECT_EQ(request.query_value("pretty"), "");
}

TEST(Response, SetHeaderReplacesOrAdds) {
  Response response;
  response.set_header("ETag", "1");
  response.set_header("etag", "2");
  response.set_header("Location", "/");
  ASSERT_EQ(response.headers.size(), 2u);
  EXPECT_EQ(response.header("ETAG"), "2");
  EXPECT_EQ(response.header("location"), "/");
  EXPECT_EQ(response.header("Allow"), std::nullopt);
}

}  // namespace
}  // namespace mlpd::api
