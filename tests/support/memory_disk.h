#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/store/file_system.h"

namespace mlpd::server {

/// A disk in memory that knows what a power cut would leave of it: a file's bytes are safe after sync(), a
/// folder's names after sync_folder(); a rename is safe as soon as one of its two folders is. Everything lies
/// in `folder`, which is not there at first; its parent is. Thread-safe.
class MemoryDisk final : public FileSystem {
  using path = std::filesystem::path;
  using Text = std::shared_ptr<const std::string>;

 public:
  /// What a cut leaves of names that were not synced: those before, or those after the change.
  enum class Names { before, after };
  /// And of bytes: those before the change, its first half, its length alone (zeros), or all.
  enum class Bytes { before, half, zeros, after };

  explicit MemoryDisk(path folder) : folder_(std::move(folder)) { root_->folder = true; }

  /// The disk after a power cut at this moment.
  std::shared_ptr<MemoryDisk> cut(Names names, Bytes bytes) const {
    std::lock_guard lock(mutex_);
    auto left = std::make_shared<MemoryDisk>(folder_);
    left->root_ = left_of(*root_, names, bytes);
    return left;
  }
  std::shared_ptr<MemoryDisk> copy() const { return cut(Names::after, Bytes::after); }

  /// Path below the folder → bytes, of every file; a folder's path ends in '/'.
  std::map<std::string, std::string> files() const {
    std::lock_guard lock(mutex_);
    std::map<std::string, std::string> found;
    if (const NodePointer node = find(folder_)) gather(*node, "", found);
    return found;
  }

  /// Called, in the changing thread, before every change.
  std::function<void()> before_change;

  core::Result<std::string> read(const path& file) override { return read_part(file, 0, ~std::uint64_t{0}); }
  core::Result<std::string> read_part(const path& file, std::uint64_t offset, std::uint64_t bytes) override {
    std::lock_guard lock(mutex_);
    const NodePointer node = find(file);
    if (!node || node->folder) return missing(file);
    if (offset >= node->bytes->size()) return std::string();
    return node->bytes->substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(bytes));
  }

  core::Result<void> write(const path& file, std::uint64_t offset, std::string_view bytes) override {
    tell();
    std::lock_guard lock(mutex_);
    const NodePointer folder = find(file.parent_path());
    if (!folder) return missing(file);
    NodePointer& node = folder->entries[file.filename()];
    if (!node) node = std::make_shared<Node>();
    std::string text = *node->bytes;
    text.resize(static_cast<std::size_t>(offset), '\0');
    text += bytes;
    node->bytes = std::make_shared<const std::string>(std::move(text));
    return {};
  }
  core::Result<void> truncate(const path& file, std::uint64_t bytes) override {
    tell();
    std::lock_guard lock(mutex_);
    const NodePointer node = find(file);
    if (!node) return missing(file);
    std::string text = *node->bytes;
    text.resize(static_cast<std::size_t>(bytes), '\0');
    node->bytes = std::make_shared<const std::string>(std::move(text));
    return {};
  }
  core::Result<void> sync(const path& file) override {
    tell();
    std::lock_guard lock(mutex_);
    const NodePointer node = find(file);
    if (!node) return missing(file);
    node->safe_bytes = node->bytes;
    return {};
  }
  core::Result<void> sync_folder(const path& folder) override {
    tell();
    std::lock_guard lock(mutex_);
    const NodePointer node = find(folder);
    if (!node) return missing(folder);
    const Entries before = std::exchange(node->safe_entries, node->entries);
    for (const auto& [name, child] : node->entries)  // what was renamed into it has left where it was
      if (!holds(before, child)) forget(*root_, child, node);
    for (const auto& [name, child] : before)  // what was renamed away from it has arrived
      if (!holds(node->entries, child)) make_safe(*root_, child);
    return {};
  }
  core::Result<void> rename(const path& from, const path& to) override {
    tell();
    std::lock_guard lock(mutex_);
    const NodePointer source = find(from.parent_path());
    const NodePointer target = find(to.parent_path());
    if (!source || !target || !source->entries.contains(from.filename())) return missing(from);
    NodePointer moved = source->entries[from.filename()];
    source->entries.erase(from.filename());
    target->entries[to.filename()] = std::move(moved);
    return {};
  }
  core::Result<void> exchange(const path& a, const path& b) override {
    tell();
    std::lock_guard lock(mutex_);
    const NodePointer one = find(a.parent_path());
    const NodePointer other = find(b.parent_path());
    if (!one || !other || !find(a) || !find(b)) return missing(a);
    std::swap(one->entries[a.filename()], other->entries[b.filename()]);
    return {};
  }
  core::Result<void> make_folder(const path& folder) override {
    tell();
    std::lock_guard lock(mutex_);
    NodePointer node = root_;
    for (const path& part : folder.lexically_relative(folder_.parent_path())) {
      if (part == ".") continue;
      NodePointer& next = node->entries[part];
      if (!next) {
        next = std::make_shared<Node>();
        next->folder = true;
      }
      node = next;
    }
    return {};
  }
  core::Result<void> remove_all(const path& file) override {
    tell();
    std::lock_guard lock(mutex_);
    if (const NodePointer folder = find(file.parent_path())) folder->entries.erase(file.filename());
    return {};
  }
  core::Result<std::vector<Item>> list(const path& folder) override {
    std::lock_guard lock(mutex_);
    std::vector<Item> items;
    if (const NodePointer node = find(folder))
      for (const auto& [name, child] : node->entries)
        items.push_back({name, child->folder, child->folder ? 0 : child->bytes->size(), 0});
    return items;
  }

