#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/dataset_service.h"
#include "api/json.h"
#include "api/json_writer.h"
#include "api/service.h"
#include "core/result.h"

namespace mlpd::api {

/// Networks that a random search tries unless told otherwise.
inline constexpr std::size_t kRandomNetworksDefault = 20;
/// Fields that one search may vary.
inline constexpr std::size_t kSearchFieldsMax = 16;
/// Bytes of a search's definition.
inline constexpr std::size_t kSearchBytesMax = 1u << 20;

/// Which of the tried networks stay.
enum class SearchKeep { winner, all };

/// One field that a search varies: a JSON pointer (RFC 6901) into the body of create or train.
struct SearchField {
  bool of_train = false;
  std::string pointer;       ///< "/layers/0/units"
  std::vector<Json> values;  ///< those to choose from; with a range, its points in a grid
  bool range = false;        ///< from … to, both included
  double from = 0, to = 0;
  bool log = false;    ///< even in the logarithm
  bool whole = false;  ///< whole numbers alone
};

/// A search's definition, and what follows from it alone: the candidates in their order.
struct SearchPlan {
  std::string name;
  std::string dataset;
  bool grid = true;
  std::uint64_t seed = 0;
  std::size_t max_networks = 0;
  std::optional<double> max_seconds;
  std::string metric;  ///< one of core::judged_metrics()
  SearchKeep keep = SearchKeep::winner;
  Json network;  ///< body of POST /v1/networks without name and dataset
  Json train;    ///< body of POST …/train without dataset
  std::vector<SearchField> fields;
  std::vector<std::vector<Json>> candidates;  ///< a value of each field
  Json definition;                            ///< the body that decode_search read, name included
};

/// The shape of a search's body: everything but the candidates' specs. `new_name` is used where it gives
/// none. The error holds all faults. Reads what it accepted before to the same plan again.
core::Result<SearchPlan> decode_search(const Json& json, const std::string& new_name, const Limits& limits);

/// What one candidate comes to: its network, named after the search, and its training.
struct SearchCandidate {
  CreateNetwork network;
  TrainRequest train;
};
core::Result<SearchCandidate> make_candidate(const SearchPlan& plan, std::size_t index,
                                             DatasetService& datasets, const Limits& limits);

/// Makes every candidate. Faults point at the value of the space that is to blame, else at the base spec;
/// each is told once.
core::Result<void> check_candidates(const SearchPlan& plan, DatasetService& datasets, const Limits& limits);

/// "wine-1-07": the search's name and the candidate's index, all with equally many digits.
std::string candidate_name(const SearchPlan& plan, std::size_t index);

/// {"network": {"/layers/0/units": 8}, "train": {"/batch_size": 16}}
void write_candidate_values(JsonWriter& out, const SearchPlan& plan, std::size_t index);

/// Any JSON value, compact.
void write_json(JsonWriter& out, const Json& json);

}  // namespace mlpd::api
