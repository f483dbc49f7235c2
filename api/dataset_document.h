#pragma once

#include <optional>

#include "api/dataset_service.h"
#include "api/json_reader.h"
#include "api/json_writer.h"

namespace mlpd::api {

/// A data set's fields into an open object, as HTTP shows and the store keeps them.
void write_dataset_fields(JsonWriter& out, const DatasetView& dataset);
/// What write_dataset_fields wrote; faults are added where a field is wrong. Does not finish().
DatasetView read_dataset_fields(ObjectReader& body);

/// A raw cell: number, string or null.
void write_cell(JsonWriter& out, const core::Cell& cell);

}  // namespace mlpd::api
