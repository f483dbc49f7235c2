#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/decode_network.h"
#include "api/json_reader.h"
#include "api/service.h"
#include "core/table_profile.h"

namespace mlpd::api {

/// Reads `data` ({"inputs", "targets"} or {"generator", …}) or `dataset` (a name) for a network's shape. With
/// one output a flat list of targets is the values; otherwise it holds class indices or labels (one-hot is
/// made) and rows hold numbers. Where the network has no labels yet, those of the rows, sorted, are its
/// classes in this order: one for each output. A flat list of inputs is one row, except for a one-input
/// network. nullopt where neither is there, or with faults.
std::optional<DataSource> decode_data_source(ObjectReader& body, const core::NetworkSpec& spec);

/// Fields generator, rows, noise, seed and classes; nullopt where no known generator is named. Does not
/// finish().
std::optional<core::GeneratorOptions> decode_generator(ObjectReader& data);

/// The body of POST …/train, checked in full; the error holds all faults. `network` gives shapes and present
/// hyper-parameters.
core::Result<TrainRequest> decode_train(const Json& json, const NetworkView& network, const Limits& limits);

/// The body of evaluate and trace: {"data": …} or {"dataset": …, "part": "test"}; evaluate alone takes
/// importance.
struct DataBody {
  std::optional<DataSource> source;  ///< nullopt = the data used before
  std::optional<core::Part> part;    ///< of a stored data set
  std::optional<bool> importance;    ///< nullopt = where it is cheap
};
core::Result<DataBody> decode_data_body(const Json& json, const core::NetworkSpec& spec, bool evaluates);

}  // namespace mlpd::api
