#include "server/journal_record.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include "api/journal_document.h"
#include "api/model_document.h"
#include "server/raw_object.h"

namespace mlpd::server {
namespace {

using core::Result;

std::uint64_t milliseconds(api::Timestamp at) {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

api::Timestamp timestamp(std::uint64_t ms) {
  return api::Timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(ms)));
}

core::Error malformed(std::string_view what) {
  return {core::ErrorCode::corrupted, "this is not a " + std::string(what) + " that mlpd wrote"};
}

void write_idempotency(RawObjectWriter& out, const std::string& key, const core::Digest& digest) {
  if (key.empty()) return;
  out.raw("idempotency_key", write_idempotency_key(key)).plain("request_digest", digest.hex());
}

void write_ttl(RawObjectWriter& out, std::optional<std::uint64_t> ttl_s) {
  out.raw("ttl_s", ttl_s ? std::to_string(*ttl_s) : "null");
}

std::optional<std::uint64_t> read_ttl(const RawObject& in) {
  if (in.raw("ttl_s") == "null" || !in.has("ttl_s")) return std::nullopt;
  return in.number("ttl_s");
}

constexpr std::string_view kSteering[] = {"pause", "resume", "cancel"};
constexpr std::string_view kEvents[] = {"settings", "job_started", "job_ended", "restored"};

std::string write_last_record(const core::Record& record) { return api::write_history({1, 1, {record}}); }

std::string write_event(const Folded::Event& event) {
  RawObjectWriter out;
  out.number("sequence", event.sequence).plain("kind", kEvents[static_cast<std::size_t>(event.kind)]);
  out.number("step", event.step);
  if (event.hyper_parameters) {
    out.raw("hyper_parameters", api::write_hyper_parameters(*event.hyper_parameters));
  }
  if (!event.job.empty()) out.plain("job", event.job).number("steps_done", event.steps_done);
  return out.flag("cut_short", event.cut_short).flag("failed", event.failed).finish();
}

struct Writer {
  std::string operator()(const SettingsChanged& record) const {
    RawObjectWriter out;
    out.plain("type", "settings_changed").number("step", record.step).number("at", milliseconds(record.at));
    if (record.hyper_parameters) {
      out.raw("hyper_parameters", api::write_hyper_parameters(*record.hyper_parameters));
    }
    if (record.labels) out.raw("labels", api::write_labels(*record.labels));
    if (record.ttl_s) write_ttl(out, *record.ttl_s);
    if (!record.state_sha256.empty()) out.plain("state_sha256", record.state_sha256);
    return out.finish();
  }
  std::string operator()(const JobAccepted& record) const {
    RawObjectWriter out;
    out.plain("type", "job_accepted").plain("id", record.id).number("at", milliseconds(record.at));
    if (!record.request.empty()) out.raw("request", record.request);
    out.number("steps", record.steps).plain("data", record.data.hex());
    if (!record.dataset.empty()) out.plain("dataset", record.dataset);
    if (!record.rows.empty()) out.raw("rows", record.rows);
    if (!record.class_labels.empty()) out.raw("class_labels", api::write_class_labels(record.class_labels));
    write_idempotency(out, record.idempotency_key, record.request_digest);
    return out.finish();
  }
  std::string operator()(const JobStarted& record) const {
    RawObjectWriter out;
    out.plain("type", "job_started").plain("id", record.id).number("step", record.step);
    out.number("at", milliseconds(record.at));
    if (record.hyper_parameters) {
      out.raw("hyper_parameters", api::write_hyper_parameters(*record.hyper_parameters));
    }
    return out.finish();
  }
  std::string operator()(const JobSteered& record) const {
    RawObjectWriter out;
    return out.plain("type", "job_steered")
        .plain("id", record.id)
        .plain("steering", kSteering[static_cast<std::size_t>(record.steering)])
        .number("at", milliseconds(record.at))
        .finish();
  }
  std::string operator()(const JobEnded& record) const {
    RawObjectWriter out;
    out.plain("type", "job_ended").raw("job", api::write_job(record.job));
    out.flag("cut_short", record.cut_short);
    if (record.last_record) out.raw("last_record", write_last_record(*record.last_record));
    if (!record.state_sha256.empty()) out.plain("state_sha256", record.state_sha256);
    if (record.step_ns > 0) out.number("step_ns", record.step_ns);
    return out.finish();
  }
  std::string operator()(const TravelShortened& record) const {
    RawObjectWriter out;
    return out.plain("type", "travel_shortened").number("from_step", record.from_step).finish();
  }
  std::string operator()(const Restored& record) const {
    RawObjectWriter out;
    out.plain("type", "restored").number("step", record.step).number("sequence", record.sequence);
    out.number("at", milliseconds(record.at));
    out.raw("hyper_parameters", api::write_hyper_parameters(record.hyper_parameters));
    if (record.last_record) out.raw("last_record", write_last_record(*record.last_record));
    return out.plain("state_sha256", record.state_sha256).finish();
  }
  std::string operator()(const Folded& record) const {
    std::vector<std::string> jobs;
    for (const Folded::Job& job : record.jobs) {
      RawObjectWriter out;
      out.raw("accepted", (*this)(job.accepted)).raw("view", api::write_job(job.view));
      out.flag("started", job.started).flag("cancel_requested", job.cancel_requested);
      if (job.step_ns > 0) out.number("step_ns", job.step_ns);
      jobs.push_back(out.flag("listed", job.listed).finish());
    }
    std::vector<std::string> events;
    for (const Folded::Event& event : record.events) events.push_back(write_event(event));
    RawObjectWriter out;
    out.plain("type", "folded").number("at", milliseconds(record.updated_at)).number("step", record.step);
    out.number("base_step", record.base.step).number("base_sequence", record.base.sequence);
    out.number("replayable_from", record.replayable_from);
    out.number("restored_sequence", record.restored_sequence);
    out.raw("hyper_parameters", api::write_hyper_parameters(record.hyper_parameters));
    if (record.last_record) out.raw("last_record", write_last_record(*record.last_record));
    out.plain("state_sha256", record.state_sha256).raw("labels", api::write_labels(record.labels));
    if (!record.class_labels.empty()) out.raw("class_labels", api::write_class_labels(record.class_labels));
    write_ttl(out, record.ttl_s);
    if (!record.data.empty()) out.plain("data", record.data);
    return out.items("jobs", jobs).items("events", events).finish();
  }
};

Result<JournalRecord> read_settings(const RawObject& in) {
  SettingsChanged record;
  record.step = in.number("step");
  record.at = timestamp(in.number("at"));
  record.state_sha256 = in.plain("state_sha256");
  if (in.has("hyper_parameters")) {
    Result<core::HyperParameters> read = api::read_hyper_parameters(in.raw("hyper_parameters"));
    if (!read.ok()) return read.error();
    record.hyper_parameters = *std::move(read);
  }
  if (in.has("labels")) {
    Result<api::Labels> read = api::read_labels(in.raw("labels"));
    if (!read.ok()) return read.error();
    record.labels = *std::move(read);
  }
  if (in.has("ttl_s")) record.ttl_s = read_ttl(in);
  return JournalRecord(std::move(record));
}

Result<JournalRecord> read_accepted(const RawObject& in) {
  JobAccepted record;
  record.id = in.plain("id");
  record.request = in.raw("request");
  record.rows = in.raw("rows");
  record.steps = in.number("steps");
  record.dataset = in.plain("dataset");
  record.idempotency_key = read_idempotency_key(in.raw("idempotency_key"));
  record.at = timestamp(in.number("at"));
  if (in.has("class_labels")) {
    Result<std::vector<std::string>> read = api::read_class_labels(in.raw("class_labels"));
    if (!read.ok()) return read.error();
    record.class_labels = *std::move(read);
  }
  if (!parse_digest(in.plain("data"), record.data)) return malformed("job");
  if (!record.idempotency_key.empty() && !parse_digest(in.plain("request_digest"), record.request_digest)) {
    return malformed("job");
  }
  return JournalRecord(std::move(record));
}

Result<JournalRecord> read_started(const RawObject& in) {
  JobStarted record{in.plain("id"), in.number("step"), timestamp(in.number("at")), {}};
  if (in.has("hyper_parameters")) {
    Result<core::HyperParameters> read = api::read_hyper_parameters(in.raw("hyper_parameters"));
    if (!read.ok()) return read.error();
    record.hyper_parameters = *std::move(read);
  }
  return JournalRecord(std::move(record));
}

Result<std::optional<core::Record>> read_last_record(const RawObject& in) {
  if (!in.has("last_record")) return std::optional<core::Record>();
  Result<core::History::State> read = api::read_history(in.raw("last_record"));
  if (!read.ok()) return read.error();
  if (read->records.empty()) return std::optional<core::Record>();
  return std::optional(read->records.back());
}

Result<JournalRecord> read_ended(const RawObject& in) {
  JobEnded record;
  Result<api::JobView> job = api::read_job(in.raw("job"));
  if (!job.ok()) return job.error();
  record.job = *std::move(job);
  record.cut_short = in.flag("cut_short");
  record.step_ns = in.number("step_ns");
  record.state_sha256 = in.plain("state_sha256");
  Result<std::optional<core::Record>> last = read_last_record(in);
  if (!last.ok()) return last.error();
  record.last_record = *last;
  return JournalRecord(std::move(record));
}

Result<JournalRecord> read_restored(const RawObject& in) {
  Restored record;
  record.step = in.number("step");
  record.sequence = in.number("sequence");
  record.at = timestamp(in.number("at"));
  record.state_sha256 = in.plain("state_sha256");
  Result<core::HyperParameters> read = api::read_hyper_parameters(in.raw("hyper_parameters"));
  if (!read.ok()) return read.error();
  record.hyper_parameters = *std::move(read);
  Result<std::optional<core::Record>> last = read_last_record(in);
  if (!last.ok()) return last.error();
  record.last_record = *last;
  return JournalRecord(std::move(record));
}

Result<Folded::Event> read_event(std::string_view text) {
  const std::optional<RawObject> in = RawObject::parse(text);
  if (!in) return malformed("event");
  Folded::Event event;
  event.sequence = in->number("sequence");
  event.step = in->number("step");
  event.job = in->plain("job");
  event.steps_done = in->number("steps_done");
  event.cut_short = in->flag("cut_short");
  event.failed = in->flag("failed");
  const auto* kind = std::find(std::begin(kEvents), std::end(kEvents), in->plain("kind"));
  if (kind == std::end(kEvents)) return malformed("event");
  event.kind = static_cast<EventKind>(kind - std::begin(kEvents));
  if (event.kind != EventKind::settings) return event;
  Result<core::HyperParameters> read = api::read_hyper_parameters(in->raw("hyper_parameters"));
  if (!read.ok()) return read.error();
  event.hyper_parameters = *std::move(read);
  return event;
}

Result<Folded::Job> read_folded_job(std::string_view text) {
  const std::optional<RawObject> in = RawObject::parse(text);
  const std::optional<RawObject> accepted = in ? RawObject::parse(in->raw("accepted")) : std::nullopt;
  if (!accepted) return malformed("job");
  Result<JournalRecord> read = read_accepted(*accepted);
  if (!read.ok()) return read.error();
  Result<api::JobView> view = api::read_job(in->raw("view"));
  if (!view.ok()) return view.error();
  return Folded::Job{std::get<JobAccepted>(*std::move(read)),
                     *std::move(view),
                     in->flag("started"),
                     in->flag("cancel_requested"),
                     in->flag("listed"),
                     in->number("step_ns")};
}

Result<JournalRecord> read_folded(const RawObject& in) {
  Folded record;
  record.base = {in.number("base_step"), in.number("base_sequence")};
  record.replayable_from = in.number("replayable_from");
  record.restored_sequence = in.number("restored_sequence");
  record.step = in.number("step");
  record.updated_at = timestamp(in.number("at"));
  record.state_sha256 = in.plain("state_sha256");
  record.ttl_s = read_ttl(in);
  record.data = in.plain("data");
  Result<core::HyperParameters> settings = api::read_hyper_parameters(in.raw("hyper_parameters"));
  if (!settings.ok()) return settings.error();
  record.hyper_parameters = *std::move(settings);
  Result<std::optional<core::Record>> last = read_last_record(in);
  if (!last.ok()) return last.error();
  record.last_record = *last;
  Result<api::Labels> labels = api::read_labels(in.raw("labels"));
  if (!labels.ok()) return labels.error();
  record.labels = *std::move(labels);
  if (in.has("class_labels")) {
    Result<std::vector<std::string>> read = api::read_class_labels(in.raw("class_labels"));
    if (!read.ok()) return read.error();
    record.class_labels = *std::move(read);
  }
  for (const std::string_view text : in.items("jobs")) {
    Result<Folded::Job> job = read_folded_job(text);
    if (!job.ok()) return job.error();
    record.jobs.push_back(*std::move(job));
  }
  for (const std::string_view text : in.items("events")) {
    Result<Folded::Event> event = read_event(text);
    if (!event.ok()) return event.error();
    record.events.push_back(*std::move(event));
  }
  return JournalRecord(std::move(record));
}

}  // namespace

