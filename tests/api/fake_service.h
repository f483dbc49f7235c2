#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "api/json.h"
#include "api/router.h"
#include "api/service.h"
#include "core/executor.h"
#include "core/learner.h"
#include "core/trainer.h"
#include "tests/api/fake_datasets.h"
#include "tests/api/fake_feedback.h"
#include "tests/api/fake_inference.h"
#include "tests/api/fake_searches.h"
#include "tests/api/fake_time_travel.h"
#include "tests/api/fake_versions.h"

namespace mlpd::api {

/// The services in memory and in one thread, over the real core: a job runs to its end inside train(), unless
/// `hold_jobs` leaves it queued. What was asked for last is kept for tests to look at.
class FakeService final : public NetworkService, public SystemService {
 public:
  struct Stored {
    NetworkView view;
    std::unique_ptr<core::Learner> learner;
    core::History history;
    std::shared_ptr<const core::Dataset> data;
  };

  struct FakeJobs final : JobService {
    explicit FakeJobs(FakeService& f) : fake(f) {}
    core::Result<JobView> train(const std::string& network, const TrainRequest& request) override {
      fake.last_train = request;
      Stored& stored = fake.networks.at(network);
      auto rows = fake.data(network, request.data);
      if (!rows) return rows.error();
      stored.data = *rows;
      if (request.hyper_parameters)
        if (auto set = stored.learner->set_hyper_parameters(*request.hyper_parameters); !set)
          return set.error();
      auto run = core::TrainingRun::start(*stored.learner, *rows, request.plan);
      if (!run) return run.error();
      JobView job;
      job.id = fake.new_id();
      job.network = network;
      job.steps_total = request.plan.steps;
      if (!fake.hold_jobs) {
        job.stop_reason =
            run->run(request.plan.steps, [&](const core::Record& r) { stored.history.append(r); });
        if (auto evaluation = run->evaluate_training()) {
          job.loss = evaluation->loss;
          job.evaluation = std::move(*evaluation);
        }
        job.steps_done = run->progress().steps_done;
        job.step = stored.learner->step();
        job.state = JobState::succeeded;
        fake.refresh(stored);
      }
      fake.jobs[job.id] = job;
      return job;
    }
    core::Result<JobView> wait(const std::string& id, std::chrono::milliseconds timeout) override {
      fake.last_wait = timeout;
      return read(id);
    }
    Page<JobView> list(const PageQuery&, const std::string& network) override {
      Page<JobView> page;
      for (const auto& [id, job] : fake.jobs)
        if (network.empty() || job.network == network) page.items.push_back(job);
      return page;
    }
    core::Result<JobView> read(const std::string& id) override {
      const auto found = fake.jobs.find(id);
      if (found == fake.jobs.end()) return missing(id);
      return found->second;
    }
    core::Result<JobView> cancel(const std::string& id) override { return move(id, JobState::cancelled); }
    core::Result<JobView> pause(const std::string& id) override { return move(id, JobState::paused); }
    core::Result<JobView> resume(const std::string& id) override { return move(id, JobState::queued); }

    core::Result<JobView> move(const std::string& id, JobState state) {
      const auto found = fake.jobs.find(id);
      if (found == fake.jobs.end()) return missing(id);
      if (found->second.state == JobState::succeeded && state != JobState::cancelled)
        return core::Error{core::ErrorCode::failed_precondition, "the job has ended", {}};
      if (found->second.state != JobState::succeeded) found->second.state = state;
      return found->second;
    }
    FakeService& fake;
  };

  bool hold_jobs = false;
  bool is_ready = true;
  TrainRequest last_train;
  CreateNetwork last_create;
  std::chrono::milliseconds last_wait{-1};
  Limits fake_limits;
  NamedLimits fake_named_limits;
  std::map<std::string, Stored> networks;
  std::map<std::string, JobView> jobs;
  FakeJobs job_service{*this};
  FakeDatasets datasets;
  FakeTimeTravel time_travel{*this};
  FakeVersions versions{*this};
  FakeSearches searches;

  FakeFeedback feedback{[this](const std::string& name) { return networks.count(name) > 0; }};
  FakeInference inference{[this](const std::string& name) { return networks.count(name) > 0; }};

  Services services() {
    Services all{*this, job_service, *this, &datasets, &time_travel};
    all.inference = &inference;
    all.versions = &versions;
    all.searches = &searches;
    all.feedback = &feedback;
    return all;
  }

