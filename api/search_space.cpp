#include "api/search_space.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <set>
#include <utility>

#include "core/random.h"

namespace mlpd::api {
namespace {

Json number_json(double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const bool whole = value >= 0 && value < kExact && value == std::floor(value);
  return Json{JsonNumber{value, whole ? static_cast<std::uint64_t>(value) : 0, whole}};
}

std::string text_of(const Json& json) {
  std::string text;
  JsonWriter out(text);
  write_json(out, json);
  return text;
}

// The items of any of the three kinds of JSON array.
std::vector<Json> items_of(const Json& json) {
  std::vector<Json> items;
  if (const auto* numbers = json.as<JsonNumbers>()) {
    for (const double number : *numbers) items.push_back(number_json(number));
  } else if (const auto* rows = json.as<JsonRows>()) {
    for (std::size_t r = 0; r < rows->rows(); ++r) {
      const auto begin = rows->values.begin() + static_cast<std::ptrdiff_t>(rows->begin_of(r));
      items.push_back(Json{JsonNumbers(begin, begin + static_cast<std::ptrdiff_t>(rows->length_of(r)))});
    }
  } else if (const auto* list = json.as<JsonArray>()) {
    items = *list;
  }
  return items;
}

// Position `share` of 0 … 1 in a range: six digits, so that people can read it and libraries agree on it.
Json range_value(const SearchField& field, double share) {
  double value = field.log
                     ? std::exp(std::log(field.from) + (std::log(field.to) - std::log(field.from)) * share)
                     : field.from + (field.to - field.from) * share;
  if (field.whole) {
    value = std::floor(value + 0.5);
  } else {
    char digits[32];
    const int size = std::snprintf(digits, sizeof digits, "%.6g", value);
    (void)std::from_chars(digits, digits + size, value);
  }
  return number_json(std::clamp(value, field.from, field.to));
}

void decode_range(const Json& json, const std::string& pointer, bool grid, SearchField& field,
                  Faults& faults) {
  ObjectReader range(json, pointer, faults);
  range.require("from");
  range.require("to");
  const auto from = range.number("from");
  const auto to = range.number("to");
  const auto scale = range.string("scale");
  if (scale && *scale != "linear" && *scale != "log") range.fault("scale", "must be \"linear\" or \"log\"");
  field.range = true;
  field.log = scale && *scale == "log";
  field.whole = range.boolean("whole").value_or(false);
  field.from = from.value_or(1);
  field.to = to.value_or(2);
  if (from && to && !(*from < *to)) range.fault("to", "must be greater than from");
  if (field.log && from && !(*from > 0)) range.fault("from", "must be greater than 0 where scale is log");
  for (const auto& [name, value] : {std::pair("from", from), std::pair("to", to)})
    if (field.whole && value && *value != std::floor(*value))
      range.fault(name, "must be whole where whole is true");
  const auto points = range.integer("points");
  if (points && !grid) range.fault("points", "is for a grid; a random search draws from the whole range");
  if (points && (*points < 2 || *points > kRangePointsMax))
    range.fault("points", "must be 2 to " + std::to_string(kRangePointsMax));
  range.finish("a range");
  if (!grid || !faults.empty()) return;
  const std::size_t count = static_cast<std::size_t>(points.value_or(kRangePointsDefault));
  for (std::size_t i = 0; i < count; ++i) {
    const Json value = range_value(field, static_cast<double>(i) / static_cast<double>(count - 1));
    if (field.values.empty() || text_of(field.values.back()) != text_of(value)) field.values.push_back(value);
  }
}

// The tokens of a pointer, unescaped; empty where it is none.
std::vector<std::string> tokens_of(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty() || pointer.front() != '/') return tokens;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (pointer[i] == '~') {
      if (i + 1 == pointer.size() || (pointer[i + 1] != '0' && pointer[i + 1] != '1')) return {};
      tokens.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      tokens.back() += pointer[i];
    }
  }
  return tokens;
}

