#include <algorithm>
#include <charconv>
#include <utility>

#include "api/model_document.h"
#include "server/store/file_store.h"

namespace mlpd::server {
namespace {

using std::filesystem::path;

core::Error corrupted(std::string message) { return {core::ErrorCode::corrupted, std::move(message)}; }

/// The object without its checksum.
core::Result<std::string> unseal(std::string_view text) {
  if (core::Result<void> sealed = api::check_seal(text); !sealed.ok()) return sealed.error();
  while (text.ends_with('\n')) text.remove_suffix(1);
  return "{" + std::string(text.substr(text.find(',') + 1));
}

template <class Number>
bool parse_whole(std::string_view text, Number& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size();
}

/// The number of a journal's first record: above 1 where it was folded. 1 where it can't be read.
std::uint64_t first_sequence(std::string_view journal) {
  constexpr std::string_view kField = "\"sequence\":";
  const std::string_view head = journal.substr(0, 200);
  const std::size_t at = head.find(kField);
  std::uint64_t sequence = 0;
  if (at == std::string_view::npos) return 1;
  const std::string_view digits = head.substr(at + kField.size());
  (void)std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
  return std::max<std::uint64_t>(sequence, 1);
}

std::uint64_t bytes_below(const path& folder) {
  std::uint64_t sum = 0;
  std::error_code code;
  for (auto it = std::filesystem::recursive_directory_iterator(folder, code);
       !code && it != std::filesystem::recursive_directory_iterator(); it.increment(code)) {
    std::error_code file_code;
    const std::uintmax_t size = it->file_size(file_code);
    if (!file_code) sum += size;
  }
  return sum;
}

/// Names that the store itself can have made; anything else in networks/ is set aside.
bool plausible_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && name.front() != '.' && name.front() != '-' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string_view::npos;
}

}  // namespace

core::Result<void> FileStore::recover(const std::function<void(StoredNetwork)>& each) {
  for (const char* part : {"temporary", "trash"}) {
    core::Result<std::vector<FileSystem::Item>> items = files_->list(folder_ / part);
    if (!items.ok()) return items.error();
    for (const FileSystem::Item& item : *items) (void)files_->remove_all(folder_ / part / item.name);
  }
  core::Result<std::vector<FileSystem::Item>> items = files_->list(folder_ / "networks");
  if (!items.ok()) return items.error();
  for (const FileSystem::Item& item : *items) {
    const path folder = folder_ / "networks" / item.name;
    if (!item.folder || !plausible_name(item.name)) {
      damaged_.set_aside(folder, "this is not a network");
      continue;
    }
    core::Result<StoredNetwork> network = read_network(item.name);
    if (network.ok()) {
      each(*std::move(network));
    } else if (network.error().code == core::ErrorCode::corrupted ||
               network.error().code == core::ErrorCode::not_found) {
      quarantine(item.name, network.error().message);
    } else {  // the disk can't be read now: that says nothing about the network
      return network.error();
    }
  }
  return {};
}

core::Result<StoredNetwork> FileStore::read_network(const std::string& name) {
  StoredNetwork network;
  network.name = name;
  core::Result<std::string> identity = files_->read(network_folder(name) / "network.json");
  if (identity.ok()) identity = unseal(*identity);
  if (!identity.ok()) return core::Error{identity.error().code, "network.json: " + identity.error().message};
  network.identity = *std::move(identity);
  if (core::Result<void> journal = read_journal(network); !journal.ok()) return journal.error();
  const std::uint64_t last_sequence = network.first_sequence + network.journal.size() - 1;
  core::Result<std::vector<StoredCheckpoint>> checkpoints = list_checkpoints(name);
  if (!checkpoints.ok()) return checkpoints.error();
  network.checkpoints = *std::move(checkpoints);
  for (const StoredCheckpoint& checkpoint : network.checkpoints) {
    if (checkpoint.key.sequence > last_sequence) {
      return corrupted("journal.ndjson ends at record " + std::to_string(last_sequence) +
                       " but a checkpoint was taken after record " + std::to_string(checkpoint.key.sequence));
    }
  }
  return network;
}

