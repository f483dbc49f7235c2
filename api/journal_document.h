#pragma once

#include <string>
#include <string_view>

#include "api/service.h"
#include "core/dataset.h"
#include "core/network_spec.h"
#include "core/trainer.h"

/// JSON text of everything else that the store and its journal keep: one line each, without a line break.
/// read_x(write_x(v)) gives v back bit for bit. A sealed text (api/model_document.h) is accepted too. Reading
/// fails with invalid_argument and pointers. Pure, safe from any thread.
namespace mlpd::api {

/// The spec as POST /v1/networks takes it, all defaults written out; start weights included.
std::string write_spec(const core::NetworkSpec& spec);
core::Result<core::NetworkSpec> read_spec(std::string_view text);

std::string write_hyper_parameters(const core::HyperParameters& hyper_parameters);
core::Result<core::HyperParameters> read_hyper_parameters(std::string_view text);

/// Everything of a train request but rows given in the body: where `data` holds a Dataset, "data" is left out
/// and comes back as nullopt (keep the rows once by content, with write_dataset, and their digest beside).
/// The idempotency key is not written either.
std::string write_train_request(const TrainRequest& request);
core::Result<TrainRequest> read_train_request(std::string_view text);

/// Rows as arrays of numbers, base64 above kReadableNumbersMax; class labels included.
std::string write_dataset(const core::Dataset& dataset);
core::Result<core::Dataset> read_dataset(std::string_view text);

/// A job's record, error and confusion matrix included.
std::string write_job(const JobView& job);
core::Result<JobView> read_job(std::string_view text);

/// Where a job cut off in the middle goes on; best parameters always in base64.
std::string write_progress(const core::TrainingProgress& progress);
core::Result<core::TrainingProgress> read_progress(std::string_view text);

/// Records of a history with its stride state.
std::string write_history(const core::History::State& history);
core::Result<core::History::State> read_history(std::string_view text);

/// A list of strings.
std::string write_class_labels(const std::vector<std::string>& labels);
core::Result<std::vector<std::string>> read_class_labels(std::string_view text);

/// A flat object of strings.
std::string write_labels(const Labels& labels);
core::Result<Labels> read_labels(std::string_view text);

}  // namespace mlpd::api
