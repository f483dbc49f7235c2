#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/digest.h"
#include "core/network_spec.h"
#include "core/number_array.h"
#include "core/preprocess.h"

namespace mlpd::core {

/// Where the next batch comes from. Data with the same digest, batch size and shuffle go on mid-epoch;
/// anything else begins a new epoch. A shuffled epoch's order is a function of (seed, epoch), so it is not
/// state.
struct Cursor {
  std::optional<Digest> data;    ///< none before the first training
  std::uint64_t batch_size = 0;  ///< rows; 0 = the whole set
  bool shuffle = false;
  std::uint64_t epoch = 0;  ///< epochs begun since creation
  std::uint64_t row = 0;    ///< rows of the current epoch already used
  bool operator==(const Cursor&) const = default;
};

/// A named block of state of an optimizer, brick or average ("adam.m", "batch_norm.3.running_mean", "ema").
struct NamedArray {
  std::string name;
  NumberArray values;
  bool operator==(const NamedArray&) const = default;
};

/// A named scalar of the same ("adam.t", "plateau.factor", "auto.choice").
struct NamedNumber {
  std::string name;
  double value = 0;
  bool operator==(const NamedNumber&) const = default;
};

/// The whole training state as one value: restore(checkpoint()) continues bit for bit.
struct Checkpoint {
  NetworkSpec spec;                  ///< with the hyper-parameters in force
  std::uint64_t step = 0;            ///< updates done since creation
  NumberArray parameters;            ///< spec order: per brick weights (row-major inputs × units), then bias
  std::vector<NamedNumber> numbers;  ///< optimizer's, schedule's and solver's scalars, by name
  std::vector<NamedArray> arrays;    ///< optimizer's, brick's and averages' arrays, by name
  Cursor cursor;
  std::shared_ptr<const Preprocess> preprocess;  ///< null where the network takes plain numbers
};

/// SHA-256 of everything above, spec included (its start_weights and start_bias left out: they are history),
/// and nothing else. Two states are "the same" exactly when this digest is. Shown as `state_sha256`.
Digest state_digest(const Checkpoint& checkpoint);

}  // namespace mlpd::core