std::string write_record(const JournalRecord& record) { return std::visit(Writer{}, record); }

Result<JournalRecord> read_record(std::string_view text) {
  const std::optional<RawObject> in = RawObject::parse(text);
  if (!in) return malformed("record");
  const std::string type = in->plain("type");
  if (type == "settings_changed") return read_settings(*in);
  if (type == "job_accepted") return read_accepted(*in);
  if (type == "job_started") return read_started(*in);
  if (type == "job_steered") {
    const std::string steering = in->plain("steering");
    for (std::size_t i = 0; i < 3; ++i) {
      if (kSteering[i] != steering) continue;
      return JournalRecord(
          JobSteered{in->plain("id"), static_cast<JobSteering>(i), timestamp(in->number("at"))});
    }
  }
  if (type == "job_ended") return read_ended(*in);
  if (type == "restored") return read_restored(*in);
  if (type == "folded") return read_folded(*in);
  if (type == "travel_shortened") return JournalRecord(TravelShortened{in->number("from_step")});
  return malformed("record");
}

std::string write_identity(const NetworkIdentity& identity) {
  RawObjectWriter out;
  out.number("format_version", kStoreFormatVersion)
      .plain("name", identity.name)
      .plain("incarnation", identity.incarnation)
      .number("created_at", milliseconds(identity.created_at))
      .raw("spec", api::write_spec(identity.spec))
      .raw("labels", api::write_labels(identity.labels))
      .plain("state_sha256", identity.state_sha256);
  write_ttl(out, identity.ttl_s);
  write_idempotency(out, identity.idempotency_key, identity.request_digest);
  if (identity.forked_from) {
    out.plain("forked_from", identity.forked_from->first).number("forked_at", identity.forked_from->second);
  }
  if (identity.data) out.raw("data", Writer{}(*identity.data));
  if (identity.start_step) out.number("start_step", *identity.start_step);
  out.flag("preprocessed", identity.preprocessed);
  return out.finish();
}

