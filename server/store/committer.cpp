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

void Committer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::vector<Request> requests = std::exchange(waiting_, {});
    lock.unlock();
    commit(std::move(requests));
    lock.lock();
  }
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
      round->text +=
          api::seal_document("{\"sequence\":" + std::to_string(++sequence) + "," + record.substr(1));
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
