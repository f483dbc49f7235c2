#pragma once

#include <string>

#include "api/time_travel_service.h"

namespace mlpd::api {

/// Time travel over the fake networks: every step up to 9 is there, forks are copies. Keeps what was asked.
class FakeTimeTravel final : public TimeTravelService {
 public:
  explicit FakeTimeTravel(NetworkService& networks) : networks_(networks) {}

  core::Result<CheckpointList> checkpoints(const std::string& network) override {
    const auto view = networks_.read(network);
    if (!view) return view.error();
    return CheckpointList{{{9, 100, Timestamp{}}, {5, 90, Timestamp{}}}, 190, 1000, 250, 9, 0};
  }
  core::Result<CheckpointView> save(const std::string& network) override {
    const auto view = networks_.read(network);
    if (!view) return view.error();
    return CheckpointView{9, 100, Timestamp{}};
  }
  core::Result<NetworkView> restore(const std::string& network, const IfMatch& if_match,
                                    std::uint64_t step) override {
    auto view = networks_.read(network);
    if (!view) return view.error();
    if (if_match && *if_match != "*" && *if_match != view->etag)
      return core::Error{core::ErrorCode::failed_precondition, "it has changed", {}};
    if (step > 9) return core::Error{core::ErrorCode::not_found, "no such step", {}};
    view->step = step;
    return view;
  }
  core::Result<NetworkView> fork(const std::string& parent, const ForkNetwork& request) override {
    auto view = networks_.read(parent);
    if (!view) return view.error();
    const auto changes = request.changes(*view);
    if (!changes) return changes.error();
    view->forked_from.emplace(parent, request.step.value_or(9));
    view->name = request.name.empty() ? "generated" : request.name;
    view->step = request.step.value_or(9);
    if (changes->hyper_parameters) view->spec.hyper_parameters = *changes->hyper_parameters;
    if (changes->labels) view->labels = *changes->labels;
    return view;
  }
  core::Result<std::optional<JobView>> long_replay(const std::string& network, std::uint64_t step) override {
    if (step == 7) return core::Error{core::ErrorCode::resource_exhausted, "too many replays wait", {}};
    if (step != 6) return std::optional<JobView>();
    JobView job;
    job.id = "replay";
    job.network = network;
    job.replay = true;
    job.steps_total = 6;
    return std::optional(job);
  }

 private:
  NetworkService& networks_;
};

}  // namespace mlpd::api
