#include "api/feedback_handlers.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "api/inference_model.h"
#include "api/json_reader.h"
#include "api/negotiation.h"
#include "api/prediction.h"
#include "api/problem.h"

namespace mlpd::api {
namespace {

void write_version(JsonWriter& out, std::string_view name, VersionNumber version) {
  if (version)
    out.field(name, *version);
  else
    out.field(name, kLiveVersion);
}

void write_mean(JsonWriter& out, const Score& score, std::string_view share, std::string_view distance) {
  if (score.rows == 0) return;
  const auto rows = static_cast<double>(score.rows);
  if (score.classifies)
    out.field(share, static_cast<double>(score.equal) / rows);
  else
    out.field(distance, score.distance / rows);
}

void write_shadow(JsonWriter& out, const ShadowView& shadow) {
  out.begin_object();
  write_version(out, "version", shadow.version);
  out.field("since", shadow.since).field("dropped", shadow.dropped).field("failed", shadow.failed);
  out.key("against").begin_array();
  for (const ShadowComparison& with : shadow.against) {
    out.begin_object();
    write_version(out, "version", with.answered);
    out.field("rows", with.agreement.rows);
    write_mean(out, with.agreement, "agreement", "mean_absolute_difference");
    if (with.truth.rows > 0) {
      out.key("feedback").begin_object().field("rows", with.truth.rows);
      write_mean(out, with.truth, "accuracy", "mean_absolute_error");
      write_mean(out, with.shadow, "shadow_accuracy", "shadow_mean_absolute_error");
      out.end_object();
    }
    out.end_object();
  }
  out.end_array().end_object();
}

Response shadow_response(const ShadowView& shadow, int status = 200) {
  std::string body;
  JsonWriter out(body);
  write_shadow(out, shadow);
  return json_response(std::move(body), status);
}

Response put_shadow(const Call& call) {
  Response refused;
  const auto json = read_json_body(call, refused);
  if (!json) return refused;
  Faults faults;
  ObjectReader body(*json, "#", faults);
  body.require("version");
  VersionNumber version;
  if (const Json* given = body.find("version")) {
    const auto* text = given->as<std::string>();
    version = as_integer(*given);
    if (!version && !(text && *text == kLiveVersion))
      body.fault("version", "must be a version's number, or \"live\"");
  }
  body.finish();
  if (!faults.empty()) return problem(faults.error(), call.request);
  const auto set = call.services.feedback->set_shadow(call.parameter("network"), version);
  if (!set) return problem(set.error(), call.request);
  return shadow_response(set->first, set->second ? 201 : 200);
}

Response read_shadow(const Call& call) {
  const auto shadow = call.services.feedback->shadow(call.parameter("network"));
  return shadow ? shadow_response(*shadow) : problem(shadow.error(), call.request);
}

Response delete_shadow(const Call& call) {
  const auto ended = call.services.feedback->end_shadow(call.parameter("network"));
  if (!ended) return problem(ended.error(), call.request);
  Response response;
  response.status = 204;
  return response;
}

/// Reads true answers as training reads targets, one by one.
class TruthReader {
 public:
  TruthReader(const TargetForm& form, Faults& faults) : form_(form), faults_(faults) {}

  void read(const Json& target, const std::string& pointer) {
    truth_.known.push_back(true);
    const auto* row = target.as<JsonNumbers>();
    if (const auto* label = target.as<std::string>())
      add_label(*label, pointer);
    else if (const auto* number = target.as<JsonNumber>())
      add_number(number->value, pointer);
    else if (row && row->size() == form_.outputs)
      add_row(*row, pointer);
    else
      faults_.add(pointer, "must be " + wanted());
  }
  void skip() {
    truth_.known.push_back(false);
    truth_.numbers.resize(truth_.numbers.size() + form_.row_numbers());
  }
  Truth take() { return std::move(truth_); }

 private:
  std::string wanted() const {
    const std::string row = "an array of " + std::to_string(form_.outputs) + " numbers";
    if (form_.classifies) return "a class index, a label or " + row;
    return form_.outputs == 1 ? "a number" : row;
  }
  void add_label(const std::string& label, const std::string& pointer) {
    const auto found = std::find(form_.labels.begin(), form_.labels.end(), label);
    if (found != form_.labels.end())
      return truth_.numbers.push_back(static_cast<double>(found - form_.labels.begin()));
    const std::vector<std::string_view> names(form_.labels.begin(), form_.labels.end());
    faults_.add(pointer, names.empty() ? "is a label, but the network has none; it must be " + wanted()
                                       : "is an unknown label; known: " + list_names(names));
  }
  void add_number(double number, const std::string& pointer) {
    if (form_.classifies &&
        !(number >= 0 && number < static_cast<double>(form_.classes()) && number == std::floor(number)))
      faults_.add(pointer, "must be a class index from 0 to " + std::to_string(form_.classes() - 1));
    else if (!form_.classifies && form_.outputs != 1)
      faults_.add(pointer, "must be " + wanted());
    else
      truth_.numbers.push_back(number);
  }
  void add_row(const JsonNumbers& row, const std::string& pointer) {
    if (row.size() == 1) return add_number(row.front(), pointer);
    if (form_.classifies)
      truth_.numbers.push_back(static_cast<double>(class_of(row.data(), row.size())));
    else
      truth_.numbers.insert(truth_.numbers.end(), row.begin(), row.end());
  }