Result<NetworkIdentity> read_identity(std::string_view text) {
  const std::optional<RawObject> in = RawObject::parse(text);
  if (!in) return malformed("network");
  if (in->number("format_version") != kStoreFormatVersion) {
    return core::Error{core::ErrorCode::corrupted,
                       "format_version " + std::string(in->raw("format_version")) + " is not " +
                           std::to_string(kStoreFormatVersion) + ", which this mlpd reads"};
  }
  NetworkIdentity identity;
  identity.name = in->plain("name");
  identity.incarnation = in->plain("incarnation");
  identity.created_at = timestamp(in->number("created_at"));
  identity.state_sha256 = in->plain("state_sha256");
  identity.ttl_s = read_ttl(*in);
  Result<core::NetworkSpec> spec = api::read_spec(in->raw("spec"));
  if (!spec.ok()) return spec.error();
  identity.spec = *std::move(spec);
  Result<api::Labels> labels = api::read_labels(in->raw("labels"));
  if (!labels.ok()) return labels.error();
  identity.labels = *std::move(labels);
  identity.idempotency_key = read_idempotency_key(in->raw("idempotency_key"));
  if (!identity.idempotency_key.empty() &&
      !parse_digest(in->plain("request_digest"), identity.request_digest)) {
    return malformed("network");
  }
  if (in->has("forked_from")) identity.forked_from.emplace(in->plain("forked_from"), in->number("forked_at"));
  if (in->has("data")) {
    Result<JournalRecord> data = read_record(in->raw("data"));
    if (!data.ok()) return data.error();
    const auto* accepted = std::get_if<JobAccepted>(&*data);
    if (accepted == nullptr) return malformed("network");
    identity.data = std::make_shared<const JobAccepted>(*accepted);
  }
  if (in->has("start_step")) identity.start_step = in->number("start_step");
  identity.preprocessed = in->flag("preprocessed");
  return identity;
}

