#include "api/recipe_handlers.h"

#include <utility>

#include "api/dataset_network.h"
#include "api/dataset_service.h"
#include "api/decode_network.h"
#include "api/encode_job.h"
#include "api/encode_network.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "api/recipes.h"
#include "api/time_travel_service.h"
#include "core/generator.h"

namespace mlpd::api {
namespace {

/// What a body of POST /v1/recipes/{recipe} may change.
struct RecipeRequest {
  std::string name;
  std::string parent;
  std::optional<std::uint64_t> seed;
  std::optional<std::uint64_t> steps;
  std::optional<double> steps_per_second;
};

core::Result<RecipeRequest> decode(const Json& json, const Recipe& recipe, const Limits& limits) {
  Faults faults;
  ObjectReader body(json, "#", faults);
  RecipeRequest request;
  request.name = body.string("name").value_or("");
  if (body.find("name") && !is_valid_name(request.name)) body.fault("name", name_rule());
  request.seed = body.integer("seed");
  request.steps = body.integer("steps");
  if (request.steps && (*request.steps == 0 || *request.steps > limits.job_steps_max))
    body.fault("steps", "must be 1 to " + std::to_string(limits.job_steps_max));
  if (const Json* pace = body.find("pace")) {
    ObjectReader fields(*pace, body.pointer("pace"), faults);
    fields.require("steps_per_second");
    request.steps_per_second = fields.number("steps_per_second");
    if (request.steps_per_second && !(*request.steps_per_second > 0))
      fields.fault("steps_per_second", "must be above 0");
    fields.finish("pace");
  }
  if (recipe.forks) request.parent = body.string("parent").value_or("");
  body.finish("this recipe");
  if (!faults.empty()) return faults.error();
  return request;
}

const Recipe* find_recipe(std::string_view name) {
  for (const Recipe& recipe : recipes())
    if (recipe.name == name) return &recipe;
  return nullptr;
}

core::Error unknown_recipe(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Recipe& recipe : recipes()) names.push_back(recipe.name);
  const auto near = nearest_name(name, names);
  return {core::ErrorCode::not_found,
          "there is no recipe '" + name + "'; " +
              (near.empty() ? "known: " + list_names(names) : "did you mean '" + std::string(near) + "'?"),
          {}};
}

bool is_available(const Services& services, const Recipe& recipe) {
  return recipe.dataset.empty() ||
         (services.datasets != nullptr && services.datasets->read(std::string(recipe.dataset)).ok());
}

/// Starts one recipe: the network, branched off where the recipe says so, and its training.
class Kitchen {
 public:
  Kitchen(const Services& services, const Recipe& recipe, const RecipeRequest& request,
          const Idempotency& idempotency)
      : services_(services), recipe_(recipe), request_(request), idempotency_(idempotency) {}

  core::Result<NetworkView> make_network() {
    if (!recipe_.forks) return create(request_.name, recipe_.name, idempotency_);
    std::string parent = request_.parent;
    if (parent.empty()) {
      const auto made = create("", "exploding", {});
      if (!made) return made.error();
      parent = made->name;
      const auto job = train(parent, kRemedyForkStep, std::nullopt, {});
      if (!job) return job.error();
      const auto ended = services_.jobs.wait(job->id, kParentWait);
      if (!ended) return ended.error();
    }
    return fork(parent);
  }

  core::Result<JobView> start(const std::string& network) {
    return train(network, request_.steps.value_or(recipe_.steps), request_.steps_per_second, idempotency_);
  }

 private:
  static constexpr std::chrono::seconds kParentWait{60};

  /// Under `name`; where none is given under the recipe's, or that with an identifier where it is taken.
  core::Result<NetworkView> create(const std::string& name, std::string_view otherwise,
                                   const Idempotency& idempotency) {
    CreateNetwork network;
    network.name = name.empty() ? std::string(otherwise) : name;
    network.spec = recipe_.spec;
    if (request_.seed) network.spec.seed = *request_.seed;
    network.labels = {{"recipe", std::string(otherwise)}};
    if (!recipe_.dataset.empty()) {
      if (core::Result<void> fitted = fit(network); !fitted) return fitted.error();
    }
    network.idempotency = idempotency;
    auto made = services_.networks.create(network);
    if (made || !name.empty() || made.error().code != core::ErrorCode::already_exists) return made;
    network.name += "-" + services_.system.new_id();
    return services_.networks.create(network);
  }

