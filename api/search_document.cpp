#include "api/search_document.h"

#include <utility>

#include "api/json_reader.h"
#include "api/model_document.h"

namespace mlpd::api {
namespace {

std::uint64_t milliseconds(Timestamp at) { return static_cast<std::uint64_t>(at.time_since_epoch().count()); }

Timestamp read_time(ObjectReader& in, std::string_view name) {
  return Timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(in.integer(name).value_or(0))));
}

struct EventWriter {
  JsonWriter& out;

  void operator()(const SearchAccepted& event) const {
    out.field("id", event.id).field("accepted_at", milliseconds(event.at));
    out.field("idempotency_key", event.idempotency.key);
    out.field("request_digest", event.idempotency.request_digest.hex()).key("definition");
    write_json(out, event.definition);
  }
  void operator()(const SearchStarted& event) const { out.field("started_at", milliseconds(event.at)); }
  void operator()(const SearchJudged& event) const {
    out.field("candidate", event.result.candidate).optional_field("score", event.result.score);
    out.field("step", event.result.step).field("parameters", event.result.parameters);
    out.field("state_sha256", event.result.state_sha256).field("error", event.result.error);
    out.field("cancelled", event.result.cancelled).field("spent_ms", event.spent_ms);
  }
  void operator()(const SearchCancelled& event) const { out.field("cancelled_at", milliseconds(event.at)); }
  void operator()(const SearchFinished& event) const {
    out.field("finished_at", milliseconds(event.at)).field("reason", name_of(event.reason));
    out.field("spent_ms", event.spent_ms);
  }
};

SearchJudged read_judged(ObjectReader& in) {
  SearchJudged event;
  event.result.candidate = static_cast<std::size_t>(in.integer("candidate").value_or(0));
  event.result.score = in.number("score");
  event.result.step = in.integer("step").value_or(0);
  event.result.parameters = static_cast<std::size_t>(in.integer("parameters").value_or(0));
  event.result.state_sha256 = in.string("state_sha256").value_or("");
  event.result.error = in.string("error").value_or("");
  event.result.cancelled = in.boolean("cancelled").value_or(false);
  event.spent_ms = in.integer("spent_ms").value_or(0);
  return event;
}

SearchStop stop_of(std::string_view name) {
  for (const SearchStop reason : {SearchStop::max_seconds, SearchStop::cancelled})
    if (name == name_of(reason)) return reason;
  return SearchStop::completed;
}

void write_result(JsonWriter& out, const SearchView& search, const SearchResult& result,
                  const std::string& winner) {
  const SearchPlan& plan = *search.plan;
  const std::string network = candidate_name(plan, result.candidate);
  out.field("candidate", result.candidate).field("network", network);
  if (result.score) {
    out.field("kept", plan.keep == SearchKeep::all || network == winner).field("score", *result.score);
    out.field("step", result.step).field("parameters", result.parameters);
    out.field("state_sha256", result.state_sha256);
  } else {
    out.field("state", result.cancelled ? "cancelled" : "failed").field("error", result.error);
  }
  out.key("values");
  write_candidate_values(out, plan, result.candidate);
}

}  // namespace

std::string_view name_of(SearchState state) {
  switch (state) {
    case SearchState::queued:
      return "queued";
    case SearchState::running:
      return "running";
    case SearchState::succeeded:
      return "succeeded";
    case SearchState::failed:
      return "failed";
    case SearchState::cancelled:
      return "cancelled";
  }
  return {};
}

std::string_view name_of(SearchStop reason) {
  switch (reason) {
    case SearchStop::completed:
      return "completed";
    case SearchStop::max_seconds:
      return "max_seconds";
    case SearchStop::cancelled:
      return "cancelled";
  }
  return {};
}

std::string write_search_event(const SearchEvent& event) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  std::visit(EventWriter{out}, event);
  out.end_object();
  return seal_document(text);
}

core::Result<SearchEvent> read_search_event(std::string_view line) {
  if (core::Result<void> sealed = check_seal(line); !sealed) return sealed.error();
  const core::Result<Json> json = parse_json(line, {64, 2'000'000});
  if (!json) return core::Error{core::ErrorCode::corrupted, json.error().message, {}};
  Faults faults;
  ObjectReader in(*json, "#", faults);
  SearchEvent event = SearchStarted{};
  if (json->find("definition")) {
    const auto digest = core::digest_from_hex(in.string("request_digest").value_or(""));
    event = SearchAccepted{in.string("id").value_or(""),
                           *in.find("definition"),
                           {in.string("idempotency_key").value_or(""), digest.value_or(core::Digest{})},
                           read_time(in, "accepted_at")};
  } else if (json->find("candidate")) {
    event = read_judged(in);
  } else if (json->find("started_at")) {
    event = SearchStarted{read_time(in, "started_at")};
  } else if (json->find("cancelled_at")) {
    event = SearchCancelled{read_time(in, "cancelled_at")};
  } else if (json->find("finished_at")) {
    event = SearchFinished{stop_of(in.string("reason").value_or("")), in.integer("spent_ms").value_or(0),
                           read_time(in, "finished_at")};
  } else {
    return core::Error{core::ErrorCode::corrupted, "a line of a search says nothing known", {}};
  }
  if (!faults.empty()) return core::Error{core::ErrorCode::corrupted, faults.error().message, {}};
  return event;
}

void write_search(JsonWriter& out, const SearchView& search, bool in_full) {
  const SearchPlan& plan = *search.plan;
  const auto& board = search.leaderboard;
  const std::string winner = board.empty() ? "" : candidate_name(plan, board.front().candidate);
  out.begin_object().field("name", plan.name).field("state", name_of(search.state));
  out.field("dataset", plan.dataset).field("method", plan.grid ? "grid" : "random");
  out.field("metric", plan.metric).field("networks_total", plan.candidates.size());
  out.field("networks_done", board.size() + search.unranked.size()).field("seconds", search.seconds);
  if (search.stop_reason) out.field("stop_reason", name_of(*search.stop_reason));
  if (!winner.empty()) out.field("winner", winner).field("score", *board.front().score);
  out.field("created_at", search.created_at).optional_field("started_at", search.started_at);
  out.optional_field("finished_at", search.finished_at);
  if (in_full) {
    out.key("leaderboard").begin_array();
    std::size_t rank = 0;
    for (const SearchResult& result : board) {
      out.begin_object().field("rank", ++rank);
      write_result(out, search, result, winner);
      out.end_object();
    }
    out.end_array().key("unranked").begin_array();
    for (const SearchResult& result : search.unranked) {
      out.begin_object();
      write_result(out, search, result, winner);
      out.end_object();
    }
    out.end_array().key("definition");
    write_json(out, plan.definition);
  }
  out.end_object();
}

}  // namespace mlpd::api