std::string write_state(const StoredState& state) {
  RawObjectWriter out;
  if (!state.job.empty()) out.plain("job", state.job);
  if (state.progress) out.raw("progress", api::write_progress(*state.progress));
  api::ModelExport model;
  model.checkpoint = state.checkpoint;
  out.raw("model", api::write_model(model, api::ArrayForm::base64));
  return out.finish();
}

Result<StoredState> read_state(std::string_view text) {
  const std::optional<RawObject> in = RawObject::parse(text);
  if (!in) return malformed("checkpoint");
  StoredState state;
  state.job = in->plain("job");
  if (in->has("progress")) {
    Result<core::TrainingProgress> progress = api::read_progress(in->raw("progress"));
    if (!progress.ok()) return progress.error();
    state.progress = *std::move(progress);
  }
  // What was made under other limits stays readable: its size is what was written.
  core::NetworkLimits unlimited;
  unlimited.layers = unlimited.units = unlimited.parameters = std::numeric_limits<std::uint32_t>::max();
  Result<api::ModelExport> model = api::read_model(in->raw("model"), unlimited);
  if (!model.ok()) return model.error();
  state.checkpoint = std::move(model->checkpoint);
  return state;
}

std::string write_stored_history(CheckpointKey key, const core::History::State& history, std::size_t kept) {
  RawObjectWriter out;
  out.number("step", key.step).number("sequence", key.sequence);
  if (kept > 0) out.number("kept", kept);
  return out.raw("history", api::write_history(history)).finish();
}

