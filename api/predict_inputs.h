#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mlpd::api {

/// How a fast reading of a body went: other = not plain numbers of the right shape; read it again by the slow
/// path, which finds the words for what is wrong.
enum class FastRead { ok, other };

/// The hot path: reads {"inputs": [[…], …]} (rows of `columns` numbers, or one flat list: one row, for one
/// column a row each) straight into `flat`, without a DOM. T is float or double; every number is the T that
/// its decimal means, and finite.
template <class T>
FastRead read_inputs(const std::string& body, std::size_t columns, std::vector<T>& flat);

/// Rows of `columns` numbers as CSV; a first line that isn't numbers is taken as a header. The error names
/// the line.
template <class T>
core::Result<void> read_csv_inputs(std::string_view text, std::size_t columns, std::vector<T>& flat);

}  // namespace mlpd::api