  core::Result<NetworkView> create(const CreateNetwork& request) override {
    last_create = request;
    const std::string name = request.name.empty() ? new_id() : request.name;
    if (networks.count(name)) return core::Error{core::ErrorCode::already_exists, name + " exists", {}};
    auto learner = core::Learner::create(request.spec, request.preprocess, executor_);
    if (!learner) return learner.error();
    Stored stored;
    stored.view.name = name;
    stored.view.labels = request.labels;
    stored.view.ttl_s = request.ttl_s;
    stored.view.preprocess = request.preprocess;
    stored.learner = std::move(*learner);
    return put(name, std::move(stored));
  }
  Page<NetworkView> list(const PageQuery& query) override {
    Page<NetworkView> page;
    std::size_t place = 0;
    const std::size_t first = query.cursor.empty() ? 0 : std::stoul(query.cursor);
    for (const auto& [name, stored] : networks) {
      if (place++ < first) continue;
      if (page.items.size() == query.limit) {
        page.next_cursor = std::to_string(place - 1);
        break;
      }
      page.items.push_back(stored.view);
    }
    return page;
  }
  core::Result<NetworkView> read(const std::string& name) override {
    const auto found = networks.find(name);
    if (found == networks.end()) return missing(name);
    return found->second.view;
  }
  core::Result<NetworkView> patch(const std::string& name, const IfMatch& if_match,
                                  const Merge& merge) override {
    const auto found = networks.find(name);
    if (found == networks.end()) return missing(name);
    Stored& stored = found->second;
    if (auto held = check(if_match, stored); !held) return held.error();
    auto changes = merge(stored.view);
    if (!changes) return changes.error();
    if (changes->labels) stored.view.labels = *changes->labels;
    if (changes->ttl_s) stored.view.ttl_s = *changes->ttl_s;
    if (changes->hyper_parameters)
      if (auto set = stored.learner->set_hyper_parameters(*changes->hyper_parameters); !set)
        return set.error();
    refresh(stored);
    return stored.view;
  }
  core::Result<void> remove(const std::string& name, const IfMatch& if_match, bool force) override {
    const auto found = networks.find(name);
    if (found == networks.end()) return missing(name);
    if (auto held = check(if_match, found->second); !held) return held;
    for (const auto& [id, job] : jobs)
      if (job.network == name && job.state == JobState::queued && !force)
        return core::Error{core::ErrorCode::conflict, "a job runs", {}};
    networks.erase(found);
    return {};
  }
  core::Result<std::shared_ptr<const core::Snapshot>> snapshot(const std::string& name,
                                                               AtStep step) override {
    auto at = learner(name, step);
    if (!at) return at.error();
    return (*at)->snapshot();
  }
  core::Result<core::Checkpoint> checkpoint(const std::string& name, AtStep step) override {
    auto at = learner(name, step);
    if (!at) return at.error();
    return (*at)->checkpoint();
  }
  core::Result<std::unique_ptr<core::Learner>> learner(const std::string& name, AtStep step) override {
    const auto found = networks.find(name);
    if (found == networks.end()) return missing(name);
    core::Learner& live = *found->second.learner;
    if (step && *step != live.step()) return core::Error{core::ErrorCode::not_found, "no such step", {}};
    return core::Learner::restore(live.checkpoint(), executor_);
  }
  core::Result<std::shared_ptr<const core::Dataset>> data(const std::string& name,
                                                          const std::optional<DataSource>& source) override {
    const auto found = networks.find(name);
    if (found == networks.end()) return missing(name);
    if (!source) {
      if (found->second.data) return found->second.data;
      return core::Error{core::ErrorCode::invalid_argument, "no data yet", {{"#/data", "is required"}}};
    }
    if (const auto* rows = std::get_if<std::shared_ptr<const core::Dataset>>(&*source)) return *rows;
    if (const auto* options = std::get_if<core::GeneratorOptions>(&*source)) {
      auto made = core::generate(*options);
      if (!made) return made.error();
      return std::make_shared<const core::Dataset>(std::move(*made));
    }
    const std::string& dataset = std::get<std::string>(*source);
    const auto view = datasets.read(dataset);
    if (!view) return view.error();
    const NetworkView& network = found->second.view;
    auto made = core::encode_part(view->profile, **datasets.rows(dataset), network.preprocess.get(),
                                  core::Part::trainable, network.spec.inputs,
                                  core::output_count(network.spec), network.spec.seed);
    if (!made) return made.error();
    return std::make_shared<const core::Dataset>(std::move(*made));
  }
  core::Result<core::HistoryColumns> history(const std::string& name,
                                             const core::HistoryQuery& query) override {
    const auto found = networks.find(name);
    if (found == networks.end()) return missing(name);
    return found->second.history.query(query);
  }
  core::Result<ModelExport> export_model(const std::string& name, AtStep step, bool with_history) override {
    auto state = checkpoint(name, step);
    if (!state) return state.error();
    ModelExport model{name, std::move(*state), {}, networks[name].view.labels};
    if (with_history) model.history = networks[name].history.state();
    return model;
  }
  core::Result<std::pair<NetworkView, bool>> import_model(const std::string& name, const IfMatch& if_match,
                                                          ModelExport model, bool only_new) override {
    const auto found = networks.find(name);
    if (found != networks.end() && only_new)
      return core::Error{core::ErrorCode::failed_precondition, "there is one", {}};
    if (found != networks.end())
      if (auto held = check(if_match, found->second); !held) return held.error();
    auto learner = core::Learner::restore(std::move(model.checkpoint), executor_);
    if (!learner) return learner.error();
    const bool created = found == networks.end();
    Stored stored;
    stored.view.name = name;
    stored.view.labels = model.labels;
    stored.learner = std::move(*learner);
    if (model.history) stored.history = core::History::restore(*model.history);
    networks.erase(name);
    return std::pair{put(name, std::move(stored)), created};
  }