Result<std::pair<CheckpointKey, core::History::State>> read_stored_history(
    const std::vector<std::string>& texts) {
  std::pair<CheckpointKey, core::History::State> whole;
  for (const std::string& text : texts) {
    const std::optional<RawObject> in = RawObject::parse(text);
    if (!in) return malformed("history");
    Result<core::History::State> part = api::read_history(in->raw("history"));
    if (!part.ok()) return part.error();
    auto& [key, history] = whole;
    if (in->number("kept") > history.records.size()) return malformed("history");
    key = {in->number("step"), in->number("sequence")};
    history.records.resize(in->number("kept"));
    history.records.insert(history.records.end(), part->records.begin(), part->records.end());
    history.stride = part->stride;
    history.seen = part->seen;
  }
  return whole;
}

/// Kept inside a JSON string by the writer of labels.
std::string write_idempotency_key(const std::string& key) { return api::write_labels({{"key", key}}); }

std::string read_idempotency_key(std::string_view text) {
  if (text.empty()) return {};
  const Result<api::Labels> labels = api::read_labels(text);
  return labels.ok() && labels->contains("key") ? labels->at("key") : std::string();
}

bool parse_digest(std::string_view hex, core::Digest& digest) {
  if (hex.size() != 64) return false;
  for (std::size_t i = 0; i < 32; ++i) {
    const char* digits = hex.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, digest.bytes[i], 16).ptr != digits + 2) return false;
  }
  return true;
}

}  // namespace mlpd::server
