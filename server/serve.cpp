#include "server/serve.h"

#include <algorithm>
#include <chrono>

#include "api/router.h"
#include "server/access_log.h"
#include "server/demo.h"
#include "server/greeting.h"
#include "server/http/site.h"
#include "server/signals.h"
#include "server/wiring.h"

namespace mlpd::server {

core::Result<void> serve(const Config& config, std::ostream& out, std::ostream& errors) {
  const Signals signals;
  Log log(errors, config.log_level, config.log_format);
  const auto report = [&log](const core::Result<void>& done) {
    if (!done) log.error(done.error().message);
  };
  if (auto safe = check_exposure(config, false); !safe) return safe;
  auto engine = Engine::open(engine_options(config, log));
  if (!engine) return engine.error();
  const api::Services services = (*engine)->services();
  const auto contract = api::make_handler(services);
  Site site(*contract);
  Listener listener(listener_options(config), site, access_log(log, config.access_log));
  if (auto started = listener.start(); !started) return started;
  if (config.demo) report(ensure_demo(services.networks, services.jobs));
  out << greeting(config, listener.port()) << std::flush;

  while (signals.wait() == Signals::Wish::reload) report(listener.reload_certificate());
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
