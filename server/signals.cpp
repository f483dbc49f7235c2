#include "server/signals.h"

#include <csignal>
#include <initializer_list>

namespace mlpd::server {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = set_of({SIGTERM, SIGINT, SIGHUP});
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

Signals::Wish Signals::wait() const {
  const sigset_t set = set_of({SIGTERM, SIGINT, SIGHUP});
  int signal = SIGTERM;
  sigwait(&set, &signal);
  return signal == SIGHUP ? Wish::reload : Wish::stop;
}

void Signals::let_go() const {
  const sigset_t set = set_of({SIGTERM, SIGINT});
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace mlpd::server
