#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/dataset.h"
#include "core/digest.h"
#include "core/result.h"
#include "server/jobs/job.h"
#include "server/store/store.h"

namespace mlpd::server {

/// Rows whose text is at most this long travel inside the journal: online learning needs no file a call.
inline constexpr std::size_t kInlineRowsBytes = 16 << 10;

/// Training data, kept once by content for as long as a job of some network refers to it. Thread-safe.
class TrainingData {
 public:
  explicit TrainingData(Store& store) : store_(store) {}

  /// Makes the rows durable for one job and says so in `accepted` (digest; small ones as text). Each success
  /// is followed by one release().
  core::Result<void> keep(const std::shared_ptr<const core::Dataset>& rows, JobAccepted& accepted);
  /// The same for a job that recovery found.
  void keep_again(const JobAccepted& accepted);
  /// The same for one that uses the rows of another job; false where that job's use has ended meanwhile.
  bool keep_also(const JobAccepted& accepted);
  void release(const JobAccepted& accepted);
  core::Result<std::shared_ptr<const core::Dataset>> load(const JobAccepted& accepted);
  /// Removes what no job refers to; after recovery.
  void remove_unused();

 private:
  struct Kept {
    std::size_t uses = 0;
    bool stored = false;  ///< false also once its file was found damaged
    std::weak_ptr<const core::Dataset> rows;
  };

  /// Small rows of the newest jobs stay at hand: a job that begins at once need not read their text.
  static constexpr std::size_t kRecentMax = 16;

  Store& store_;
  std::mutex mutex_;  ///< held while the store writes, so that nothing is removed while it is wanted
  std::unordered_map<std::string, Kept> kept_;  ///< by hexadecimal digest
  std::mutex recent_mutex_;
  std::deque<std::pair<core::Digest, std::shared_ptr<const core::Dataset>>> recent_;
};

}  // namespace mlpd::server
