#pragma once

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/router.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/memory_disk.h"

namespace mlpd::server {

/// A store's life, told over the HTTP contract on a disk in memory; and what can be seen of it.
class StoreStory : public EngineTest {
 protected:
  using Json = nlohmann::json;
  /// What is seen, unit by unit: "networks/rich", "versions of rich", "datasets/table", … → text.
  using View = std::map<std::string, std::string>;

  struct Step {
    std::string method;
    std::string target;  ///< with its query
    std::string body = {};
    int status = 200;
  };

  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>(folder_.path());
  std::unique_ptr<api::Handler> handler_;

  /// A network that trains by the clock: no two lives of it have the same numbers.
  static constexpr const char* kPaced = "paced";

  StoreStory() { limits_.history_records_max = 64; }

  /// Opens the engine over `disk`; the one before is gone.
  void open_on(const std::shared_ptr<MemoryDisk>& disk) {
    handler_.reset();
    engine_.reset();
    disk_ = disk;
    files_ = disk;
    open();
    if (engine_) handler_ = api::make_handler(engine_->services());
  }
  void close() {
    handler_.reset();
    engine_.reset();
  }

  api::Response call(const std::string& method, const std::string& target, const std::string& body = "") {
    api::Request request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    for (std::size_t at = request.path.size(); at < target.size();) {
      const std::size_t end = std::min(target.find('&', at + 1), target.size());
      const std::string field = target.substr(at + 1, end - at - 1);
      request.query.emplace_back(field.substr(0, field.find('=')), field.substr(field.find('=') + 1));
      at = end;
    }
    request.headers.emplace_back("Prefer", "respond-async");
    Pieces pieces(body);
    if (handler_->route(method, request.path).streams_body) {
      request.body_stream = &pieces;
    } else {
      request.body = body;
    }
    return handler_->handle(request);
  }
  Json get(const std::string& target) { return Json::parse(call("GET", target).body); }
  Json get_list(const std::string& target, const char* name) { return get(target).at(name); }

  static bool goes_on(const Json& item) {
    const std::string state = item["state"];
    return state == "queued" || state == "running";
  }

  /// Until no job and no search has anything left to do, but for paced ones.
  void settle() {
    EXPECT_TRUE(eventually([&] {
      for (const Json& job : get_list("/v1/jobs?limit=1000", "jobs"))
        if (goes_on(job) && job["network"] != kPaced) return false;
      for (const Json& search : get_list("/v1/searches?limit=1000", "searches"))
        if (goes_on(search)) return false;
      return true;
    }));
  }

  void take(const Step& step) {
    const api::Response answer = call(step.method, step.target, step.body);
    ASSERT_EQ(answer.status, step.status) << step.method << " " << step.target << ": " << answer.body;
  }

  View view() {
    View seen;
    for (const Json& network : get_list("/v1/networks?limit=1000", "networks"))
      see_network(network["name"], network["labels"].contains("search"), seen);
    for (const Json& dataset : get_list("/v1/datasets?limit=1000", "datasets")) {
      const std::string name = dataset["name"];
      if (name == "article-xor") continue;  // built in
      const api::Response rows = call("GET", "/v1/datasets/" + name + "/rows");
      seen["datasets/" + name] = std::to_string(rows.status) + (rows.status == 200 ? rows.body : "");
    }
    for (const Json& search : get_list("/v1/searches?limit=1000", "searches")) {
      Json board = Json::array();
      for (const Json& one : get_list("/v1/searches/" + std::string(search["name"]), "leaderboard"))
        board.push_back({one["network"], one["score"], one["state_sha256"]});
      seen["searches/" + std::string(search["name"])] = std::string(search["state"]) + board.dump();
    }
    return seen;
  }

  std::vector<std::string> quarantined() { return get_list("/v1/system", "quarantined"); }

 private:
  struct Pieces final : api::BodyReader {
    explicit Pieces(const std::string& body) : rest(body) {}
    core::Result<std::size_t> read(char* buffer, std::size_t size) override {
      const std::size_t count = rest.copy(buffer, size);
      rest.remove_prefix(count);
      return count;
    }
    std::string_view rest;
  };

  static std::string some_of(const Json& object, const std::vector<const char*>& fields) {
    Json kept;
    for (const char* field : fields)
      if (object.contains(field)) kept[field] = object[field];
    return kept.dump();
  }

  void see_network(const std::string& name, bool of_a_search, View& seen) {
    const std::string path = "/v1/networks/" + name;
    std::string jobs;
    for (Json job : get_list("/v1/jobs?limit=1000&network=" + name, "jobs")) {
      if (of_a_search) job.erase("id");  // a search whose job is lost asks for another
      if (name == kPaced && goes_on(job)) job["state"] = "going on";
      if (name == kPaced) job.erase("steps_done");
      jobs += some_of(job, {"id", "state", "steps_done"});
    }
    seen["jobs of " + name] = jobs;
    if (name == kPaced) return;
    // The model first: reading it may find damage.
    const auto keep = [&](const std::string& what, const api::Response& answer,
                          const std::vector<const char*>& fields) {
      const bool good = answer.status == 200;
      seen[what + name] =
          std::to_string(answer.status) + (good ? some_of(Json::parse(answer.body), fields) : std::string());
    };
    keep("model of ", call("GET", path + "/model"), {"state_sha256"});
    keep("past of ", call("GET", path + "/model?step=5"), {"state_sha256"});
    keep("network ", call("GET", path), {"step", "state_sha256", "labels", "optimizer", "forked_from"});
    keep("history of ", call("GET", path + "/history?fields=step,loss"), {"step", "loss"});
    keep("data of ", call("POST", path + "/evaluate", "{}"), {"loss"});
    std::string asked_for;  // others come with time
    for (const Json& checkpoint : get_list(path + "/checkpoints", "checkpoints"))
      if (const int at = checkpoint["step"]; at == 20 || at == 40 || at == 50)
        asked_for += std::to_string(at) + " ";
    seen["checkpoints of " + name] = asked_for;
    const Json versions = get(path + "/versions");
    std::string text = versions["aliases"].dump();
    for (const Json& version : versions["versions"]) {
      const std::string number = version["version"].dump();
      const api::Response answer =
          call("POST", path + "/predict?version=" + number, R"({"inputs":[0.5,-1]})");
      text += number + std::string(version["state_sha256"]) + std::to_string(answer.status);
      if (answer.status == 200) text += Json::parse(answer.body)["outputs"].dump();
    }
    seen["versions of " + name] = text;
  }
};

}  // namespace mlpd::server
