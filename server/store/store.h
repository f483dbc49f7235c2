#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/digest.h"
#include "core/result.h"

/// Where networks live: an identity, a journal, checkpoints, a history for each, and training data by
/// content. The store knows texts (JSON objects without a line break), not what they say. Whatever returns
/// success is on the disk; whatever fails changed nothing. Thread-safe; calls for one network that change the
/// same thing come one after the other.
namespace mlpd::server {

/// A checkpoint holds the state at `step` with all journal records up to `sequence` applied.
struct CheckpointKey {
  std::uint64_t step = 0;
  std::uint64_t sequence = 0;
  auto operator<=>(const CheckpointKey&) const = default;
};

/// What a stored text takes beyond itself: its checksum and its line break.
inline constexpr std::uint64_t kSealedBytes = 86;

struct StoredCheckpoint {
  CheckpointKey key;
  std::uint64_t bytes = 0;
  std::int64_t created_ms = 0;  ///< since the Unix epoch
};

/// One network as recovery found it.
struct StoredNetwork {
  std::string name;
  std::string identity;
  std::uint64_t first_sequence = 1;           ///< of journal's first record; above 1 it is a folded one
  std::vector<std::string> journal;           ///< in order, without a gap
  std::vector<StoredCheckpoint> checkpoints;  ///< ascending
};

/// What a network starts with.
struct NewNetwork {
  std::string identity;
  std::optional<std::pair<CheckpointKey, std::string>> checkpoint;
  std::optional<std::string> history;
};

class Store {
 public:
  virtual ~Store() = default;

  /// Called once, before everything else: what is whole is handed to `each`, what is damaged is set aside.
  virtual core::Result<void> recover(const std::function<void(StoredNetwork)>& each) = 0;
  /// Sets a whole network aside: what it says makes no sense.
  virtual void quarantine(const std::string& name, const std::string& reason) = 0;
  /// Files set aside, each with the reason.
  virtual std::vector<std::string> quarantined() const = 0;

  /// already_exists where the name is taken and `replace` is false; otherwise the old one is gone in the same
  /// instant.
  virtual core::Result<void> create(const std::string& name, const NewNetwork& network, bool replace) = 0;
  virtual core::Result<void> remove(const std::string& name) = 0;

  /// Called with the last record's sequence number once all are durable, or with the reason why none is.
  /// Calls come from one thread, for each network in the order of its records; they must be short.
  using Appended = std::function<void(core::Result<std::uint64_t>)>;
  /// Appends all records or none; group commit. Returns at once.
  virtual void append(const std::string& name, std::vector<std::string> records, Appended done) = 0;
  /// The same, waiting.
  core::Result<std::uint64_t> append(const std::string& name, std::vector<std::string> records);

  /// Puts one record in the place of all up to `through`, whose number it takes; what was appended since
  /// stays behind it. Waits; returns the bytes that the journal takes now.
  virtual core::Result<std::uint64_t> fold(const std::string& name, std::uint64_t through,
                                           std::string record) = 0;

  /// Returns the bytes it takes.
  virtual core::Result<std::uint64_t> put_checkpoint(const std::string& name, CheckpointKey key,
                                                     std::string text) = 0;
  /// A damaged one is set aside and `corrupted`.
  virtual core::Result<std::string> checkpoint(const std::string& name, CheckpointKey key) = 0;
  virtual core::Result<void> remove_checkpoint(const std::string& name, CheckpointKey key) = 0;

  /// A history is one text, and what was added to it. Both return the bytes that it takes now; what lies
  /// behind the `bytes` that it took before, left by an addition that failed, is overwritten.
  virtual core::Result<std::uint64_t> put_history(const std::string& name, std::string text) = 0;
  virtual core::Result<std::uint64_t> add_to_history(const std::string& name, std::uint64_t bytes,
                                                     std::string text) = 0;
  /// Text and additions, without a last one that a crash cut off. not_found where there is none; a damaged
  /// one is set aside and `corrupted`.
  virtual core::Result<std::vector<std::string>> history(const std::string& name) = 0;

  virtual core::Result<void> put_data(const core::Digest& digest, std::string text) = 0;
  virtual core::Result<std::string> data(const core::Digest& digest) = 0;
  virtual core::Result<void> remove_data(const core::Digest& digest) = 0;
  virtual core::Result<std::vector<core::Digest>> list_data() = 0;

  /// Journal writes made durable since it was opened.
  struct Commits {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
  };
  virtual Commits commits() const = 0;
  /// Bytes on the disk: of everything, and of one network without its checkpoints and training data.
  virtual std::uint64_t bytes() const = 0;
  virtual std::uint64_t bytes(const std::string& name) const = 0;
};

}  // namespace mlpd::server
