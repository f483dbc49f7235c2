#include "server/store/quarantine.h"

#include <algorithm>
#include <utility>

namespace mlpd::server {

using std::filesystem::path;

namespace {

constexpr const char* kReason = ".reason";

bool holds(const std::vector<FileSystem::Item>& items, const std::string& name) {
  return std::any_of(items.begin(), items.end(), [&](const auto& item) { return item.name == name; });
}

}  // namespace

core::Result<void> Quarantine::open() {
  if (core::Result<void> made = make_folder_durably(*files_, folder()); !made.ok()) return made;
  const core::Result<std::vector<FileSystem::Item>> items = files_->list(folder());
  if (!items.ok()) return items.error();
  std::lock_guard lock(mutex_);
  for (const FileSystem::Item& item : *items) {
    if (item.name.ends_with(kReason)) {
      core::Result<std::string> reason = files_->read(folder() / item.name);
      if (reason.ok() && !reason->empty()) reasons_.push_back(*std::move(reason));
    } else if (!holds(*items, item.name + kReason)) {  // a crash came between
      reasons_.push_back(item.name + ": was set aside");
    }
  }
  return {};
}

/// A name may be set aside more than once; evidence is never overwritten.
path Quarantine::free_name(const std::string& called) const {
  std::string flat = called;
  std::replace(flat.begin(), flat.end(), '/', '.');
  const core::Result<std::vector<FileSystem::Item>> items = files_->list(folder());
  std::string name = flat;
  for (int i = 2; items.ok() && holds(*items, name); ++i) name = flat + "-" + std::to_string(i);
  return folder() / name;
}

void Quarantine::set_aside(const path& damaged, const std::string& reason) {
  const std::string called = damaged.lexically_relative(data_dir_).generic_string();
  const std::string text = called + ": " + reason;
  log_("set aside " + text);
  {
    std::lock_guard moving(moving_);
    const path target = free_name(called);
    if (files_->rename(damaged, target).ok()) {
      path note = target;
      note += kReason;
      if (files_->write(note, 0, text).ok()) (void)files_->sync(note);
      (void)files_->sync_folder(folder());
    }
  }
  std::lock_guard lock(mutex_);
  reasons_.push_back(text);
}

std::vector<std::string> Quarantine::list() const {
  std::lock_guard lock(mutex_);
  return reasons_;
}

}  // namespace mlpd::server
