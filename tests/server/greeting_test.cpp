#include "server/greeting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlpd::server {
namespace {

using testing::HasSubstr;

TEST(Greeting, NamesAnAddressThatCanBeTyped) {
  struct Case {
    std::string host;
    std::string certificate;
    std::string url;
  };
  const Case cases[] = {{"127.0.0.1", "", "http://127.0.0.1:81"},
                        {"0.0.0.0", "", "http://127.0.0.1:81"},
                        {"::", "", "http://[::1]:81"},
                        {"::1", "", "http://[::1]:81"},
                        {"lab.example", "c.pem", "https://lab.example:81"}};
  for (const Case& c : cases) {
    Config config;
    config.listen = {c.host, 0};
    config.tls_certificate = c.certificate;
    EXPECT_EQ(url_of(config, 81), c.url);
    for (const bool demo : {false, true}) {
      config.demo = demo;
      const std::string text = greeting(config, 81);
      EXPECT_THAT(text, HasSubstr("serves " + c.url + ", its data is in mlpd-data\n"));
      EXPECT_THAT(text, HasSubstr(c.url + (demo ? "/v1/networks/demo/predict" : "/v1/networks/my/predict")));
    }
  }
}

}  // namespace
}  // namespace mlpd::server
