#include "server/store/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace mlpd::server {
namespace {

using std::filesystem::path;

core::Error failure(std::string_view what, const path& file, int code) {
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  const core::ErrorCode kind = full             ? core::ErrorCode::resource_exhausted
                               : code == ENOENT ? core::ErrorCode::not_found
                                                : core::ErrorCode::unavailable;
  return {kind, "can't " + std::string(what) + " " + file.filename().string() + ": " +
                    std::system_category().message(code)};
}

/// An open file or folder, closed at the end of its scope.
class Descriptor {
 public:
  Descriptor(const path& file, int flags) : fd_(::open(file.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

}  // namespace

core::Result<std::string> FileSystem::read(const path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return failure("read", file, errno);
  return read_part(file, 0, static_cast<std::uint64_t>(info.st_size));
}

core::Result<std::string> FileSystem::read_part(const path& file, std::uint64_t offset, std::uint64_t size) {
  Descriptor in(file, O_RDONLY);
  if (!in.ok()) return failure("read", file, errno);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pread(in.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EIO) {  // a bad sector: the file is damaged, whatever is tried later
      return core::Error{core::ErrorCode::corrupted, failure("read", file, EIO).message};
    }
    if (n < 0) return failure("read", file, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

core::Result<void> FileSystem::write(const path& file, std::uint64_t offset, std::string_view bytes) {
  Descriptor out(file, O_WRONLY | O_CREAT);
  if (!out.ok()) return failure("write", file, errno);
  struct stat info {};
  if (::fstat(out.get(), &info) != 0) return failure("write", file, errno);
  if (static_cast<std::uint64_t>(info.st_size) > offset &&
      ::ftruncate(out.get(), static_cast<off_t>(offset)) != 0) {
    return failure("write", file, errno);
  }
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pwrite(out.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure("write", file, errno);
    done += static_cast<std::size_t>(n);
  }
  return {};
}

core::Result<void> FileSystem::truncate(const path& file, std::uint64_t bytes) {
  if (::truncate(file.c_str(), static_cast<off_t>(bytes)) != 0) return failure("cut", file, errno);
  return {};
}

core::Result<void> FileSystem::sync(const path& file) {
  Descriptor out(file, O_RDONLY);
  if (!out.ok() || ::fdatasync(out.get()) != 0) return failure("sync", file, errno);
  return {};
}

core::Result<void> FileSystem::sync_folder(const path& folder) {
  Descriptor in(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);  // the parent of a name alone
  if (!in.ok() || ::fsync(in.get()) != 0) return failure("sync", folder, errno);
  return {};
}

core::Result<void> FileSystem::rename(const path& from, const path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failure("rename", from, errno);
  return {};
}

core::Result<void> FileSystem::exchange(const path& a, const path& b) {
  if (::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) != 0) {
    return failure("exchange", a, errno);
  }
  return {};
}

core::Result<void> FileSystem::make_folder(const path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return failure("make", folder, code.value());
  return {};
}

core::Result<void> FileSystem::remove_all(const path& file) {
  std::error_code code;
  std::filesystem::remove_all(file, code);
  if (code) return failure("remove", file, code.value());
  return {};
}

core::Result<std::vector<FileSystem::Item>> FileSystem::list(const path& folder) {
  std::vector<Item> items;
  std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) {
    if (errno == ENOENT) return items;
    return failure("list", folder, errno);
  }
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat info {};
    if (::fstatat(::dirfd(open.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    items.push_back({std::string(name), S_ISDIR(info.st_mode),
                     S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0,
                     info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1'000'000});
  }
  return items;
}

core::Result<void> make_folder_durably(FileSystem& files, const path& folder) {
  if (core::Result<void> made = files.make_folder(folder); !made.ok()) return made;
  return files.sync_folder(folder.parent_path());
}

core::Result<void> write_durably(FileSystem& files, const path& temporary, const path& file,
                                 std::string_view bytes) {
  core::Result<void> done = files.write(temporary, 0, bytes);
  if (done.ok()) done = files.sync(temporary);
  if (done.ok()) done = files.rename(temporary, file);
  if (!done.ok()) {
    (void)files.remove_all(temporary);
    return done;
  }
  return files.sync_folder(file.parent_path());
}

}  // namespace mlpd::server
