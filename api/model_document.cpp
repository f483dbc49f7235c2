#include "api/model_document.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "api/decode_network.h"
#include "api/encode_network.h"
#include "api/history_document.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/number_block.h"
#include "api/preprocess_document.h"
#include "core/digest.h"

namespace mlpd::api {
namespace {

constexpr std::string_view kFormat = "mlpd-model";
constexpr std::string_view kSealLead = "{\"checksum\":\"sha256:";
constexpr std::size_t kHexDigits = 64;

core::Error corrupted(std::string message) { return {core::ErrorCode::corrupted, std::move(message), {}}; }

void write_array(JsonWriter& out, const core::NumberArray& array, bool base64) {
  std::visit(
      [&](const auto& values) {
        const std::size_t shape[] = {values.size()};
        write_numbers(out, values, shape, base64 || values.size() > kReadableNumbersMax);
      },
      array);
}

void write_state(JsonWriter& out, const core::Checkpoint& checkpoint, bool base64) {
  out.key("numbers").begin_object();
  for (const core::NamedNumber& number : checkpoint.numbers) out.field(number.name, number.value);
  out.end_object().key("arrays").begin_object();
  for (const core::NamedArray& array : checkpoint.arrays) {
    out.key(array.name);
    // A list of decimals says nothing of its dtype: it is the network's.
    const bool other_dtype = core::dtype_of(array.values) != checkpoint.spec.dtype;
    write_array(out, array.values, base64 || other_dtype);
  }
  out.end_object();
}

void write_cursor(JsonWriter& out, const core::Cursor& cursor) {
  out.key("cursor").begin_object();
  if (cursor.data) out.field("data_sha256", cursor.data->hex());
  out.field("batch_size", cursor.batch_size).field("shuffle", cursor.shuffle);
  out.field("epoch", cursor.epoch).field("row", cursor.row).end_object();
}

template <class T>
void assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
}

core::Cursor read_cursor(const Json& json, const std::string& pointer, Faults& faults) {
  core::Cursor cursor;
  ObjectReader reader(json, pointer, faults);
  if (const auto hex = reader.string("data_sha256")) {
    cursor.data = core::digest_from_hex(*hex);
    if (!cursor.data) reader.fault("data_sha256", "must be 64 hexadecimal digits");
  }
  assign(cursor.batch_size, reader.integer("batch_size"));
  assign(cursor.shuffle, reader.boolean("shuffle"));
  assign(cursor.epoch, reader.integer("epoch"));
  assign(cursor.row, reader.integer("row"));
  reader.finish("cursor");
  return cursor;
}

void read_state(ObjectReader& body, core::Checkpoint& checkpoint) {
  if (const Json* json = body.find("numbers")) {
    ObjectReader numbers(*json, body.pointer("numbers"), body.faults());
    for (const auto& field : json->as<JsonObject>() ? *json->as<JsonObject>() : JsonObject{})
      if (const auto value = numbers.number(field.first)) checkpoint.numbers.push_back({field.first, *value});
  }
  if (const Json* json = body.find("arrays")) {
    ObjectReader arrays(*json, body.pointer("arrays"), body.faults());
    for (const auto& field : json->as<JsonObject>() ? *json->as<JsonObject>() : JsonObject{}) {
      auto values = read_number_array(field.second, checkpoint.spec.dtype, arrays.pointer(field.first),
                                      body.faults(), KeepDtype::yes);
      if (values) checkpoint.arrays.push_back({field.first, std::move(*values)});
    }
  }
}

void read_parameters(ObjectReader& body, core::Checkpoint& checkpoint) {
  body.require("parameters");
  const Json* json = body.find("parameters");
  if (!json || !body.faults().empty()) return;
  auto values = read_number_array(*json, checkpoint.spec.dtype, body.pointer("parameters"), body.faults());
  if (!values) return;
  const std::size_t wanted = core::parameter_count(checkpoint.spec);
  if (core::size_of(*values) != wanted)
    body.fault("parameters", "has " + std::to_string(core::size_of(*values)) + " numbers, but the spec has " +
                                 std::to_string(wanted));
  checkpoint.parameters = std::move(*values);
}

void read_format(ObjectReader& body) {
  for (std::string_view name : {"format", "format_version", "spec"}) body.require(name);
  if (const auto format = body.string("format"); format && *format != kFormat)
    body.fault("format", "must be \"" + std::string(kFormat) + "\"");
  const auto version = body.integer("format_version");
  if (version && (*version < 1 || *version > kModelFormatVersion))
    body.fault("format_version",
               "must be 1 to " + std::to_string(kModelFormatVersion) + "; this one is of another mlpd");
}

void read_spec_part(ObjectReader& body, const core::NetworkLimits& limits, core::Checkpoint& checkpoint) {
  const Json* json = body.find("spec");
  if (!json) return;
  ObjectReader spec(*json, body.pointer("spec"), body.faults());
  if (!spec.is_object()) return;
  checkpoint.spec = decode_spec(spec);
  spec.finish("spec");
  auto valid = core::validate(checkpoint.spec, limits);
  if (valid) return;
  core::Error error = std::move(valid).error();
  for (core::FieldError& field : error.fields) field.pointer = "#/spec" + field.pointer.substr(1);
  body.faults().merge(error);
}

ModelExport read_fields(ObjectReader& body, const core::NetworkLimits& limits) {
  ModelExport model;
  core::Checkpoint& checkpoint = model.checkpoint;
  body.find("checksum");
  read_format(body);
  assign(model.name, body.string("name"));
  if (const Json* labels = body.find("labels"))
    model.labels = decode_labels(*labels, body.pointer("labels"), body.faults());
  read_spec_part(body, limits, checkpoint);
  assign(checkpoint.step, body.integer("step"));
  read_parameters(body, checkpoint);
  read_state(body, checkpoint);
  if (const Json* cursor = body.find("cursor"))
    checkpoint.cursor = read_cursor(*cursor, body.pointer("cursor"), body.faults());
  if (const Json* preprocess = body.find("preprocess"))
    if (auto read = read_preprocess(*preprocess, body.pointer("preprocess"), body.faults()))
      checkpoint.preprocess = std::make_shared<const core::Preprocess>(std::move(*read));
  if (checkpoint.preprocess && checkpoint.preprocess->input_count() != checkpoint.spec.inputs)
    body.fault("preprocess", "makes " + std::to_string(checkpoint.preprocess->input_count()) +
                                 " inputs, but the spec takes " + std::to_string(checkpoint.spec.inputs));
  if (const Json* history = body.find("history"))
    model.history = read_history_fields(*history, body.pointer("history"), body.faults());
  return model;
}

}  // namespace