  core::Result<void> fit(CreateNetwork& network) {
    if (!is_available(services_, recipe_))
      return core::Error{core::ErrorCode::not_found,
                         "the data set " + std::string(recipe_.dataset) +
                             " is not in this build: it comes with the dashboard, which was left out",
                         {}};
    std::string body;
    JsonWriter(body)
        .begin_object()
        .field("dataset", recipe_.dataset)
        .field("seed", network.spec.seed)
        .end_object();
    auto fitted = fit_to_dataset(*parse_json(body), *services_.datasets);
    if (!fitted) return fitted.error();
    network.preprocess = *std::move(fitted);
    network.spec.class_labels = network.preprocess->target.categories;
    return {};
  }

  core::Result<NetworkView> fork(const std::string& parent) {
    ForkNetwork fork;
    fork.name = request_.name.empty() ? std::string(recipe_.name) : request_.name;
    fork.step = kRemedyForkStep;
    fork.idempotency = idempotency_;
    fork.changes = [&](const NetworkView&) -> core::Result<PatchNetwork> {
      PatchNetwork changes;
      changes.hyper_parameters = recipe_.changed;
      changes.labels = Labels{{"recipe", std::string(recipe_.name)}};
      return changes;
    };
    auto made = services_.time_travel->fork(parent, fork);
    if (made || !request_.name.empty() || made.error().code != core::ErrorCode::already_exists) return made;
    fork.name += "-" + services_.system.new_id();
    return services_.time_travel->fork(parent, fork);
  }

  core::Result<JobView> train(const std::string& network, std::uint64_t steps,
                              std::optional<double> steps_per_second, const Idempotency& idempotency) {
    TrainRequest request;
    request.plan.steps = steps;
    if (recipe_.dataset.empty()) {
      core::Dataset points = core::article_xor();
      points.class_labels.clear();  // its classes are indices
      request.data = std::make_shared<const core::Dataset>(std::move(points));
    } else {
      request.data = std::string(recipe_.dataset);
      request.plan.validation_fraction = kRecipeValidationFraction;
      request.plan.keep_best = true;
      request.plan.batches.batch_size = recipe_.batch_size;
      request.plan.batches.shuffle = recipe_.batch_size > 0;
    }
    request.pace_steps_per_second = steps_per_second;
    request.idempotency = idempotency;
    return services_.jobs.train(network, request);
  }

  const Services& services_;
  const Recipe& recipe_;
  const RecipeRequest& request_;
  const Idempotency& idempotency_;
};

}  // namespace

Response list_recipes(const Call& call) {
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("recipes").begin_array();
  for (const Recipe& recipe : recipes()) {
    out.begin_object().field("name", recipe.name).field("about", recipe.about).field("steps", recipe.steps);
    if (recipe.forks) out.field("forks_at", kRemedyForkStep);
    if (!recipe.dataset.empty()) out.field("dataset", recipe.dataset);
    out.field("available", is_available(call.services, recipe));
    core::NetworkSpec spec = recipe.spec;
    if (recipe.forks) spec.hyper_parameters = recipe.changed;
    out.key("network").begin_object();
    write_spec_fields(out, spec, StartNumbers::leave_out);
    out.end_object().key("request").begin_object().field("method", "POST");
    out.field("path", "/v1/recipes/" + std::string(recipe.name)).key("body").text("{}").end_object();
    out.end_object();
  }
  out.end_array().end_object();
  return json_response(std::move(body));
}

Response start_recipe(const Call& call) {
  const std::string& name = call.parameter("recipe");
  const Recipe* recipe = find_recipe(name);
  if (!recipe) return problem(unknown_recipe(name), call.request);
  const auto key = idempotency(call.request);
  if (!key) return problem(key.error(), call.request);
  Response refused;
  const auto json = read_json_body(call, refused, true);
  if (!json) return refused;
  const auto request = decode(*json, *recipe, call.services.system.limits());
  if (!request) return problem(request.error(), call.request);
  Kitchen kitchen(call.services, *recipe, *request, *key);
  const auto made = kitchen.make_network();
  if (!made) return problem(made.error(), call.request);
  const auto job = kitchen.start(made->name);
  if (!job) return problem(job.error(), call.request);
  const auto network = call.services.networks.read(made->name);
  if (!network) return problem(network.error(), call.request);
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("recipe", recipe->name).key("network");
  write_network(out, *network);
  out.key("job");
  write_job_view(out, *job);
  out.end_object();
  Response response = json_response(std::move(body), 201);
  response.set_header("Location", "/v1/networks/" + network->name);
  return response;
}

}  // namespace mlpd::api
