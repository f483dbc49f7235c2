#include "server/store/file_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <condition_variable>
#include <optional>
#include <utility>

#include "api/model_document.h"

namespace mlpd::server {
namespace {

using std::filesystem::path;

std::string checkpoint_file(CheckpointKey key) {
  return std::to_string(key.step) + "-" + std::to_string(key.sequence) + ".json";
}

core::Error gone(const std::string& name) {
  return {core::ErrorCode::not_found, "there is no network '" + name + "'"};
}

/// Starts something that answers later, and waits for its answer.
core::Result<std::uint64_t> wait_for(const std::function<void(Store::Appended)>& start) {
  std::mutex mutex;
  std::condition_variable ready;
  std::optional<core::Result<std::uint64_t>> result;
  start([&](core::Result<std::uint64_t> got) {
    std::lock_guard lock(mutex);
    result = std::move(got);
    ready.notify_one();
  });
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return result.has_value(); });
  return *std::move(result);
}

}  // namespace

core::Result<std::uint64_t> Store::append(const std::string& name, std::vector<std::string> records) {
  return wait_for([&](Appended done) { append(name, std::move(records), std::move(done)); });
}

core::Result<std::unique_ptr<FileStore>> FileStore::open(const path& folder,
                                                         std::shared_ptr<FileSystem> files, Log log) {
  if (core::Result<void> made = make_folder_durably(*files, folder); !made.ok()) return made.error();
  for (const char* part : {"networks", "data", "temporary", "trash"}) {
    if (core::Result<void> made = make_folder_durably(*files, folder / part); !made.ok()) return made.error();
  }
  const int lock = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) {
    return core::Error{core::ErrorCode::unavailable, "can't open " + (folder / "lock").string()};
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return core::Error{core::ErrorCode::failed_precondition,
                       "another mlpd is using " + folder.string() +
                           "; stop it, or give this one another folder with --data-dir"};
  }
  std::unique_ptr<FileStore> store(new FileStore(folder, std::move(files), std::move(log), lock));
  if (core::Result<void> opened = store->damaged_.open(); !opened.ok()) return opened.error();
  return store;
}

FileStore::FileStore(path folder, std::shared_ptr<FileSystem> files, Log log, int lock)
    : folder_(std::move(folder)),
      files_(std::move(files)),
      damaged_(folder_, files_, std::move(log)),
      lock_(lock),
      committer_(std::make_unique<Committer>(*files_)) {}

FileStore::~FileStore() {
  committer_.reset();
  ::close(lock_);
}

path FileStore::fresh(const char* folder) { return folder_ / folder / std::to_string(++serial_); }

std::shared_ptr<JournalFile> FileStore::journal_of(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = journals_.find(name);
  return found == journals_.end() ? nullptr : found->second;
}

core::Result<void> FileStore::fill(const path& target, const NewNetwork& network) {
  std::vector<std::pair<path, std::string>> documents;
  core::Result<void> done = files_->make_folder(target);
  documents.emplace_back(target / "network.json", api::seal_document(network.identity) + "\n");
  documents.emplace_back(target / "journal.ndjson", "");
  if (network.history)
    documents.emplace_back(target / "history.json", api::seal_document(*network.history) + "\n");
  if (network.checkpoint) {
    const path folder = target / "checkpoints";
    if (done.ok()) done = files_->make_folder(folder);
    documents.emplace_back(folder / checkpoint_file(network.checkpoint->first),
                           api::seal_document(network.checkpoint->second) + "\n");
  }
  for (const auto& [file, text] : documents) {
    if (done.ok()) done = files_->write(file, 0, text);
    if (done.ok() && !text.empty()) done = files_->sync(file);
  }
  if (done.ok() && network.checkpoint) done = files_->sync_folder(target / "checkpoints");
  if (done.ok()) done = files_->sync_folder(target);
  return done;
}

core::Result<void> FileStore::create(const std::string& name, const NewNetwork& network, bool replace) {
  const path target = network_folder(name);
  const bool exists = journal_of(name) != nullptr;
  if (exists && !replace) {
    return core::Error{core::ErrorCode::already_exists, "there is a network '" + name + "' already"};
  }
  const path made = fresh("temporary");
  core::Result<void> done = fill(made, network);
  if (done.ok()) done = exists ? files_->exchange(made, target) : files_->rename(made, target);
  if (!done.ok()) {
    (void)files_->remove_all(made);
    return done;
  }
  done = files_->sync_folder(folder_ / "networks");
  if (!done.ok()) {  // not known to be durable: undo it, so that what is refused is not seen
    if (exists) {
      (void)files_->exchange(made, target);
    } else {
      (void)files_->rename(target, made);
    }
    (void)files_->remove_all(made);
    return done;
  }
  {
    std::lock_guard lock(mutex_);
    journals_[name] = std::make_shared<JournalFile>(JournalFile{target / "journal.ndjson", 0, 0});
  }
  if (exists) (void)files_->remove_all(made);
  return {};
}