std::string seal_document(std::string_view object) {
  const core::Digest digest = core::digest_bytes(object.substr(1));
  return std::string(kSealLead).append(digest.hex()).append("\",").append(object.substr(1));
}

core::Result<void> check_seal(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const std::size_t body = kSealLead.size() + kHexDigits + 2;
  if (text.size() < body || text.substr(0, kSealLead.size()) != kSealLead ||
      text.substr(body - 2, 2) != "\",")
    return corrupted("the document does not begin with its checksum");
  if (text.substr(kSealLead.size(), kHexDigits) != core::digest_bytes(text.substr(body)).hex())
    return corrupted("the checksum does not hold: the document was damaged or edited");
  return {};
}

std::string write_model(const ModelExport& model, ArrayForm form) {
  const core::Checkpoint& checkpoint = model.checkpoint;
  const bool base64 = form == ArrayForm::base64;
  std::string text;
  JsonWriter out(text);
  out.begin_object().field("format", kFormat).field("format_version", kModelFormatVersion);
  if (!model.name.empty()) out.field("name", model.name);
  out.key("labels");
  write_labels(out, model.labels);
  out.key("spec").begin_object();
  write_spec_fields(out, checkpoint.spec, StartNumbers::leave_out);
  out.end_object().field("step", checkpoint.step).key("parameters");
  write_array(out, checkpoint.parameters, base64);
  write_state(out, checkpoint, base64);
  write_cursor(out, checkpoint.cursor);
  if (checkpoint.preprocess) {
    out.key("preprocess");
    write_preprocess(out, *checkpoint.preprocess);
  }
  out.field("state_sha256", core::state_digest(checkpoint).hex());
  if (model.history) {
    out.key("history");
    write_history_fields(out, *model.history);
  }
  out.end_object();
  return seal_document(text);
}

core::Result<ModelExport> read_model(std::string_view text, const core::NetworkLimits& limits) {
  // Reformatted documents keep the checksum field, but not its place and bytes: then only the digest of the
  // state can be checked.
  if (text.substr(0, kSealLead.size()) == kSealLead && text.find('\n') >= text.size() - 1)
    if (auto sealed = check_seal(text); !sealed) {
      core::Error error = sealed.error();
      error.message += "; to import an edited model, take out \"checksum\" and \"state_sha256\"";
      return error;
    }
  auto json = parse_json(text);
  if (!json) return json.error();
  Faults faults;
  ObjectReader body(*json, "#", faults);
  if (!body.is_object()) return faults.error();
  ModelExport model = read_fields(body, limits);
  const auto digest = body.string("state_sha256");
  body.finish("a model");
  if (!faults.empty()) return faults.error();
  if (digest && *digest != core::state_digest(model.checkpoint).hex())
    return corrupted(
        "state_sha256 is not that of the document's state; to import an edited model, leave it out");
  return model;
}

}  // namespace mlpd::api
