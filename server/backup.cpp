#include "server/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <set>
#include <stdexcept>
#include <utility>

namespace mlpd::server {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kReadBytes = 64u << 10;
/// Made and not yet taken.
constexpr std::size_t kWaitingBytesMax = 256u << 10;

/// A file's header in POSIX.1-1988 ustar form; sizes past 8 GiB in the base-256 form that GNU tar, bsdtar and
/// Python read.
std::array<char, kBlock> tar_header(const std::string& path, std::uint64_t size, std::int64_t modified_s) {
  std::array<char, kBlock> header{};
  const auto text = [&](std::size_t at, std::size_t room, const std::string& value) {
    std::copy_n(value.begin(), std::min(value.size(), room),
                header.begin() + static_cast<std::ptrdiff_t>(at));
  };
  const auto octal = [&](std::size_t at, int digits, std::uint64_t value) {
    char field[24];
    std::snprintf(field, sizeof field, "%0*llo", digits, static_cast<unsigned long long>(value));
    text(at, static_cast<std::size_t>(digits), field);
  };
  const std::size_t slash = path.rfind('/');
  text(0, 100, slash == std::string::npos ? path : path.substr(slash + 1));
  octal(100, 7, 0600);
  octal(108, 7, 0);
  octal(116, 7, 0);
  if (size < (std::uint64_t{1} << 33)) {
    octal(124, 11, size);
  } else {
    header[124] = static_cast<char>(0x80);
    for (std::size_t i = 0; i < 8; ++i) header[135 - i] = static_cast<char>(size >> (8 * i));
  }
  octal(136, 11, static_cast<std::uint64_t>(modified_s));
  text(148, 8, "        ");
  header[156] = '0';
  text(257, 8,
       std::string("ustar\0"
                   "00",
                   8));
  if (slash != std::string::npos) text(345, 155, path.substr(0, slash));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  octal(148, 6, sum);
  header[154] = '\0';
  return header;
}

}  // namespace

/// Bytes on their way from the thread that makes them to the hub that sends them.
class Backups::Run {
 public:
  /// Waits while much is waiting; false once nobody wants the rest.
  bool put(const char* bytes, std::size_t count) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return waiting_.size() < kWaitingBytesMax || unwanted_; });
    if (unwanted_) return false;
    waiting_.append(bytes, count);
    if (wake_) wake_();
    return true;
  }
  void end(bool whole) {
    std::lock_guard lock(mutex_);
    (whole ? whole_ : failed_) = true;
    over_ = true;
    if (wake_) wake_();
  }
  void on_ready(std::function<void()> wake) {
    std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
  }
  std::string take() {
    std::lock_guard lock(mutex_);
    if (failed_) throw std::runtime_error("the backup broke off");
    room_.notify_all();
    return std::exchange(waiting_, {});
  }
  bool finished() const {
    std::lock_guard lock(mutex_);
    return whole_ && waiting_.empty();
  }
  void leave() {
    std::lock_guard lock(mutex_);
    unwanted_ = true;
    room_.notify_all();
  }
  bool over() const { return over_; }

 private:
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::string waiting_;
  std::function<void()> wake_;
  bool whole_ = false;
  bool failed_ = false;
  bool unwanted_ = false;
  std::atomic<bool> over_{false};
};

class Backups::Stream final : public api::EventStream {
 public:
  explicit Stream(std::shared_ptr<Run> run) : run_(std::move(run)) {}
  ~Stream() override { run_->leave(); }
  void on_ready(std::function<void()> wake) override { run_->on_ready(std::move(wake)); }
  std::string take() override { return run_->take(); }
  bool finished() const override { return run_->finished(); }
  bool bulk() const override { return true; }
  void close() override {}  // what fits before the server's deadline is sent

 private:
  std::shared_ptr<Run> run_;
};

/// An open file: still readable where its name goes to another.
struct Backups::File {
  std::string path;  ///< below the data folder
  std::uint64_t size = 0;
  std::int64_t modified_s = 0;
  int fd = -1;

  File(std::string named, const fs::path& at)
      : path(std::move(named)), fd(::open(at.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) return;
    size = static_cast<std::uint64_t>(status.st_size);
    modified_s = status.st_mtime;
  }
  File(File&& other) noexcept
      : path(std::move(other.path)),
        size(other.size),
        modified_s(other.modified_s),
        fd(std::exchange(other.fd, -1)) {}
  File& operator=(File&&) = delete;
  ~File() {
    if (fd >= 0) ::close(fd);
  }

