#pragma once

#include <memory>

#include "api/dataset_service.h"
#include "api/json.h"
#include "api/service.h"

namespace mlpd::api {

/// Rows that a network over a data set keeps out of fitting its preprocessing unless told otherwise.
inline constexpr double kValidationFractionDefault = 0.2;
/// Units of the hidden layer of a network over a data set that names no layers.
inline constexpr std::size_t kHiddenUnitsDefault = 32;

/// The body of POST /v1/networks with `dataset`: the columns are taken with the data set's types, overridden
/// by `preprocess` ({"age": {"type", "scaling", "missing", "unseen"}, "*": {…}}), and fitted to the rows that
/// are neither in `test` ({"fraction": 0}) nor in `validation` ({"fraction": 0.2}), as the seed decides. A
/// last layer with as many units as the target needs (or one for two classes) is the output; otherwise one is
/// added.
core::Result<CreateNetwork> decode_create_over_dataset(const Json& json, DatasetService& datasets,
                                                       const Limits& limits);

/// The two halves of it, for bodies that differ in what the preprocessing does not depend on: its columns as
/// `preprocess`, `validation`, `test` and `seed` fit them, then the network over them.
core::Result<std::shared_ptr<const core::Preprocess>> fit_to_dataset(const Json& json,
                                                                     DatasetService& datasets);
core::Result<CreateNetwork> decode_create_fitted(const Json& json,
                                                 std::shared_ptr<const core::Preprocess> fitted,
                                                 const Limits& limits);

}  // namespace mlpd::api
