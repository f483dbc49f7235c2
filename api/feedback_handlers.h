#pragma once

#include <vector>

#include "api/feedback_service.h"
#include "api/json_writer.h"
#include "api/routes.h"

namespace mlpd::api {

/// PUT / GET / DELETE …/shadow and POST …/feedback. They need services.feedback.
std::vector<Route> feedback_routes();

/// `rows`, and `accuracy` or `mean_absolute_error` where there are rows.
void write_score(JsonWriter& out, const Score& score);

/// FeedbackService::keep, where there is one; a fault of the parameter where an id was asked for and can't be
/// given.
core::Result<std::string> keep_prediction(const Call& call, const AnsweredPrediction& prediction, bool asked);

}  // namespace mlpd::api
