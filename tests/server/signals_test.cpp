#include "server/signals.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

namespace mlpd::server {
namespace {

/// Runs in a child, because the signals belong to the process; the wait status.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

int wish_of(int signal) {
  return in_child([signal] {
    const Signals signals;
    raise(SIGPIPE);  // ignored
    raise(signal);   // pending until somebody waits
    return signals.wait() == Signals::Wish::reload ? 1 : 0;
  });
}

TEST(Signals, BecomeWishes) {
  const std::pair<int, int> cases[] = {{SIGTERM, 0}, {SIGINT, 0}, {SIGHUP, 1}};
  for (const auto& [signal, wish] : cases) {
    const int status = wish_of(signal);
    EXPECT_TRUE(WIFEXITED(status)) << signal;
    EXPECT_EQ(WEXITSTATUS(status), wish) << signal;
  }
}

TEST(Signals, ASecondOneEndsTheProcessAfterLettingGo) {
  const int status = in_child([] {
    const Signals signals;
    raise(SIGINT);
    signals.wait();
    signals.let_go();
    raise(SIGINT);
    return 0;
  });
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

}  // namespace
}  // namespace mlpd::server
