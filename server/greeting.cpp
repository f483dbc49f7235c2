#include "server/greeting.h"

#include "server/build_info.h"

namespace mlpd::server {

std::string url_of(const Config& config, int port) {
  Address address{config.listen.host, static_cast<std::uint16_t>(port)};
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return (config.tls_certificate.empty() ? "http://" : "https://") + to_string(address);
}

std::string greeting(const Config& config, int port) {
  const std::string url = url_of(config, port);
  const std::string networks = "  curl " + url + "/v1/networks";
  const std::string name = config.demo ? "demo" : "my";
  const std::string first =
      config.demo ? networks + "/demo\n"
                  : networks + R"( -d '{"name":"my","inputs":2,"layers":[{"units":8},{"units":2}]}')" + "\n";
  return "mlpd " + std::string(version()) + " serves " + url + ", its data is in " + config.data_dir + "\n" +
         first + networks + "/" + name + R"(/train -d '{"data":{"generator":"xor"}}')" + "\n" + networks +
         "/" + name + R"(/predict -d '{"inputs":[0.5,-1]}')" + "\n";
}

}  // namespace mlpd::server
