#include "api/search_plan.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "api/dataset_network.h"
#include "api/decode_network.h"
#include "api/decode_train.h"
#include "api/json_reader.h"
#include "api/search_space.h"
#include "core/trainer.h"

namespace mlpd::api {
namespace {

using FitPointer = std::shared_ptr<const core::Preprocess>;

Json text_json(std::string text) { return Json{std::move(text)}; }

bool is_of_validation(std::string_view metric) { return metric.starts_with("validation_"); }

// {…} where the field is absent; a fault where it is no object, or names what the search gives itself.
Json base_body(ObjectReader& body, std::string_view name, std::span<const std::string_view> given) {
  const Json* json = body.find(name);
  if (!json) return Json{JsonObject{}};
  ObjectReader fields(*json, body.pointer(name), body.faults());
  if (!fields.is_object()) return Json{JsonObject{}};
  for (const std::string_view field : given)
    if (fields.find(field)) fields.fault(field, "comes from the search; leave it out");
  return *json;
}

// The fields that are to be chosen, and what is said of the whole search besides.
void decode_settings(ObjectReader& body, const Limits& limits, SearchPlan& plan) {
  body.require("dataset");
  plan.dataset = body.string("dataset").value_or("");
  const auto method = body.string("method");
  if (method && *method != "grid" && *method != "random")
    body.fault("method", "must be \"grid\" or \"random\"");
  plan.grid = !method || *method == "grid";
  plan.seed = body.integer("seed").value_or(0);
  const std::size_t most = limits.search_networks_max;
  const auto networks = body.integer("max_networks");
  if (networks && (*networks < 1 || *networks > most))
    body.fault("max_networks", "must be 1 to " + std::to_string(most) + " (search_networks_max)");
  plan.max_networks = networks    ? static_cast<std::size_t>(std::min<std::uint64_t>(*networks, most))
                      : plan.grid ? most
                                  : std::min(most, kRandomNetworksDefault);
  plan.max_seconds = body.number("max_seconds");
  if (plan.max_seconds && !(*plan.max_seconds > 0)) body.fault("max_seconds", "must be greater than 0");
  const auto known = core::judged_metrics();
  plan.metric = body.string("metric").value_or("validation_loss");
  if (std::find(known.begin(), known.end(), plan.metric) == known.end())
    body.fault("metric", "must be " + list_names(known));
  const auto keep = body.string("keep");
  if (keep && *keep != "winner" && *keep != "all") body.fault("keep", "must be \"winner\" or \"all\"");
  plan.keep = keep && *keep == "all" ? SearchKeep::all : SearchKeep::winner;
}

// Everything that preprocessing depends on.
std::string fit_key(const Json& body) {
  std::string key;
  JsonWriter out(key);
  out.begin_array();
  for (const std::string_view name : {"preprocess", "validation", "test", "seed"}) {
    const Json* field = body.find(name);
    write_json(out, field ? *field : Json{});
  }
  out.end_array();
  return key;
}

// A body of create over the data set, with this candidate's values.
Json network_body(const SearchPlan& plan, std::size_t index) {
  Json body = plan.network;
  for (std::size_t f = 0; f < plan.fields.size(); ++f)
    if (!plan.fields[f].of_train) (void)set_at(body, plan.fields[f].pointer, plan.candidates[index][f]);
  auto& fields = std::get<JsonObject>(body.value);
  fields.emplace_back("name", text_json(candidate_name(plan, index)));
  fields.emplace_back("dataset", text_json(plan.dataset));
  return body;
}

Json train_body(const SearchPlan& plan, std::size_t index, const core::Preprocess& preprocess) {
  Json body = plan.train;
  for (std::size_t f = 0; f < plan.fields.size(); ++f)
    if (plan.fields[f].of_train) (void)set_at(body, plan.fields[f].pointer, plan.candidates[index][f]);
  auto& fields = std::get<JsonObject>(body.value);
  if (!body.find("validation") && preprocess.held_out.validation > 0) {
    const Json fraction{JsonNumber{preprocess.held_out.validation, 0, false}};
    fields.emplace_back("validation", Json{JsonObject{{"fraction", fraction}}});
  }
  fields.emplace_back("dataset", text_json(plan.dataset));
  return body;
}

// Puts the faults of one candidate where the search's body says it.
class Blame {
 public:
  Blame(const SearchPlan& plan, Faults& faults) : plan_(plan), faults_(faults) {}