core::Result<void> FileStore::remove(const std::string& name) {
  const std::shared_ptr<JournalFile> journal = journal_of(name);
  if (!journal) return gone(name);
  const path trash = fresh("trash");
  core::Result<void> done = files_->rename(network_folder(name), trash);
  if (!done.ok()) return done;
  done = files_->sync_folder(folder_ / "networks");
  if (!done.ok()) {
    (void)files_->rename(trash, network_folder(name));
    return done;
  }
  {
    std::lock_guard lock(mutex_);
    journals_.erase(name);
  }
  (void)files_->remove_all(trash);
  return {};
}

void FileStore::append(const std::string& name, std::vector<std::string> records, Appended done) {
  const std::shared_ptr<JournalFile> journal = journal_of(name);
  if (!journal) return done(gone(name));
  committer_->append(journal, std::move(records), std::move(done));
}

core::Result<std::uint64_t> FileStore::fold(const std::string& name, std::uint64_t through,
                                            std::string record) {
  const std::shared_ptr<JournalFile> journal = journal_of(name);
  if (!journal) return gone(name);
  const path made = fresh("temporary");
  core::Result<void> done = files_->write(made, 0, api::seal_document(numbered(through, record)) + "\n");
  if (done.ok()) done = files_->sync(made);
  core::Result<std::uint64_t> bytes = core::Error{};
  if (done.ok()) {
    bytes = wait_for([&](Appended given) { committer_->fold(journal, through, made, std::move(given)); });
  } else {
    bytes = done.error();
  }
  (void)files_->remove_all(made);
  return bytes;
}

core::Result<std::uint64_t> FileStore::put_checkpoint(const std::string& name, CheckpointKey key,
                                                      std::string text) {
  const path folder = network_folder(name) / "checkpoints";
  const std::string sealed = api::seal_document(text) + "\n";
  core::Result<void> done = files_->make_folder(folder);
  if (done.ok()) done = write_durably(*files_, fresh("temporary"), folder / checkpoint_file(key), sealed);
  if (done.ok()) done = files_->sync_folder(network_folder(name));
  if (!done.ok()) return done.error();
  return static_cast<std::uint64_t>(sealed.size());
}

core::Result<std::string> FileStore::checkpoint(const std::string& name, CheckpointKey key) {
  return read_document(network_folder(name) / "checkpoints" / checkpoint_file(key));
}

core::Result<void> FileStore::remove_checkpoint(const std::string& name, CheckpointKey key) {
  return files_->remove_all(network_folder(name) / "checkpoints" / checkpoint_file(key));
}

core::Result<std::uint64_t> FileStore::put_history(const std::string& name, std::string text) {
  const std::string sealed = api::seal_document(text) + "\n";
  const core::Result<void> done =
      write_durably(*files_, fresh("temporary"), network_folder(name) / "history.json", sealed);
  if (!done.ok()) return done.error();
  return static_cast<std::uint64_t>(sealed.size());
}

core::Result<std::uint64_t> FileStore::add_to_history(const std::string& name, std::uint64_t bytes,
                                                      std::string text) {
  const path file = network_folder(name) / "history.json";
  const std::string sealed = api::seal_document(text) + "\n";
  core::Result<void> done = files_->write(file, bytes, sealed);
  if (done.ok()) done = files_->sync(file);
  if (!done.ok()) return done.error();
  return bytes + sealed.size();
}

core::Result<void> FileStore::put_data(const core::Digest& digest, std::string text) {
  return write_durably(*files_, fresh("temporary"), folder_ / "data" / (digest.hex() + ".json"),
                       api::seal_document(text) + "\n");
}

core::Result<std::string> FileStore::data(const core::Digest& digest) {
  return read_document(folder_ / "data" / (digest.hex() + ".json"));
}

core::Result<void> FileStore::remove_data(const core::Digest& digest) {
  return files_->remove_all(folder_ / "data" / (digest.hex() + ".json"));
}

}  // namespace mlpd::server
