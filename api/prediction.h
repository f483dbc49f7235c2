#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/preprocess.h"
#include "core/result.h"
#include "core/snapshot.h"

/// One forward pass over encoded rows, and what its numbers mean as classes. Allocates nothing when warm.
namespace mlpd::api {

/// Most output numbers of one request; past it the client sends its rows in parts.
inline constexpr std::size_t kOutputNumbersMax = 50'000'000;

using SnapshotPointer = std::shared_ptr<const core::Snapshot>;

/// rows × spec().inputs numbers of the network's dtype → rows × outputs, number targets in their own units.
/// invalid_argument past kOutputNumbersMax, and where a row's outputs are not finite; the error names the
/// first such row from 0.
template <class T>
core::Result<void> compute_outputs(const SnapshotPointer& snapshot, std::span<const T> inputs,
                                   std::vector<T>& outputs);

/// The class that a row of a classifier's outputs says.
template <class T>
std::size_t class_of(const T* row, std::size_t outputs) {
  if (outputs == 1) return row[0] >= T{0.5} ? 1 : 0;
  return static_cast<std::size_t>(std::max_element(row, row + outputs) - row);
}

/// Names of the classes; empty where they have indices only. A network of one output and two classes has them
/// in the preprocess alone.
const std::vector<std::string>& labels_of(const core::NetworkSpec& spec, const core::Preprocess* preprocess);

}  // namespace mlpd::api