  void add(const core::Error& error, bool of_train, std::size_t index) {
    if (error.fields.empty()) return tell(of_train ? "#/train" : "#/network", error.message);
    for (const core::FieldError& fault : error.fields) {
      const std::string rest = fault.pointer.substr(std::min<std::size_t>(1, fault.pointer.size()));
      const SearchField* guilty = nullptr;
      std::size_t place = 0;
      for (std::size_t f = 0; f < plan_.fields.size(); ++f) {
        const SearchField& field = plan_.fields[f];
        // Also what the field made on its way to a place that the base body does not have.
        const bool within = rest == field.pointer || rest.starts_with(field.pointer + "/") ||
                            (field.pointer.starts_with(rest + "/") && !has_top(of_train, rest));
        if (field.of_train != of_train || !within) continue;
        if (guilty && guilty->pointer.size() > field.pointer.size()) continue;
        guilty = &field;
        place = f;
      }
      if (guilty) {
        std::string value;
        JsonWriter out(value);
        write_json(out, plan_.candidates[index][place]);
        tell(space_pointer(*guilty, plan_.candidates[index][place]), fault.detail + " (with " + value + ")");
      } else if (rest == "/dataset" || rest == "/name" || rest == "/metric") {
        tell("#" + rest, fault.detail);
      } else {
        tell((of_train ? "#/train" : "#/network") + rest, fault.detail);
      }
    }
  }

 private:
  bool has_top(bool of_train, std::string_view pointer) const {
    const std::string_view rest = pointer.substr(std::min<std::size_t>(1, pointer.size()));
    return (of_train ? plan_.train : plan_.network).find(rest.substr(0, rest.find('/'))) != nullptr;
  }

  void tell(const std::string& pointer, const std::string& detail) {
    if (told_.emplace(pointer, detail).second) faults_.add(pointer, detail);
  }

