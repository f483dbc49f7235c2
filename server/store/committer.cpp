#include "server/store/committer.h"

#include <string_view>
#include <utility>

#include "api/model_document.h"

namespace mlpd::server {

/// What one round writes to one journal.
struct Committer::Round {
  std::shared_ptr<JournalFile> journal;
  std::vector<Request*> requests;
  std::vector<std::uint64_t> last_sequences;  ///< of each request
  std::string text;
  core::Result<void> result;
};

Committer::Committer(FileSystem& files) : files_(files), thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void Committer::append(std::shared_ptr<JournalFile> journal, std::vector<std::string> records,
                       Store::Appended done) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(journal), std::move(records), std::move(done)});
  }
  arrived_.notify_one();
}

void Committer::fold(std::shared_ptr<JournalFile> journal, std::uint64_t through, std::filesystem::path made,
                     Store::Appended done) {
  {
    std::lock_guard lock(mutex_);
    folds_.push_back({std::move(journal), through, std::move(made), std::move(done)});
  }
  arrived_.notify_one();
}

void Committer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty() || !folds_.empty(); });
    if (waiting_.empty() && folds_.empty()) return;
    std::vector<Request> requests = std::exchange(waiting_, {});
    const std::vector<Fold> folds = std::exchange(folds_, {});
    lock.unlock();
    if (!requests.empty()) commit(std::move(requests));
    for (const Fold& fold : folds) fold.done(replace(fold));
    lock.lock();
  }
}

core::Result<std::uint64_t> Committer::replace(const Fold& fold) {
  JournalFile& journal = *fold.journal;
  core::Result<std::string> old = files_.read_part(journal.path, 0, journal.bytes);
  if (!old.ok()) return old.error();
  std::size_t tail = old->size();  // where the first record behind `through` begins
  for (std::uint64_t behind = fold.through; behind < journal.sequence && tail > 0; ++behind) {
    const std::size_t end_of_former = tail < 2 ? std::string::npos : old->rfind('\n', tail - 2);
    tail = end_of_former == std::string::npos ? 0 : end_of_former + 1;
  }
  core::Result<std::string> made = files_.read(fold.made);
  if (!made.ok()) return made.error();
  core::Result<void> done;
  if (tail < old->size()) {
    done = files_.write(fold.made, made->size(), std::string_view(*old).substr(tail));
    if (done.ok()) done = files_.sync(fold.made);
  }
  if (done.ok()) done = files_.exchange(fold.made, journal.path);
  if (!done.ok()) return done.error();
  done = files_.sync_folder(journal.path.parent_path());
  if (!done.ok()) {  // not known to be durable, and further records must not go where a crash loses them
    (void)files_.exchange(fold.made, journal.path);
    return done.error();
  }
  journal.bytes = made->size() + old->size() - tail;
  return journal.bytes;
}

void Committer::commit(std::vector<Request> requests) {
  std::vector<Round> rounds;
  for (Request& request : requests) {
    Round* round = nullptr;
    for (Round& known : rounds)
      if (known.journal == request.journal) round = &known;
    if (round == nullptr) round = &rounds.emplace_back(Round{request.journal, {}, {}, {}, {}});
    std::uint64_t sequence =
        round->last_sequences.empty() ? round->journal->sequence : round->last_sequences.back();
    for (const std::string& record : request.records) {
      round->text += api::seal_document(numbered(++sequence, record));
      round->text += '\n';
    }
    round->requests.push_back(&request);
    round->last_sequences.push_back(sequence);
  }
  for (Round& round : rounds)
    round.result = files_.write(round.journal->path, round.journal->bytes, round.text);
  for (Round& round : rounds) {
    if (round.result.ok()) round.result = files_.sync(round.journal->path);
    if (!round.result.ok()) {
      // Best effort: should this fail too, the next write cuts the file at the durable length.
      (void)files_.truncate(round.journal->path, round.journal->bytes);
      (void)files_.sync(round.journal->path);
    } else {
      round.journal->bytes += round.text.size();
      ++commits_;
      committed_bytes_ += round.text.size();
      round.journal->sequence = round.last_sequences.back();
    }
    for (std::size_t i = 0; i < round.requests.size(); ++i) {
      if (round.result.ok()) {
        round.requests[i]->done(round.last_sequences[i]);
      } else {
        round.requests[i]->done(round.result.error());
      }
    }
  }
}

}  // namespace mlpd::server
