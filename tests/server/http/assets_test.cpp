#include "server/http/assets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace mlpd::server {
namespace {

std::string header(const api::Response& response, std::string_view name) {
  return std::string(response.header(name).value_or(""));
}

TEST(Assets, TableIsSortedAndHoldsThePage) {
  const auto assets = embedded_assets();
  EXPECT_TRUE(std::is_sorted(assets.begin(), assets.end(),
                             [](const Asset& a, const Asset& b) { return a.path < b.path; }));
  EXPECT_TRUE(is_asset("/"));
  EXPECT_TRUE(is_asset("/index.html"));
  for (const std::string_view path : {"", "/index", "/v1/networks", "/../index.html", "/zzz"})
    EXPECT_FALSE(is_asset(path)) << path;
}

TEST(Assets, PageIsRevalidatedAndUnderAStrictPolicy) {
  const api::Response page = serve_asset("/", "", "");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(header(page, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(header(page, "Cache-Control"), "no-cache");
  EXPECT_EQ(header(page, "Vary"), "Accept-Encoding");
  const std::string policy = header(page, "Content-Security-Policy");
  EXPECT_NE(policy.find("connect-src 'self'"), std::string::npos);
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_NE(page.body.find("<!doctype html>"), std::string::npos);
}

TEST(Assets, EncodingIsTheBestThatTheClientTakes) {
  const auto assets = embedded_assets();
  const auto packed =
      std::find_if(assets.begin(), assets.end(), [](const Asset& asset) { return !asset.brotli.empty(); });
  ASSERT_NE(packed, assets.end());
  const struct {
    std::string_view accept_encoding, encoding;
    std::string_view body;
  } cases[] = {{"", "", packed->identity},          {"gzip, deflate, br", "br", packed->brotli},
               {"gzip", "gzip", packed->gzip},      {"br;q=0, gzip;q=0.5", "gzip", packed->gzip},
               {"br; q=0.0", "", packed->identity}, {"brotli", "", packed->identity}};
  for (const auto& row : cases) {
    const api::Response response = serve_asset(packed->path, row.accept_encoding, "");
    EXPECT_EQ(header(response, "Content-Encoding"), row.encoding) << row.accept_encoding;
    EXPECT_EQ(response.body, row.body) << row.accept_encoding;
  }
}

TEST(Assets, KnownETagGives304WithoutBody) {
  const api::Response whole = serve_asset("/", "", "");
  const std::string etag = header(whole, "ETag");
  for (const std::string& known : {etag, "\"other\", " + etag, "W/" + etag, std::string("*")}) {
    const api::Response response = serve_asset("/", "br", known);
    EXPECT_EQ(response.status, 304) << known;
    EXPECT_TRUE(response.body.empty());
    EXPECT_EQ(header(response, "ETag"), etag);
    for (const char* kept : {"Content-Security-Policy", "Cache-Control", "Referrer-Policy", "Vary"})
      EXPECT_EQ(header(response, kept), header(whole, kept)) << kept;
  }
  EXPECT_EQ(serve_asset("/", "", "\"other\"").status, 200);
}

TEST(Assets, HashedNamesAreImmutable) {
  for (const Asset& asset : embedded_assets())
    EXPECT_EQ(header(serve_asset(asset.path, "", ""), "Cache-Control").find("immutable") != std::string::npos,
              asset.path.rfind("/assets/", 0) == 0)
        << asset.path;
}

TEST(Assets, UnknownPathIs404) { EXPECT_EQ(serve_asset("/assets/none.js", "br", "").status, 404); }

}  // namespace
}  // namespace mlpd::server