void decode_fields(ObjectReader& space, std::string_view side, const Json& base, bool grid,
                   std::vector<SearchField>& fields) {
  static constexpr std::string_view kGiven[] = {"name", "dataset", "inputs", "data"};
  const Json* json = space.find(side);
  if (!json) return;
  ObjectReader reader(*json, space.pointer(side), space.faults());
  if (!reader.is_object()) return;
  for (const auto& [pointer, values] : *json->as<JsonObject>()) {
    SearchField field;
    field.of_train = side == "train";
    field.pointer = pointer;
    const std::vector<std::string> tokens = tokens_of(pointer);
    Json trial = base;
    if (tokens.empty())
      reader.fault(pointer, "must be a JSON pointer into the body, such as \"/layers/0/units\"");
    else if (std::find(std::begin(kGiven), std::end(kGiven), tokens.front()) != std::end(kGiven))
      reader.fault(pointer, "comes from the search and can't be varied");
    else if (!set_at(trial, pointer, Json{}))
      reader.fault(pointer, "leads nowhere in \"" + std::string(side) + "\"");
    if (values.is_array()) {
      field.values = items_of(values);
      if (field.values.empty()) reader.fault(pointer, "must have at least one value");
    } else if (values.as<JsonObject>()) {
      decode_range(values, reader.pointer(pointer), grid, field, reader.faults());
    } else {
      reader.fault(pointer, "must be a list of values or a range {\"from\", \"to\"}, not " +
                                std::string(values.kind_name()));
    }
    fields.push_back(std::move(field));
  }
}

}  // namespace

std::vector<SearchField> decode_space(const Json& space, const std::string& pointer, const Json& network,
                                      const Json& train, bool grid, Faults& faults) {
  std::vector<SearchField> fields;
  ObjectReader reader(space, pointer, faults);
  if (!reader.is_object()) return fields;
  decode_fields(reader, "network", network, grid, fields);
  decode_fields(reader, "train", train, grid, fields);
  reader.finish("a space");
  if (fields.empty())
    faults.add(pointer, "must name at least one field to vary, under \"network\" or \"train\"");
  if (fields.size() > kSearchFieldsMax)
    faults.add(pointer, "varies " + std::to_string(fields.size()) + " fields; a search varies at most " +
                            std::to_string(kSearchFieldsMax));
  return fields;
}

Candidates grid_candidates(const std::vector<SearchField>& fields, std::size_t most) {
  Candidates made;
  std::size_t total = 1;
  for (const SearchField& field : fields) {
    const std::size_t count = field.values.size();
    total = total > std::numeric_limits<std::size_t>::max() / count ? std::numeric_limits<std::size_t>::max()
                                                                    : total * count;
  }
  for (std::size_t index = 0; index < std::min(total, most); ++index) {
    std::vector<Json> chosen(fields.size());
    std::size_t rest = index;
    for (std::size_t f = fields.size(); f-- > 0;) {
      chosen[f] = fields[f].values[rest % fields[f].values.size()];
      rest /= fields[f].values.size();
    }
    made.candidates.push_back(std::move(chosen));
  }
  made.left_out = total - made.candidates.size();
  return made;
}

Candidates random_candidates(const std::vector<SearchField>& fields, std::size_t most, std::uint64_t seed) {
  static constexpr std::uint64_t kStream = 0x5ea4c4;
  static constexpr std::size_t kMissesMax = 1'000;  // in a row: the space has no more
  Candidates made;
  core::Random random(seed, kStream);
  std::set<std::string> seen;
  std::size_t misses = 0;
  while (made.candidates.size() < most && misses < kMissesMax) {
    std::vector<Json> chosen;
    std::string key;
    for (const SearchField& field : fields) {
      chosen.push_back(field.range
                           ? range_value(field, random.uniform())
                           : field.values[static_cast<std::size_t>(random.below(field.values.size()))]);
      key += text_of(chosen.back()) + '\n';
    }
    if (!seen.insert(key).second) {
      ++misses;
      continue;
    }
    misses = 0;
    made.candidates.push_back(std::move(chosen));
  }
  return made;
}

bool set_at(Json& body, std::string_view pointer, const Json& value) {
  Json* place = &body;
  for (const std::string& token : tokens_of(pointer)) {
    if (auto* list = std::get_if<JsonArray>(&place->value)) {
      std::size_t index = list->size();
      (void)std::from_chars(token.data(), token.data() + token.size(), index);
      if (index >= list->size() || token != std::to_string(index)) return false;
      place = &(*list)[index];
      continue;
    }
    auto* fields = std::get_if<JsonObject>(&place->value);
    if (!fields) return false;
    auto found =
        std::find_if(fields->begin(), fields->end(), [&](const auto& f) { return f.first == token; });
    if (found == fields->end()) found = fields->emplace(fields->end(), token, Json{JsonObject{}});
    place = &found->second;
  }
  *place = value;
  return true;
}

std::string space_pointer(const SearchField& field, const Json& value) {
  std::string pointer = child(child("#/space", field.of_train ? "train" : "network"), field.pointer);
  if (field.range) return pointer;
  const std::string text = text_of(value);
  for (std::size_t i = 0; i < field.values.size(); ++i)
    if (text_of(field.values[i]) == text) return child(pointer, i);
  return pointer;
}

}  // namespace mlpd::api