  const SearchPlan& plan_;
  Faults& faults_;
  std::set<std::pair<std::string, std::string>> told_;
};

core::Result<TrainRequest> make_training(const SearchPlan& plan, std::size_t index,
                                         const CreateNetwork& network, const Limits& limits) {
  NetworkView view;
  view.name = network.name;
  view.spec = network.spec;
  view.preprocess = network.preprocess;
  core::Result<TrainRequest> request =
      decode_train(train_body(plan, index, *network.preprocess), view, limits);
  if (!request) return request;
  Faults faults;
  if (is_of_validation(plan.metric) && !(request->plan.validation_fraction > 0))
    faults.add("#/validation", "must hold rows out: " + plan.metric + " is measured on them");
  if (plan.metric.ends_with("accuracy") && network.preprocess->target.type != core::ColumnType::label)
    faults.add("#/metric", "is for data sets whose target is a label; use validation_loss or loss");
  if (!faults.empty()) return faults.error();
  return request;
}

}  // namespace

core::Result<SearchPlan> decode_search(const Json& json, const std::string& new_name, const Limits& limits) {
  static constexpr std::string_view kOfNetwork[] = {"name", "dataset", "inputs"};
  static constexpr std::string_view kOfTraining[] = {"dataset", "data"};
  Faults faults;
  ObjectReader body(json, "#", faults);
  if (!body.is_object()) return faults.error();
  SearchPlan plan;
  plan.definition = json;
  if (!json.find("name")) {
    auto& fields = std::get<JsonObject>(plan.definition.value);
    fields.emplace(fields.begin(), "name", text_json(new_name));
  }
  plan.name = body.string("name").value_or(new_name);
  if (!is_valid_name(plan.name)) body.fault("name", name_rule());
  decode_settings(body, limits, plan);
  plan.network = base_body(body, "network", kOfNetwork);
  plan.train = base_body(body, "train", kOfTraining);
  body.require("space");
  if (const Json* space = body.find("space"))
    plan.fields = decode_space(*space, body.pointer("space"), plan.network, plan.train, plan.grid, faults);
  body.finish("a search");
  if (faults.empty()) {
    auto made = plan.grid ? grid_candidates(plan.fields, plan.max_networks)
                          : random_candidates(plan.fields, plan.max_networks, plan.seed);
    plan.candidates = std::move(made.candidates);
    if (made.left_out > 0 && !json.find("max_networks"))
      body.fault("space", "is a grid of " + std::to_string(plan.candidates.size() + made.left_out) +
                              " networks, and a search tries at most " + std::to_string(plan.max_networks) +
                              " (search_networks_max); give max_networks for the first of them, or random");
    static constexpr std::size_t kNameBytesMax = 63;
    if (candidate_name(plan, 0).size() > kNameBytesMax)
      body.fault("name", "is too long: \"" + candidate_name(plan, 0) + "\", which it makes of it for a " +
                             "network, would have more than 63 characters");
  }
  if (!faults.empty()) return faults.error();
  return plan;
}

core::Result<SearchCandidate> make_candidate(const SearchPlan& plan, std::size_t index,
                                             DatasetService& datasets, const Limits& limits) {
  core::Result<CreateNetwork> network =
      decode_create_over_dataset(network_body(plan, index), datasets, limits);
  if (!network) return network.error();
  core::Result<TrainRequest> train = make_training(plan, index, *network, limits);
  if (!train) return train.error();
  return SearchCandidate{*std::move(network), *std::move(train)};
}

core::Result<void> check_candidates(const SearchPlan& plan, DatasetService& datasets, const Limits& limits) {
  Faults faults;
  Blame blame(plan, faults);
  std::map<std::string, FitPointer> fits;
  for (std::size_t index = 0; index < plan.candidates.size(); ++index) {
    const Json body = network_body(plan, index);
    FitPointer& fit = fits[fit_key(body)];
    if (!fit) {
      const core::Result<FitPointer> made = fit_to_dataset(body, datasets);
      if (!made) {
        blame.add(made.error(), false, index);
        continue;
      }
      fit = *made;
    }
    const core::Result<CreateNetwork> network = decode_create_fitted(body, fit, limits);
    if (!network) {
      blame.add(network.error(), false, index);
      continue;
    }
    const core::Result<TrainRequest> train = make_training(plan, index, *network, limits);
    if (!train) blame.add(train.error(), true, index);
  }
  if (!faults.empty()) return faults.error();
  return {};
}

std::string candidate_name(const SearchPlan& plan, std::size_t index) {
  const std::size_t digits = std::to_string(std::max<std::size_t>(1, plan.candidates.size()) - 1).size();
  const std::string number = std::to_string(index);
  return plan.name + "-" + std::string(digits - number.size(), '0') + number;
}

void write_candidate_values(JsonWriter& out, const SearchPlan& plan, std::size_t index) {
  out.begin_object();
  for (const bool of_train : {false, true}) {
    out.key(of_train ? "train" : "network").begin_object();
    for (std::size_t f = 0; f < plan.fields.size(); ++f) {
      if (plan.fields[f].of_train != of_train) continue;
      out.key(plan.fields[f].pointer);
      write_json(out, plan.candidates[index][f]);
    }
    out.end_object();
  }
  out.end_object();
}

void write_json(JsonWriter& out, const Json& json) {
  if (json.is_null()) {
    out.null();
  } else if (const auto* flag = json.as<bool>()) {
    out.value(*flag);
  } else if (const auto* number = json.as<JsonNumber>()) {
    number->is_integer ? out.value(number->integer) : out.value(number->value);
  } else if (const auto* text = json.as<std::string>()) {
    out.value(*text);
  } else if (const auto* numbers = json.as<JsonNumbers>()) {
    out.values(*numbers);
  } else if (const auto* rows = json.as<JsonRows>()) {
    out.begin_array();
    for (std::size_t r = 0; r < rows->rows(); ++r)
      out.values(std::span<const double>(rows->values.data() + rows->begin_of(r), rows->length_of(r)));
    out.end_array();
  } else if (const auto* list = json.as<JsonArray>()) {
    out.begin_array();
    for (const Json& item : *list) write_json(out, item);
    out.end_array();
  } else if (const auto* fields = json.as<JsonObject>()) {
    out.begin_object();
    for (const auto& [name, value] : *fields) {
      out.key(name);
      write_json(out, value);
    }
    out.end_object();
  }
}

}  // namespace mlpd::api