 private:
  struct Node;
  using NodePointer = std::shared_ptr<Node>;
  using Entries = std::map<std::string, NodePointer>;
  struct Node {
    bool folder = false;
    Text bytes = std::make_shared<const std::string>();
    Text safe_bytes = bytes;
    Entries entries;
    Entries safe_entries;
  };

  void tell() const {
    if (before_change) before_change();
  }

  static core::Error missing(const path& file) {
    return {core::ErrorCode::not_found, "can't find " + file.filename().string()};
  }

  NodePointer find(const path& file) const {
    NodePointer node = root_;
    for (const path& part : file.lexically_relative(folder_.parent_path())) {
      if (part == ".") continue;
      const auto next = node->entries.find(part);
      if (next == node->entries.end()) return nullptr;
      node = next->second;
    }
    return node;
  }

  static bool holds(const Entries& entries, const NodePointer& child) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const auto& entry) { return entry.second == child; });
  }

  /// No folder below `node` but `keeper` safely holds the child.
  static void forget(Node& node, const NodePointer& child, const NodePointer& keeper) {
    if (&node != keeper.get())
      std::erase_if(node.safe_entries, [&](const auto& entry) { return entry.second == child; });
    for (const auto& [name, next] : node.entries) forget(*next, child, keeper);
  }
  /// Wherever the child is seen below `node`, it is safely.
  static void make_safe(Node& node, const NodePointer& child) {
    for (const auto& [name, next] : node.entries) {
      if (next == child) node.safe_entries[name] = child;
      make_safe(*next, child);
    }
  }

  static Text left_of(const Text& before, const Text& after, Bytes bytes) {
    if (bytes == Bytes::before) return before;
    if (bytes == Bytes::after || before == after) return after;
    const std::size_t shorter = std::min(before->size(), after->size());
    const auto same = static_cast<std::size_t>(
        std::mismatch(before->begin(), before->begin() + static_cast<std::ptrdiff_t>(shorter), after->begin())
            .first -
        before->begin());
    const std::size_t changed = after->size() - same;
    std::string text = after->substr(0, same + (bytes == Bytes::half ? changed / 2 : 0));
    if (bytes == Bytes::zeros) text.resize(after->size(), '\0');
    return std::make_shared<const std::string>(std::move(text));
  }
  static NodePointer left_of(const Node& node, Names names, Bytes bytes) {
    auto left = std::make_shared<Node>();
    left->folder = node.folder;
    left->bytes = left->safe_bytes = left_of(node.safe_bytes, node.bytes, bytes);
    for (const auto& [name, child] : names == Names::before ? node.safe_entries : node.entries)
      left->entries[name] = left_of(*child, names, bytes);
    left->safe_entries = left->entries;
    return left;
  }

  static void gather(const Node& node, const std::string& at, std::map<std::string, std::string>& found) {
    for (const auto& [name, child] : node.entries) {
      if (child->folder) {
        found[at + name + "/"];
        gather(*child, at + name + "/", found);
      } else {
        found[at + name] = *child->bytes;
      }
    }
  }

  mutable std::mutex mutex_;
  const path folder_;
  NodePointer root_ = std::make_shared<Node>();  ///< the folder's parent
};

}  // namespace mlpd::server
