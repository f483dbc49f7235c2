#pragma once

namespace mlpd::server {

/// The process's signals as values in place of interruptions. Make one before any thread: it blocks SIGTERM,
/// SIGINT and SIGHUP in the calling thread and those that it starts, and ignores SIGPIPE in the process.
class Signals {
 public:
  enum class Wish { stop, reload };

  Signals();
  /// Waits for the next one: SIGTERM and SIGINT mean stop, SIGHUP means reload.
  Wish wait() const;
  /// From now on the next SIGTERM or SIGINT ends the process at once, for those who won't wait for the drain.
  void let_go() const;
};

}  // namespace mlpd::server
