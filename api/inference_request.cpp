#include "api/inference_request.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "api/feedback_service.h"
#include "api/json_reader.h"
#include "core/named_table.h"

namespace mlpd::api {
namespace {

core::Error invalid(std::string message) {
  return {core::ErrorCode::invalid_argument, std::move(message), {}};
}

// The request's own parameters. Others (a client's content_type, priority, timeout) mean nothing here.
class Parameters {
 public:
  Parameters(const Json& owner, const std::string& pointer, Faults& faults) : faults_(faults) {
    pointer_ = child(pointer, "parameters");
    const Json* json = owner.find("parameters");
    if (!json || json->is_null()) return;
    json_ = json->as<JsonObject>() ? json : nullptr;
    if (!json_) faults.add(pointer_, "must be an object");
    for (std::string_view name : {"shared_memory_region", "shared_memory_byte_size", "shared_memory_offset"})
      if (find(name)) faults.add(child(pointer_, name), "is not offered: there is no shared memory here");
  }
  const Json* find(std::string_view name) const { return json_ ? json_->find(name) : nullptr; }
  std::optional<bool> flag(std::string_view name) {
    const Json* json = find(name);
    if (!json) return std::nullopt;
    if (const bool* value = json->as<bool>()) return *value;
    faults_.add(child(pointer_, name), "must be true or false");
    return std::nullopt;
  }
  std::optional<std::size_t> count(std::string_view name, std::size_t least) {
    const Json* json = find(name);
    if (!json) return std::nullopt;
    const auto value = as_integer(*json);
    if (value && *value >= least) return *value;
    faults_.add(child(pointer_, name), "must be a whole number from " + std::to_string(least));
    return std::nullopt;
  }