  const TargetForm& form_;
  Faults& faults_;
  Truth truth_;
};

/// The elements of an array, whatever form the parser gave it.
std::vector<Json> elements_of(const Json& json) {
  std::vector<Json> elements;
  if (const auto* mixed = json.as<JsonArray>()) elements = *mixed;
  if (const auto* numbers = json.as<JsonNumbers>())
    for (const double number : *numbers) elements.emplace_back(JsonNumber{number, 0, false});
  if (const auto* rows = json.as<JsonRows>())
    for (std::size_t r = 0; r < rows->rows(); ++r) {
      const double* first = rows->values.data() + rows->begin_of(r);
      elements.emplace_back(JsonNumbers(first, first + rows->length_of(r)));
    }
  return elements;
}

Truth read_truth(ObjectReader& body, const KeptPrediction& kept) {
  TruthReader reader(kept.form, body.faults());
  const Json* target = body.find("target");
  const Json* targets = body.find("targets");
  if (target && targets) body.fault("targets", "and target can't both be given");
  if (!target && !targets) body.fault("target", "is required, or targets with one for each row");
  if (target && kept.rows != 1)
    body.fault("target",
               "is for one row, but the prediction has " + std::to_string(kept.rows) + ": give targets");
  if (targets && !targets->is_array()) body.fault("targets", "must be an array with one for each row");
  if (!body.faults().empty()) return {};
  if (target) {
    reader.read(*target, "#/target");
    return reader.take();
  }
  const std::vector<Json> rows = elements_of(*targets);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].is_null())
      reader.skip();
    else
      reader.read(rows[r], child("#/targets", r));
  }
  if (rows.size() != kept.rows)
    body.fault("targets", "has " + std::to_string(rows.size()) + " rows, but the prediction has " +
                              std::to_string(kept.rows));
  return reader.take();
}

Response post_feedback(const Call& call) {
  const std::string& network = call.parameter("network");
  Response refused;
  const auto json = read_json_body(call, refused);
  if (!json) return refused;
  Faults faults;
  ObjectReader body(*json, "#", faults);
  body.require("prediction_id");
  const auto id = body.string("prediction_id");
  body.find("target");
  body.find("targets");
  body.finish();
  if (!faults.empty()) return problem(faults.error(), call.request);
  const auto kept = call.services.feedback->kept(network, *id);
  if (!kept) return problem(kept.error(), call.request);
  const Truth truth = read_truth(body, *kept);
  if (!faults.empty()) return problem(faults.error(), call.request);
  const auto counted = call.services.feedback->judge(network, *id, truth);
  if (!counted) return problem(counted.error(), call.request);
  std::string text;
  JsonWriter out(text);
  out.begin_object().field("prediction_id", *id);
  write_version(out, "version", kept->version);
  out.field("counted", *counted).end_object();
  return json_response(std::move(text));
}

}  // namespace

void write_score(JsonWriter& out, const Score& score) {
  out.begin_object().field("rows", score.rows);
  write_mean(out, score, "accuracy", "mean_absolute_error");
  out.end_object();
}

core::Result<std::string> keep_prediction(const Call& call, const AnsweredPrediction& prediction,
                                          bool asked) {
  if (call.services.feedback != nullptr) return call.services.feedback->keep(prediction, asked);
  if (!asked) return std::string();
  return core::Error{core::ErrorCode::invalid_argument, "there is no feedback here", {}};
}

std::vector<Route> feedback_routes() {
  constexpr std::string_view kShadow = "/v1/networks/{network}/shadow";
  return {{.method = "PUT",
           .pattern = kShadow,
           .handler = put_shadow,
           .operation = "putShadow",
           .summary = "Let a version, or the live network, compute what is asked beside the one that answers",
           .scope = Scope::train,
           .limit = BodyLimit::body,
           .request_schema = "ShadowPut",
           .answers = {{200, "Shadow", "it is the shadow"}, {201, "Shadow", "the network had none before"}},
           .problems = {400, 404, 413, 415, 429}},
          {.method = "GET",
           .pattern = kShadow,
           .handler = read_shadow,
           .operation = "readShadow",
           .summary = "Read how the shadow agrees with what answered, and which of them is right",
           .answers = {{200, "Shadow", "the shadow"}},
           .problems = {404}},
          {.method = "DELETE",
           .pattern = kShadow,
           .handler = delete_shadow,
           .operation = "deleteShadow",
           .summary = "End the shadow",
           .scope = Scope::train,
           .answers = {{204, "", "there is none any more"}},
           .problems = {404}},
          {.method = "POST",
           .pattern = "/v1/networks/{network}/feedback",
           .handler = post_feedback,
           .operation = "giveFeedback",
           .summary = "Tell the true answer to an earlier prediction",
           .scope = Scope::predict,
           .limit = BodyLimit::body,
           .request_schema = "Feedback",
           .answers = {{200, "FeedbackAnswer", "how many rows it counted for"}},
           .problems = {400, 404, 413, 415}}};
}

}  // namespace mlpd::api
