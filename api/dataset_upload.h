#pragma once

#include "api/dataset_service.h"
#include "api/problem.h"
#include "api/routes.h"

namespace mlpd::api {

/// What became of the body of POST /v1/datasets: a data set, or the answer that refuses it.
struct Uploaded {
  std::optional<DatasetView> dataset;
  Response refused;
};

/// Reads the body as its content type says (a form's type, which curl sends by default, means: look at the
/// first character), row by row into a new data set. CSV and NDJSON stream; a JSON body is held whole, within
/// body_bytes_max.
Uploaded upload_dataset(const Call& call);

}  // namespace mlpd::api
