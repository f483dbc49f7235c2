#include "api/json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <unordered_set>

namespace mlpd::api {
namespace {

namespace ondemand = simdjson::ondemand;

// Objects with more fields than this are checked for duplicate keys by hash, not pairwise.
constexpr std::size_t kPairwiseKeysMax = 16;

class TreeBuilder {
 public:
  explicit TreeBuilder(const JsonLimits& limits) : limits_(limits) {}

  // Each returns false with problem_ set, or empty where the text itself is malformed.
  template <class Source>
  bool build(Source&& source, Json& out, std::size_t depth) {
    if (++values_ > limits_.values)
      return fail("has more than " + std::to_string(limits_.values) + " values besides plain numbers");
    ondemand::json_type type;
    if (source.type().get(type)) return false;
    switch (type) {
      case ondemand::json_type::object:
        return build_object(source, out, depth);
      case ondemand::json_type::array:
        return build_array(source, out, depth);
      case ondemand::json_type::number:
        return build_number(source, out);
      case ondemand::json_type::string: {
        std::string_view text;
        if (source.get_string().get(text)) return false;
        out.value = std::string(text);
        return true;
      }
      case ondemand::json_type::boolean: {
        bool flag = false;
        if (source.get_bool().get(flag)) return false;
        out.value = flag;
        return true;
      }
      case ondemand::json_type::null: {
        bool null = false;
        if (source.is_null().get(null) || !null) return false;
        out.value = std::monostate{};
        return true;
      }
    }
    return false;
  }

  const std::string& problem() const { return problem_; }

 private:
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool too_deep(std::size_t depth) {
    if (depth <= limits_.depth) return false;
    problem_ = "is nested deeper than " + std::to_string(limits_.depth) + " levels";
    return true;
  }