  core::Result<std::uint64_t> disk_bytes(const std::string&) override { return std::uint64_t{4321}; }

  const Limits& limits() const override { return fake_limits; }
  const NamedLimits& named_limits() const override { return fake_named_limits; }
  SystemView system() override {
    SystemView view;
    view.version = "0.0.0";
    view.networks = networks.size();
    return view;
  }
  bool ready() const override { return is_ready; }
  std::string new_id() override { return "id-" + std::to_string(++ids_); }

 private:
  static core::Error missing(const std::string& name) {
    return {core::ErrorCode::not_found, "there is no " + name, {}};
  }
  static core::Result<void> check(const IfMatch& if_match, const Stored& stored) {
    if (!if_match || *if_match == "*" || *if_match == stored.view.etag) return {};
    return core::Error{core::ErrorCode::failed_precondition, "it has changed", {}};
  }
  NetworkView put(const std::string& name, Stored stored) {
    refresh(stored);
    return networks.insert_or_assign(name, std::move(stored)).first->second.view;
  }
  void refresh(Stored& stored) {
    stored.view.spec = stored.learner->spec();
    stored.view.parameters = core::parameter_count(stored.view.spec);
    stored.view.step = stored.learner->step();
    stored.view.state = "idle";
    stored.view.state_sha256 = core::state_digest(stored.learner->checkpoint()).hex();
    stored.view.etag = "e" + std::to_string(++etags_);
    if (const core::Record* last = stored.history.last()) stored.view.last_record = *last;
  }

  core::SerialExecutor executor_;
  int ids_ = 0;
  int etags_ = 0;
};

/// A handler over the fake, and short ways to ask it.
class ApiTest : public ::testing::Test {
 protected:
  Response send(std::string method, std::string target, std::string body = {}, Fields headers = {}) {
    Request request;
    request.method = std::move(method);
    const auto mark = target.find('?');
    request.path = target.substr(0, mark);
    for (std::size_t at = mark; at != std::string::npos;) {
      const auto end = target.find('&', at + 1);
      const std::string pair = target.substr(at + 1, end == std::string::npos ? end : end - at - 1);
      const auto equal = pair.find('=');
      request.query.emplace_back(pair.substr(0, equal),
                                 equal == std::string::npos ? "" : pair.substr(equal + 1));
      at = end;
    }
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.request_id = "r1";
    return handler->handle(request);
  }
  Response get(const std::string& target) { return send("GET", target); }
  Response post(const std::string& target, const std::string& body) { return send("POST", target, body); }
  /// The body as JSON; it must be some.
  static Json json_of(const Response& response) {
    auto json = parse_json(response.body);
    EXPECT_TRUE(json.ok()) << response.body;
    return json.ok() ? *json : Json{};
  }
  /// A field by path: "layers/0/units"; null JSON where it is missing.
  static Json at(const Json& json, std::string path) {
    const Json* here = &json;
    Json element;
    while (!path.empty() && here) {
      const auto slash = path.find('/');
      const std::string step = path.substr(0, slash);
      path = slash == std::string::npos ? "" : path.substr(slash + 1);
      if (const auto* list = here->as<JsonArray>()) {
        const auto index = static_cast<std::size_t>(std::stoul(step));
        here = index < list->size() ? &(*list)[index] : nullptr;
      } else if (const auto* numbers = here->as<JsonNumbers>()) {
        element = Json{JsonNumber{numbers->at(std::stoul(step)), 0, false}};
        here = &element;
      } else {
        here = here->find(step);
      }
    }
    return here ? *here : Json{};
  }
  static std::string text_at(const Json& json, const std::string& path) {
    const Json found = at(json, path);
    return found.as<std::string>() ? *found.as<std::string>() : "(" + std::string(found.kind_name()) + ")";
  }
  static double number_at(const Json& json, const std::string& path) {
    const Json found = at(json, path);
    return found.as<JsonNumber>() ? found.as<JsonNumber>()->value : std::nan("");
  }

  FakeService service;
  std::unique_ptr<Handler> handler = make_handler(service.services());
};

}  // namespace mlpd::api
