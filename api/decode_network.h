#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/json_reader.h"
#include "api/service.h"
#include "core/network_spec.h"

namespace mlpd::api {

/// Bounds of labels: their number, and bytes of one key or value.
inline constexpr std::size_t kLabelsMax = 64;
inline constexpr std::size_t kLabelBytesMax = 256;
/// Bytes of an input name or class label.
inline constexpr std::size_t kColumnNameBytesMax = 256;

/// `[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?`
bool is_valid_name(std::string_view name);
/// The sentence that says so.
std::string name_rule();
/// The same, and not a number, which would be taken for a version's.
bool is_valid_alias(std::string_view alias);
std::string alias_rule();

/// Reads the fields of a spec and completes it by api.md's defaults. Asks for all of its fields, but does not
/// finish(). Faults of type only: core::validate checks ranges and shapes.
core::NetworkSpec decode_spec(ObjectReader& body);

/// Sections optimizer, schedule, regularization, gradient_clip; an absent one is as in `present`. Within a
/// section absent fields take the defaults of its type.
core::HyperParameters decode_hyper_parameters(ObjectReader& body, const core::HyperParameters& present);

/// The body of POST /v1/networks, checked in full. The error holds all faults.
core::Result<CreateNetwork> decode_create(const Json& json, const core::NetworkLimits& limits);

/// The body of PATCH merged (RFC 7396) onto what a network has: labels, ttl_s and hyper-parameters. A section
/// whose "type" changes starts from the defaults of the new type.
core::Result<PatchNetwork> decode_patch(const Json& json, const NetworkView& current);

/// The hyper-parameter sections of a train body, merged as PATCH merges; nullopt where it has none.
std::optional<core::HyperParameters> decode_changed_hyper_parameters(ObjectReader& body,
                                                                     const core::HyperParameters& present);

Labels decode_labels(const Json& json, const std::string& pointer, Faults& faults);

}  // namespace mlpd::api
