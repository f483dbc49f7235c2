#include "server/serve.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "api/router.h"
#include "server/access_log.h"
#include "server/audit_log.h"
#include "server/demo.h"
#include "server/greeting.h"
#include "server/http/site.h"
#include "server/key_gate.h"
#include "server/metrics.h"
#include "server/models_folder.h"
#include "server/signals.h"
#include "server/wiring.h"

namespace mlpd::server {
namespace {

/// Connections and files need descriptors; the soft limit is often 1,024 though the hard one allows more.
void raise_open_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

/// What SIGHUP asks for; each part on its own, so that a fault of one holds up no other.
std::vector<core::Result<void>> reload(const Config& config, const ConfigReader& read_again, KeyGate& gate,
                                       Listener& listener, Log& log) {
  std::vector<core::Result<void>> outcomes;
  const auto fresh = read_again();
  if (fresh)
    log.set_level(fresh->log_level);
  else
    outcomes.push_back(fresh.error());
  auto keys = read_keys(keys_path(config));
  if (!keys) {
    outcomes.push_back(keys.error());
  } else if (keys->empty() && gate.has_keys()) {  // a lost file opens no door
    outcomes.push_back(core::Error{core::ErrorCode::failed_precondition,
                                   keys_path(config) + " has no keys any more; those before stay in force"});
  } else {
    gate.use(*std::move(keys));
  }
  if (!config.tls_certificate.empty()) outcomes.push_back(listener.reload_certificate());
  log.info("configuration read again");
  return outcomes;
}

}  // namespace

core::Result<void> serve(const Config& config, const ConfigReader& read_again, std::ostream& out,
                         std::ostream& errors) {
  const Signals signals;
  Log log(errors, config.log_level, config.log_format);
  const auto report = [&log](const core::Result<void>& done) {
    if (!done) log.error(done.error().message);
  };
  auto keys = read_keys(keys_path(config));
  if (!keys) return keys.error();
  if (auto safe = check_exposure(config, !keys->empty()); !safe) return safe;
  raise_open_files();
  Metrics metrics;
  EngineOptions options = engine_options(config, log);
  options.observer = &metrics;
  auto engine = Engine::open(std::move(options));
  if (!engine) return engine.error();
  api::Services services = (*engine)->services();
  if (!config.models_dir.empty()) {  // before anyone is told that the server is ready
    const auto say = [&log](const std::string& message) { log.info(message); };
    if (auto done = import_models(config.models_dir, services.networks, config.limits, say); !done)
      return done;
  }
  services.metrics = &metrics;
  const auto contract = api::make_handler(services);
  Site site(*contract);
  const RequestObserver log_access = access_log(log, config.access_log);
  const RequestObserver log_change = audit_log(log);
  const auto observe = [&](const RequestRecord& request) {
    metrics.record_request(request);
    log_access(request);
    log_change(request);
  };
  KeyGate gate(*contract);
  gate.use(*std::move(keys));
  const auto admit = [&gate](const api::RouteInfo& route, api::Request& head) { return gate(route, head); };
  Listener listener(listener_options(config), site, observe, admit);
  metrics.watch({services, [&listener] { return listener.statistics(); }, config.data_dir});
  if (auto started = listener.start(); !started) return started;
  if (config.demo) report(ensure_demo(services.networks, services.jobs));
  out << greeting(config, listener.port()) << std::flush;

  while (signals.wait() == Signals::Wish::reload)
    for (const auto& done : reload(config, read_again, gate, listener, log)) report(done);
  signals.let_go();
  log.info("stopping");
  const auto deadline = std::chrono::steady_clock::now() + config.drain_deadline;
  (*engine)->stop(
      deadline);  // first: it answers those who wait for a job, and readiness says no from here on
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  listener.stop(std::max(rest, std::chrono::milliseconds(0)));
  return {};
}

}  // namespace mlpd::server
