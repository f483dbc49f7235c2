#pragma once

#include <span>
#include <string_view>

namespace mlpd::core {

/// Closed tables (activations, losses, …) are spans of rows with `value` and `name`. These two look a row up.
/// A row drives parsing, the error that lists the allowed names, /v1/capabilities and the gradient check.
template <class Row>
const Row* find_by_name(std::span<const Row> table, std::string_view name) {
  for (const Row& row : table)
    if (row.name == name) return &row;
  return nullptr;
}

/// The name of an enumerator; every enumerator has a row, so this never fails.
template <class Row, class Value>
std::string_view name_of(std::span<const Row> table, Value value) {
  for (const Row& row : table)
    if (row.value == value) return row.name;
  return {};
}

}  // namespace mlpd::core
