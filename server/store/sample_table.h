#pragma once

#include <string>
#include <string_view>

namespace mlpd::server {

/// A table that the program brings along, as CSV with a header and of static storage; its last column is the
/// target.
struct SampleTable {
  std::string name;
  std::string_view csv;
};

}  // namespace mlpd::server
