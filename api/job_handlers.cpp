#include "api/job_handlers.h"

#include <algorithm>

#include "api/decode_train.h"
#include "api/encode_job.h"
#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"

namespace mlpd::api {
namespace {

Response job_response(const JobView& job, int status = 200) {
  std::string body;
  JsonWriter out(body);
  write_job_view(out, job);
  return json_response(std::move(body), status);
}

Response answer(const Call& call, const core::Result<JobView>& job) {
  return job ? job_response(*job) : problem(job.error(), call.request);
}

bool has_ended(JobState state) {
  switch (state) {
    case JobState::queued:
    case JobState::running:
    case JobState::paused:
      return false;
    case JobState::succeeded:
    case JobState::failed:
    case JobState::cancelled:
      return true;
  }
  return true;
}

// What a dry run of train answers: how much there would be to do.
Response train_preview(const Call& call, const NetworkView& network, const TrainRequest& request) {
  const auto data = call.services.networks.data(network.name, request.data);
  if (!data) return problem(data.error(), call.request);
  const core::Dataset& rows = **data;
  core::NetworkSpec spec = network.spec;
  if (!request.class_labels.empty()) spec.class_labels = request.class_labels;
  if (request.hyper_parameters) spec.hyper_parameters = *request.hyper_parameters;
  if (auto valid = core::check_plan(request.plan, spec, rows); !valid)
    return problem(valid.error(), call.request);
  const std::size_t training = rows.rows - core::held_out_count(rows.rows, request.plan.validation_fraction);
  const std::size_t asked = static_cast<std::size_t>(request.plan.batches.batch_size);
  const std::size_t batch = asked == 0 ? training : std::min(asked, training);
  const std::uint64_t batches = (training + batch - 1) / batch;
  const std::uint64_t most = call.services.system.limits().job_steps_max;
  if (request.epochs && *request.epochs > most / batches)
    return problem({core::ErrorCode::invalid_argument,
                    "a job does 1 to " + std::to_string(most) + " steps",
                    {{"#/epochs", "make " + std::to_string(batches) + " steps each: too many"}}},
                   call.request);
  const std::uint64_t steps = request.epochs ? *request.epochs * batches : request.plan.steps;
  // Forward, gradient of the inputs and of the weights: 2 operations each for every weight and row.
  static constexpr double kOperations = 6;
  static constexpr double kOperationsPerSecond = 1e10;  // a small network on one core, measured
  double seconds = kOperations * static_cast<double>(network.parameters) * static_cast<double>(batch) *
                   static_cast<double>(steps) / kOperationsPerSecond;
  if (request.pace_steps_per_second)
    seconds = std::max(seconds, static_cast<double>(steps) / *request.pace_steps_per_second);
  if (request.max_seconds) seconds = std::min(seconds, *request.max_seconds);
  const std::size_t width = network.spec.dtype == core::Dtype::float32 ? 4 : 8;
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("dry_run", true).field("network", network.name);
  out.field("rows", rows.rows)
      .field("training_rows", training)
      .field("validation_rows", rows.rows - training);
  out.field("inputs", rows.input_count).field("outputs", rows.output_count);
  if (!rows.class_labels.empty()) out.key("class_labels").values(rows.class_labels);
  out.field("batch_size", batch).field("batches_per_epoch", batches).field("steps_total", steps);
  out.field("parameters", network.parameters);
  out.field("memory_bytes", rows.rows * (rows.input_count + rows.output_count) * width);
  out.field("estimated_seconds", seconds).end_object();
  return json_response(std::move(body));
}

}  // namespace

Response train_network(const Call& call) {
  Response refused;
  const auto dry_run = query_flag(call.request, "dry_run");
  if (!dry_run) return problem(dry_run.error(), call.request);
  const auto key = idempotency(call.request);
  if (!key) return problem(key.error(), call.request);
  const auto prefer = preference(call.request);
  if (!prefer) return problem(prefer.error(), call.request);
  const auto network = call.services.networks.read(call.parameter("network"));
  if (!network) return problem(network.error(), call.request);
  const auto json = read_json_body(call, refused, true);
  if (!json) return refused;
  auto request = decode_train(*json, *network, call.services.system.limits());
  if (!request) return problem(request.error(), call.request);
  request->idempotency = *key;
  if (*dry_run) return train_preview(call, *network, *request);
  auto job = call.services.jobs.train(network->name, *request);
  if (!job) return problem(job.error(), call.request);
  if (prefer->wait.count() > 0 && !has_ended(job->state)) {
    job = call.services.jobs.wait(job->id, prefer->wait);
    if (!job) return problem(job.error(), call.request);
  }
  Response response = job_response(*job, has_ended(job->state) ? 200 : 202);
  response.set_header("Location", "/v1/jobs/" + job->id);
  if (!prefer->applied.empty()) response.set_header("Preference-Applied", prefer->applied);
  return response;
}

Response list_jobs(const Call& call) {
  static constexpr Media kOffered[] = {Media::json, Media::csv, Media::ndjson};
  const auto media = choose_media(call.request, kOffered);
  if (!media) return problem(406, media.error().message, call.request);
  const auto query = page_query(call.request, CursorForm::number);
  if (!query) return problem(query.error(), call.request);
  const auto page =
      call.services.jobs.list(*query, std::string(call.request.query_value("network").value_or("")));
  std::string body;
  if (*media == Media::csv) {
    body = "id,network,state,steps_done,steps_total,step,loss,created_at,kind\n";
    for (const JobView& job : page.items) {
      body += job.id + ',' + job.network + ',' + std::string(name_of(job.state)) + ',' +
              std::to_string(job.steps_done) + ',' + std::to_string(job.steps_total) + ',' +
              std::to_string(job.step) + ',';
      if (job.loss) append_number(body, *job.loss);
      body += ',' + format_timestamp(job.created_at) + (job.replay ? ",replay\n" : ",\n");
    }
    return media_response(*media, std::move(body));
  }
  if (*media == Media::ndjson) {
    for (const JobView& job : page.items) {
      JsonWriter out(body);
      write_job_view(out, job);
      body += '\n';
    }
    return media_response(*media, std::move(body));
  }
  JsonWriter out(body);
  out.begin_object().key("jobs").begin_array();
  for (const JobView& job : page.items) write_job_view(out, job);
  out.end_array();
  if (!page.next_cursor.empty()) out.field("next_cursor", page.next_cursor);
  out.end_object();
  return json_response(std::move(body));
}

Response read_job(const Call& call) { return answer(call, call.services.jobs.read(call.parameter("job"))); }
Response cancel_job(const Call& call) {
  return answer(call, call.services.jobs.cancel(call.parameter("job")));
}
Response pause_job(const Call& call) { return answer(call, call.services.jobs.pause(call.parameter("job"))); }
Response resume_job(const Call& call) {
  return answer(call, call.services.jobs.resume(call.parameter("job")));
}

}  // namespace mlpd::api
