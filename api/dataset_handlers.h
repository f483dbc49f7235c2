#pragma once

#include "api/routes.h"

namespace mlpd::api {

Response create_dataset(const Call& call);
Response list_datasets(const Call& call);
Response read_dataset(const Call& call);
Response read_dataset_rows(const Call& call);
Response delete_dataset(const Call& call);

}  // namespace mlpd::api
