#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "api/json_reader.h"
#include "api/search_plan.h"

namespace mlpd::api {

/// Points of a range in a grid that gives none, and the most.
inline constexpr std::size_t kRangePointsDefault = 5;
inline constexpr std::size_t kRangePointsMax = 1'000;

/// {"network": {POINTER: VALUES}, "train": {…}}: VALUES is a list of any JSON values, or a range {"from",
/// "to", "scale": "linear" or "log", "whole": true, "points": 5 (of a grid)}. Each pointer must lead
/// somewhere in its base body; missing objects on the way are fine.
std::vector<SearchField> decode_space(const Json& space, const std::string& pointer, const Json& network,
                                      const Json& train, bool grid, Faults& faults);

struct Candidates {
  std::vector<std::vector<Json>> candidates;
  std::size_t left_out = 0;  ///< of the grid, by the limit
};
/// All combinations, the last field changing fastest; the first `most`.
Candidates grid_candidates(const std::vector<SearchField>& fields, std::size_t most);
/// Up to `most` different ones, each value drawn uniformly; fewer where a finite space has no more. Drawn
/// numbers have six digits. The same seed draws the same.
Candidates random_candidates(const std::vector<SearchField>& fields, std::size_t most, std::uint64_t seed);

/// Puts a value where an RFC 6901 pointer says, making missing objects on the way. False where the way leads
/// through something that is no object, or past the end of a list.
bool set_at(Json& body, std::string_view pointer, const Json& value);

/// Where in the search's body a field's value stands: "#/space/network/~1layers~10~1units/2".
std::string space_pointer(const SearchField& field, const Json& value);

}  // namespace mlpd::api
