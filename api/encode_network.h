#pragma once

#include "api/http_message.h"
#include "api/json_writer.h"
#include "api/service.h"
#include "core/network_spec.h"

namespace mlpd::api {

/// Whether a written spec carries its given start numbers (they are history in a network's view).
enum class StartNumbers { leave_out, include };

/// The fields of a spec as POST /v1/networks takes them, all defaults written out, into an open object.
void write_spec_fields(JsonWriter& out, const core::NetworkSpec& spec, StartNumbers start_numbers);
/// Sections optimizer, schedule, regularization, gradient_clip into an open object.
void write_hyper_parameter_fields(JsonWriter& out, const core::HyperParameters& hyper_parameters);
/// A network as GET /v1/networks/{n} shows it.
void write_network(JsonWriter& out, const NetworkView& network);
/// The answer that shows a network, with its entity tag.
Response network_response(const NetworkView& network, int status = 200);
/// What a dry run of a create answers.
void write_network_preview(JsonWriter& out, const CreateNetwork& request);
void write_labels(JsonWriter& out, const Labels& labels);

}  // namespace mlpd::api
