#pragma once

#include <span>
#include <string_view>

namespace mlpd::core {

/// The known name that a misspelt one most likely means: the nearest by edit distance (insert, delete,
/// replace, swap of neighbours, each 1), the earlier one of equals. Empty where none is near: more than a
/// third of the longer name's characters differ (at least one is always allowed to). Names past 64 characters
/// match nothing.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

}  // namespace mlpd::core