  template <class Source>
  bool build_number(Source&& source, Json& out) {
    JsonNumber number;
    std::string_view token;
    token = raw_token(source);
    if (source.get_double().get(number.value)) return false;
    while (!token.empty() &&
           (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
      token.remove_suffix(1);
    const char* end = token.data() + token.size();
    const auto [stop, error] = std::from_chars(token.data(), end, number.integer);
    number.is_integer = error == std::errc{} && stop == end;
    if (!number.is_integer) number.integer = 0;
    out.value = number;
    return true;
  }

  static std::string_view raw_token(ondemand::value& source) { return source.raw_json_token(); }
  static std::string_view raw_token(ondemand::document& source) {
    std::string_view token;
    if (source.raw_json_token().get(token)) return {};
    return token;
  }

  template <class Source>
  bool build_object(Source&& source, Json& out, std::size_t depth) {
    if (too_deep(depth)) return false;
    ondemand::object object;
    if (source.get_object().get(object)) return false;
    JsonObject fields;
    std::unordered_set<std::string> seen;
    for (auto item : object) {
      ondemand::field field;
      if (std::move(item).get(field)) return false;
      std::string_view key;
      if (field.unescaped_key().get(key)) return false;
      std::string name(key);
      if (is_duplicate(fields, seen, name)) return fail("has the field \"" + name + "\" twice in one object");
      fields.emplace_back(std::move(name), Json{});
      ondemand::value value = field.value();
      if (!build(value, fields.back().second, depth + 1)) return false;
    }
    out.value = std::move(fields);
    return true;
  }

  static bool is_duplicate(const JsonObject& fields, std::unordered_set<std::string>& seen,
                           const std::string& name) {
    if (fields.size() < kPairwiseKeysMax)
      return std::any_of(fields.begin(), fields.end(), [&](const auto& f) { return f.first == name; });
    if (seen.empty())
      for (const auto& field : fields) seen.insert(field.first);
    return !seen.insert(name).second;
  }

  // Stays flat as long as the elements are all numbers, or all arrays of numbers; turns into a mixed array
  // at the first other element.
  template <class Source>
  bool build_array(Source&& source, Json& out, std::size_t depth) {
    if (too_deep(depth)) return false;
    ondemand::array array;
    if (source.get_array().get(array)) return false;
    out.value = JsonNumbers{};
    for (auto item : array) {
      ondemand::value value;
      if (std::move(item).get(value)) return false;
      ondemand::json_type type;
      if (value.type().get(type)) return false;
      if (auto* numbers = std::get_if<JsonNumbers>(&out.value);
          numbers && type == ondemand::json_type::number) {
        double number = 0;
        if (value.get_double().get(number)) return false;
        numbers->push_back(number);
        continue;
      }
      if (!append(value, out, depth)) return false;
    }
    return true;
  }

  bool append(ondemand::value& value, Json& out, std::size_t depth) {
    Json element;
    if (!build(value, element, depth + 1)) return false;
    const auto* row = element.as<JsonNumbers>();
    if (auto* numbers = std::get_if<JsonNumbers>(&out.value); numbers && numbers->empty() && row)
      out.value = JsonRows{};
    if (auto* rows = std::get_if<JsonRows>(&out.value); rows && row) {
      rows->values.insert(rows->values.end(), row->begin(), row->end());
      rows->ends.push_back(rows->values.size());
      --values_;
      return true;
    }
    if (!spread(out)) return false;
    std::get<JsonArray>(out.value).push_back(std::move(element));
    return true;
  }

  bool spread(Json& out) {
    JsonArray mixed;
    if (const auto* numbers = out.as<JsonNumbers>()) {
      values_ += numbers->size();
      if (values_ > limits_.values) return fail("mixes more numbers with other values than is allowed");
      for (double number : *numbers) mixed.emplace_back(JsonNumber{number, 0, false});
    } else if (const auto* rows = out.as<JsonRows>()) {
      values_ += rows->rows();
      if (values_ > limits_.values) return fail("mixes more rows with other values than is allowed");
      for (std::size_t r = 0; r < rows->rows(); ++r) {
        const auto begin = rows->values.begin() + static_cast<std::ptrdiff_t>(rows->begin_of(r));
        mixed.emplace_back(JsonNumbers(begin, begin + static_cast<std::ptrdiff_t>(rows->length_of(r))));
      }
    } else {
      return true;
    }
    out.value = std::move(mixed);
    return true;
  }

  const JsonLimits& limits_;
  std::size_t values_ = 0;
  std::string problem_;
};

bool at_end(ondemand::document& document) {
  const char* rest = nullptr;
  return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS;
}

core::Error malformed(std::string message) {
  return {core::ErrorCode::invalid_argument, std::move(message), {}};
}

}  // namespace

std::string_view Json::kind_name() const {
  static constexpr std::string_view kNames[] = {"null",     "a boolean", "a number", "a string",
                                                "an array", "an array",  "an array", "an object"};
  return kNames[value.index()];
}

const Json* Json::find(std::string_view name) const {
  if (const auto* fields = as<JsonObject>())
    for (const auto& [key, field] : *fields)
      if (key == name) return &field;
  return nullptr;
}

core::Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return malformed("the body is empty; JSON is expected");
  // Its buffers are several times the text: a thread keeps only small ones.
  static constexpr std::size_t kKeptBytesMax = 1u << 20;
  thread_local ondemand::parser kept;
  ondemand::parser large;
  ondemand::parser& parser = text.size() > kKeptBytesMax ? large : kept;
  const simdjson::padded_string padded(text);
  ondemand::document document;
  TreeBuilder builder(limits);
  Json root;
  simdjson::error_code error = parser.iterate(padded).get(document);
  if (!error && builder.build(document, root, 1) && at_end(document)) return root;
  if (!builder.problem().empty()) return malformed("the JSON " + builder.problem());
  return malformed("malformed JSON at " + describe_syntax_error(text, "an unexpected place"));
}

void merge_patch(Json& target, const Json& patch) {
  const auto* changes = patch.as<JsonObject>();
  if (!changes) {
    target = patch;
    return;
  }
  if (!target.as<JsonObject>()) target.value = JsonObject{};
  auto& fields = std::get<JsonObject>(target.value);
  for (const auto& [name, change] : *changes) {
    const auto same = [&n = name](const auto& field) { return field.first == n; };
    auto found = std::find_if(fields.begin(), fields.end(), same);
    if (change.is_null()) {
      if (found != fields.end()) fields.erase(found);
      continue;
    }
    if (found == fields.end()) found = fields.insert(fields.end(), {name, Json{}});
    merge_patch(found->second, change);
  }
}

}  // namespace mlpd::api