  /// False where nobody wants the rest. Throws where the file can't be read.
  bool send(Run& run) const {
    const auto header = tar_header(path, size, modified_s);
    if (!run.put(header.data(), header.size())) return false;
    std::vector<char> buffer(kReadBytes);
    for (std::uint64_t left = size; left > 0;) {
      const ssize_t got = ::read(fd, buffer.data(), std::min<std::uint64_t>(left, buffer.size()));
      if (got <= 0) throw std::runtime_error(path + " can't be read to its end");
      if (!run.put(buffer.data(), static_cast<std::size_t>(got))) return false;
      left -= static_cast<std::uint64_t>(got);
    }
    const std::size_t padding = (kBlock - size % kBlock) % kBlock;
    const std::array<char, kBlock> zeros{};
    return padding == 0 || run.put(zeros.data(), padding);
  }
};

std::vector<std::string> Backups::names(const char* folder) const {
  std::vector<std::string> found;
  std::error_code failed;
  for (fs::directory_iterator item(folder_ / folder, failed), end; !failed && item != end;
       item.increment(failed))
    found.push_back(item->path().filename());
  std::sort(found.begin(), found.end());
  return found;
}

/// The file, or every file in the folder and below; without those that are gone meanwhile.
std::vector<Backups::File> Backups::open_all(const fs::path& below) const {
  std::vector<File> files;
  std::error_code failed;
  const auto add = [&](const fs::path& path) {
    File file(path.lexically_relative(folder_), path);
    if (file.fd >= 0) files.push_back(std::move(file));
  };
  if (fs::is_regular_file(folder_ / below, failed)) add(folder_ / below);
  for (fs::recursive_directory_iterator item(folder_ / below, failed), end; !failed && item != end;
       item.increment(failed))
    if (item->is_regular_file(failed)) add(item->path());
  return files;
}

/// Everything of one network, as it is at one moment.
std::vector<Backups::File> Backups::open_network(NetworkEntry& entry) {
  const std::lock_guard changing(entry.changes);
  {
    std::lock_guard lock(entry.mutex);
    if (entry.facts.removed) return {};
  }
  const std::lock_guard storing(entry.storing);
  std::vector<File> files = open_all(fs::path("networks") / entry.name());
  versions_.while_unchanged(entry.name(), [&] {
    for (File& file : open_all(fs::path("versions") / entry.name())) files.push_back(std::move(file));
  });
  return files;
}

/// Training data comes before the networks that need it, and what was added meanwhile after them.
void Backups::archive(Run& run) {
  const auto send = [&](const std::vector<File>& files) {
    return std::all_of(files.begin(), files.end(), [&](const File& file) { return file.send(run); });
  };
  std::set<std::string> sent;
  const auto send_data = [&] {
    for (const std::string& name : names("data"))
      if (sent.insert(name).second && !send(open_all(fs::path("data") / name))) return false;
    return true;
  };
  try {
    bool wanted = send(open_all("keys.json")) && send_data();
    for (const char* folder : {"datasets", "searches"})
      for (const std::string& name : names(folder))
        wanted = wanted && send(open_all(fs::path(folder) / name));
    for (const std::shared_ptr<NetworkEntry>& entry : parts_.registry.all())
      wanted = wanted && send(open_network(*entry));
    const std::array<char, 2 * kBlock> end{};
    run.end(wanted && send_data() && run.put(end.data(), end.size()));
  } catch (const std::exception& failure) {
    parts_.log(std::string("backup: ") + failure.what());
    run.end(false);
  }
}

core::Result<std::shared_ptr<api::EventStream>> Backups::start() {
  std::lock_guard lock(mutex_);
  if (run_ && !run_->over())
    return core::Error{
        core::ErrorCode::conflict, "another backup is being made; try again when it is over", {}};
  if (thread_.joinable()) thread_.join();
  run_ = std::make_shared<Run>();
  thread_ = std::thread([this, run = run_] { archive(*run); });
  return std::shared_ptr<api::EventStream>(std::make_shared<Stream>(run_));
}

void Backups::stop() {
  std::lock_guard lock(mutex_);
  if (run_) run_->leave();
  if (thread_.joinable()) thread_.join();
}

}  // namespace mlpd::server
