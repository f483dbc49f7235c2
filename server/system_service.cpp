#include "server/system_service.h"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <fstream>

#include "core/kernels.h"
#include "server/build_info.h"

namespace mlpd::server {
namespace {

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::string random_id() {
  std::array<std::uint8_t, 8> bytes{};
  while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const std::uint8_t byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

api::SystemView SystemServiceImplementation::system() {
  api::SystemView view;
  view.version = version();
  view.build = build();
  view.instruction_set = core::instruction_set();
  view.uptime_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  view.networks = parts_.registry.size();
  view.jobs_queued = parts_.job_counts.waiting;
  view.jobs_running = parts_.job_counts.running;
  view.disk_bytes = parts_.store.bytes();
  view.commits = parts_.store.commits().count;
  view.committed_bytes = parts_.store.commits().bytes;
  view.memory_bytes = resident_bytes();
  view.quarantined = parts_.damaged.list();
  return view;
}

}  // namespace mlpd::server