core::Result<void> FileStore::read_journal(StoredNetwork& network) {
  const path file = network_folder(network.name) / "journal.ndjson";
  core::Result<std::string> text = files_->read(file);
  if (!text.ok()) return text.error();
  std::vector<std::string>& records = network.journal;
  network.first_sequence = first_sequence(*text);
  std::uint64_t sequence = network.first_sequence;
  std::size_t at = 0;
  while (at < text->size()) {
    std::size_t end = text->find('\n', at);
    std::string_view line = std::string_view(*text).substr(at, end - at);
    const std::string expected = "{\"sequence\":" + std::to_string(sequence) + ",";
    core::Result<std::string> record = unseal(line);
    if (end == std::string::npos) {  // no line break: cut off by a crash, or the break itself is damaged
      if (!record.ok()) record = unseal(line.substr(0, line.size() - 1));
      if (!record.ok() && sequence == network.first_sequence && sequence > 1) {
        return corrupted("journal.ndjson: the folded record, which no crash cuts off, is damaged");
      }
      end = record.ok() ? text->rfind('}') + 1 : at;
      core::Result<void> mended = record.ok() ? files_->write(file, end, "\n") : files_->truncate(file, at);
      if (mended.ok()) mended = files_->sync(file);
      if (!mended.ok()) return mended.error();
      if (!record.ok()) break;
    }
    if (!record.ok() || !record->starts_with(expected)) {
      return corrupted("journal.ndjson, line " + std::to_string(records.size() + 1) + ": " +
                       (record.ok() ? "the sequence of records has a gap" : record.error().message));
    }
    records.push_back("{" + record->substr(expected.size()));
    ++sequence;
    at = end + 1;
  }
  std::lock_guard lock(mutex_);
  journals_[network.name] = std::make_shared<JournalFile>(JournalFile{file, sequence - 1, at});
  return {};
}

core::Result<std::vector<StoredCheckpoint>> FileStore::list_checkpoints(const std::string& name) {
  core::Result<std::vector<FileSystem::Item>> items = files_->list(network_folder(name) / "checkpoints");
  if (!items.ok()) return items.error();
  std::vector<StoredCheckpoint> checkpoints;
  for (const FileSystem::Item& item : *items) {
    std::string_view stem = item.name;
    const std::size_t dash = stem.find('-');
    CheckpointKey key;
    if (!stem.ends_with(".json") || dash == std::string_view::npos ||
        !parse_whole(stem.substr(0, dash), key.step) ||
        !parse_whole(stem.substr(dash + 1, stem.size() - dash - 6), key.sequence)) {
      damaged_.set_aside(network_folder(name) / "checkpoints" / item.name, "this is not a checkpoint");
      continue;
    }
    checkpoints.push_back({key, item.bytes, item.modified_ms});
  }
  std::sort(checkpoints.begin(), checkpoints.end(),
            [](const StoredCheckpoint& a, const StoredCheckpoint& b) { return a.key < b.key; });
  return checkpoints;
}

core::Result<std::string> FileStore::read_document(const path& file) {
  core::Result<std::string> text = files_->read(file);
  if (!text.ok()) return text;
  core::Result<std::string> document = unseal(*text);
  if (!document.ok()) {
    damaged_.set_aside(file, document.error().message);
    return corrupted(file.lexically_relative(folder_).generic_string() + ": " + document.error().message);
  }
  return document;
}

core::Result<std::vector<std::string>> FileStore::history(const std::string& name) {
  const path file = network_folder(name) / "history.json";
  const core::Result<std::string> text = files_->read(file);
  if (!text.ok()) return text.error();
  std::vector<std::string> documents;
  for (std::string_view rest = *text; documents.empty() || !rest.empty();) {
    const std::size_t end = rest.find('\n');
    core::Result<std::string> document = unseal(rest.substr(0, end));
    const bool whole = end != std::string_view::npos;
    if (!document.ok() && (whole || documents.empty())) {
      damaged_.set_aside(file, document.error().message);
      return corrupted(file.lexically_relative(folder_).generic_string() + ": " + document.error().message);
    }
    if (document.ok()) documents.push_back(*std::move(document));
    rest.remove_prefix(whole ? end + 1 : rest.size());
  }
  return documents;
}

void FileStore::quarantine(const std::string& name, const std::string& reason) {
  {
    std::lock_guard lock(mutex_);
    journals_.erase(name);
  }
  damaged_.set_aside(network_folder(name), reason);
}

core::Result<std::vector<core::Digest>> FileStore::list_data() {
  core::Result<std::vector<FileSystem::Item>> items = files_->list(folder_ / "data");
  if (!items.ok()) return items.error();
  std::vector<core::Digest> digests;
  for (const FileSystem::Item& item : *items) {
    core::Digest digest;
    bool good = item.name.size() == 69 && item.name.ends_with(".json");
    for (std::size_t i = 0; good && i < 32; ++i) {
      const char* digits = item.name.data() + 2 * i;
      good = std::from_chars(digits, digits + 2, digest.bytes[i], 16).ptr == digits + 2;
    }
    if (good) digests.push_back(digest);
  }
  return digests;
}

std::uint64_t FileStore::bytes() const { return bytes_below(folder_); }

std::uint64_t FileStore::bytes(const std::string& name) const {
  std::uint64_t sum = 0;
  if (const core::Result<std::vector<FileSystem::Item>> items = files_->list(network_folder(name));
      items.ok())
    for (const FileSystem::Item& item : *items) sum += item.bytes;
  return sum;
}

}  // namespace mlpd::server
