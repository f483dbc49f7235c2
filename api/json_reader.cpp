#include "api/json_reader.h"

#include <algorithm>
#include <cmath>

namespace mlpd::api {
namespace {

/// "#/layers/0" → "layers/0: ", "?limit" → "limit: ", "#" → "".
std::string readable(const std::string& pointer) {
  const std::size_t lead = pointer.rfind("#/", 0) == 0 ? 2 : 1;
  return pointer.size() <= lead ? "" : pointer.substr(lead) + ": ";
}

}  // namespace

void Faults::add(std::string pointer, std::string detail) {
  ++count_;
  if (fields_.size() < kFaultsMax) fields_.push_back({std::move(pointer), std::move(detail)});
}

void Faults::merge(const core::Error& error) {
  if (error.fields.empty()) add("#", error.message);
  for (const core::FieldError& field : error.fields) {
    const bool known = std::any_of(fields_.begin(), fields_.end(),
                                   [&](const auto& f) { return f.pointer == field.pointer; });
    if (!known) add(field.pointer, field.detail);
  }
}

core::Error Faults::error() const {
  std::string message;
  if (count_ == 1)
    message = readable(fields_[0].pointer) + fields_[0].detail;
  else
    message = std::to_string(count_) + " faults; see errors";
  if (count_ > kFaultsMax) message += " (the first " + std::to_string(kFaultsMax) + " are listed)";
  return {core::ErrorCode::invalid_argument, std::move(message), fields_};
}

std::string child(std::string_view pointer, std::string_view name) {
  std::string out(pointer);
  out += '/';
  for (char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

std::string child(std::string_view pointer, std::size_t index) {
  return std::string(pointer) + "/" + std::to_string(index);
}

std::string list_names(std::span<const std::string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

ObjectReader::ObjectReader(const Json& json, std::string pointer, Faults& faults)
    : fields_(json.as<JsonObject>()), pointer_(std::move(pointer)), faults_(faults) {
  if (!fields_) faults_.add(pointer_, "must be an object, not " + std::string(json.kind_name()));
}

const Json* ObjectReader::find(std::string_view name) {
  if (std::find(known_.begin(), known_.end(), name) == known_.end()) known_.push_back(name);
  if (!fields_) return nullptr;
  for (const auto& [key, value] : *fields_)
    if (key == name) return &value;
  return nullptr;
}

void ObjectReader::wrong_type(std::string_view name, std::string_view wanted, const Json& json) {
  fault(name, "must be " + std::string(wanted) + ", not " + std::string(json.kind_name()));
}

std::optional<double> ObjectReader::number(std::string_view name) {
  const Json* json = find(name);
  if (!json) return std::nullopt;
  if (const auto* number = json->as<JsonNumber>()) return number->value;
  wrong_type(name, "a number", *json);
  return std::nullopt;
}

std::optional<std::uint64_t> as_integer(const Json& json) {
  static constexpr double kExactMax = 9007199254740992.0;  // 2^53
  const auto* number = json.as<JsonNumber>();
  if (!number) return std::nullopt;
  if (number->is_integer) return number->integer;
  if (number->value >= 0 && number->value <= kExactMax && number->value == std::floor(number->value))
    return static_cast<std::uint64_t>(number->value);
  return std::nullopt;
}

std::optional<std::uint64_t> ObjectReader::integer(std::string_view name) {
  const Json* json = find(name);
  if (!json) return std::nullopt;
  if (const auto integer = as_integer(*json)) return integer;
  if (json->as<JsonNumber>())
    fault(name, "must be a whole number from 0 to 18446744073709551615");
  else
    wrong_type(name, "a whole number", *json);
  return std::nullopt;
}

std::optional<bool> ObjectReader::boolean(std::string_view name) {
  const Json* json = find(name);
  if (!json) return std::nullopt;
  if (const auto* flag = json->as<bool>()) return *flag;
  wrong_type(name, "true or false", *json);
  return std::nullopt;
}

std::optional<std::string> ObjectReader::string(std::string_view name) {
  const Json* json = find(name);
  if (!json) return std::nullopt;
  if (const auto* text = json->as<std::string>()) return *text;
  wrong_type(name, "a string", *json);
  return std::nullopt;
}

std::optional<std::vector<std::string>> ObjectReader::strings(std::string_view name) {
  const Json* json = find(name);
  if (!json) return std::nullopt;
  std::vector<std::string> list;
  const auto* items = json->as<JsonArray>();
  if (const auto* none = json->as<JsonNumbers>(); none && none->empty()) return list;
  if (!items) {
    wrong_type(name, "an array of strings", *json);
    return std::nullopt;
  }
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (const auto* text = (*items)[i].as<std::string>())
      list.push_back(*text);
    else
      faults_.add(child(pointer(name), i), "must be a string, not " + std::string((*items)[i].kind_name()));
  }
  return list;
}

void ObjectReader::require(std::string_view name) {
  if (!fields_) return;
  for (const auto& field : *fields_)
    if (field.first == name) return;
  fault(name, "is required");
}

void ObjectReader::unknown_name(const std::string& at, std::string_view text,
                                std::span<const std::string_view> names) {
  const std::string_view near = nearest_name(text, names);
  std::string detail = "\"" + std::string(text.substr(0, 64)) + "\" is unknown; ";
  if (!near.empty()) detail += "did you mean \"" + std::string(near) + "\"? ";
  faults_.add(at, detail + "known: " + list_names(names));
}

void ObjectReader::finish(std::string_view owner) {
  if (!fields_) return;
  for (const auto& field : *fields_) {
    const std::string& key = field.first;
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string_view near = nearest_name(key, known_);
    std::string detail = "is an unknown field";
    if (!owner.empty()) detail += " of " + std::string(owner);
    detail +=
        near.empty() ? "; known: " + list_names(known_) : "; did you mean \"" + std::string(near) + "\"?";
    faults_.add(pointer(key), std::move(detail));
  }
}

}  // namespace mlpd::api
