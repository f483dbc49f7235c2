#pragma once

#include <cstdint>
#include <memory>

#include "core/matrix.h"
#include "core/network.h"
#include "core/preprocess.h"
#include "core/snapshot.h"

namespace mlpd::core {

/// A Snapshot with its own copy of these parameters and running statistics.
template <class T>
std::shared_ptr<const Snapshot> make_snapshot(std::shared_ptr<const Network> network, NetworkSpec spec,
                                              std::uint64_t step,
                                              std::shared_ptr<const Preprocess> preprocess,
                                              const AlignedBuffer<T>& parameters,
                                              const AlignedBuffer<T>& running);

}  // namespace mlpd::core