 private:
  Faults& faults_;
  std::string pointer_;
  const Json* json_ = nullptr;
};

// The list under `name`, as objects; null where it is absent.
std::vector<const Json*> objects_of(const Json& request, std::string_view name, Faults& faults) {
  std::vector<const Json*> objects;
  const Json* json = request.find(name);
  if (!json || json->is_null()) return objects;
  const auto* numbers = json->as<JsonNumbers>();  // what an empty array is read as
  if (numbers && numbers->empty()) return objects;
  const auto* list = json->as<JsonArray>();
  if (!list) {
    faults.add(child("#", name), "must be an array of objects");
    return objects;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    if ((*list)[i].as<JsonObject>())
      objects.push_back(&(*list)[i]);
    else
      faults.add(child(child("#", name), i), "must be an object, not " + std::string((*list)[i].kind_name()));
  }
  return objects;
}

std::string read_name(const Json& object, const std::string& pointer, Faults& faults) {
  const Json* json = object.find("name");
  const auto* name = json ? json->as<std::string>() : nullptr;
  if (name && !name->empty()) return *name;
  faults.add(child(pointer, "name"), "is required: a string");
  return {};
}

// The shape and the product of its sizes.
bool read_shape(const Json& object, const std::string& pointer, Tensor& tensor, Faults& faults) {
  const std::string at = child(pointer, "shape");
  const Json* json = object.find("shape");
  const auto* sizes = json ? json->as<JsonNumbers>() : nullptr;
  if (!sizes || sizes->empty()) {
    faults.add(at, "is required: an array of whole numbers");
    return false;
  }
  tensor.elements = 1;
  for (std::size_t i = 0; i < sizes->size(); ++i) {
    const auto size = as_integer(Json{JsonNumber{(*sizes)[i], 0, false}});
    if (!size) {
      faults.add(child(at, i), "must be a whole number from 0 to 9007199254740992");
      return false;
    }
    if (*size > 0 && tensor.elements > std::numeric_limits<std::size_t>::max() / *size) {
      faults.add(at, "has more elements than can be counted");
      return false;
    }
    tensor.elements *= *size;
    tensor.shape.push_back(*size);
  }
  return true;
}

bool read_datatype(const Json& object, const std::string& pointer, Tensor& tensor, Faults& faults) {
  const Json* json = object.find("datatype");
  const auto* name = json ? json->as<std::string>() : nullptr;
  const DatatypeRow* row = name ? core::find_by_name(datatypes(), *name) : nullptr;
  if (row) {
    tensor.datatype = row->value;
    return true;
  }
  std::vector<std::string_view> names;
  for (const DatatypeRow& known : datatypes()) names.push_back(known.name);
  faults.add(child(pointer, "datatype"), name ? "\"" + *name + "\" is unknown; known: " + list_names(names)
                                              : "is required: " + list_names(names));
  return false;
}

void read_input(const Json& object, const std::string& pointer, std::string_view& bytes,
                InferenceRequest& request, Faults& faults) {
  Tensor tensor;
  const std::size_t before = faults.count();
  tensor.name = read_name(object, pointer, faults);
  read_shape(object, pointer, tensor, faults);
  read_datatype(object, pointer, tensor, faults);
  Parameters parameters(object, pointer, faults);
  const auto size = parameters.count("binary_data_size", 0);
  const Json* data = object.find("data");
  if (data && size)
    faults.add(child(pointer, "data"), "and binary_data_size can't both be given");
  else if (size && *size > bytes.size())
    faults.add(pointer, "has a binary_data_size of " + std::to_string(*size) + ", but only " +
                            std::to_string(bytes.size()) + " bytes are left in the body");
  else if (!size && (!data || !data->is_array()))
    faults.add(child(pointer, "data"), "is required: an array, or the parameter binary_data_size");
  if (faults.count() > before) return;
  if (size) {
    tensor.data = bytes.substr(0, *size);
    bytes.remove_prefix(*size);
  } else {
    tensor.data = data;
  }
  for (const Tensor& other : request.inputs)
    if (other.name == tensor.name)
      faults.add(child(pointer, "name"), "\"" + tensor.name + "\" is there twice");
  if (auto fits = check_size(tensor); !fits) faults.add(pointer, fits.error().message);
  request.inputs.push_back(std::move(tensor));
}

void read_output(const Json& object, const std::string& pointer, InferenceRequest& request, Faults& faults) {
  OutputRequest output;
  output.name = read_name(object, pointer, faults);
  Parameters parameters(object, pointer, faults);
  output.binary = parameters.flag("binary_data").value_or(request.binary_output);
  output.classification = parameters.count("classification", 1).value_or(0);
  for (const OutputRequest& other : request.outputs)
    if (other.name == output.name)
      faults.add(child(pointer, "name"), "\"" + output.name + "\" is there twice");
  request.outputs.push_back(std::move(output));
}

core::Result<std::size_t> json_length(std::optional<std::string_view> header, std::size_t body) {
  if (!header) return body;
  std::size_t length = 0;
  const auto [stop, error] = std::from_chars(header->data(), header->data() + header->size(), length);
  if (error != std::errc{} || stop != header->data() + header->size() || length > body)
    return invalid("Inference-Header-Content-Length must be a whole number up to the body's " +
                   std::to_string(body) + " bytes");
  return length;
}

}  // namespace

core::Result<InferenceRequest> read_inference_request(std::string_view body,
                                                      std::optional<std::string_view> header_length,
                                                      const JsonLimits& limits) {
  const auto length = json_length(header_length, body.size());
  if (!length) return length.error();
  InferenceRequest request;
  if (header_length && *length == 0) {
    request.is_raw = true;
    request.binary_output = true;
    return request;
  }
  auto json = parse_json(body.substr(0, *length), limits);
  if (!json) return json.error();
  if (!json->as<JsonObject>()) return invalid("the request must be an object");
  request.json = std::move(*json);
  std::string_view bytes = body.substr(*length);
  Faults faults;
  if (const Json* id = request.json.find("id"); id && !id->is_null()) {
    if (const auto* text = id->as<std::string>())
      request.id = *text;
    else
      faults.add("#/id", "must be a string");
  }
  Parameters parameters(request.json, "#", faults);
  request.binary_output = parameters.flag("binary_data_output").value_or(false);
  request.prediction_id = parameters.flag(kPredictionId).value_or(false);
  const auto inputs = objects_of(request.json, "inputs", faults);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    read_input(*inputs[i], child("#/inputs", i), bytes, request, faults);
  const auto outputs = objects_of(request.json, "outputs", faults);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    read_output(*outputs[i], child("#/outputs", i), request, faults);
  if (inputs.empty() && faults.empty()) faults.add("#/inputs", "is required: at least one tensor");
  if (!bytes.empty() && faults.empty())
    faults.add("#", "leaves " + std::to_string(bytes.size()) + " bytes of the body that no input takes");
  if (!faults.empty()) return faults.error();
  return request;
}

}  // namespace mlpd::api
