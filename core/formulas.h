#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/network.h"
#include "core/network_spec.h"

namespace mlpd::core {

/// What a trace says beside each matrix of a brick: name of the matrix → its formula as plain text (N rows, K
/// outputs, y targets, · matrix product, ∘ elementwise product). `last` is the network's last brick; `fused`
/// where its dloss_dz comes straight from the loss.
std::vector<std::pair<std::string, std::string>> layer_formulas(const Brick& brick, const NetworkSpec& spec,
                                                                bool last, bool fused);

}  // namespace mlpd::core
