#include "api/encode_network.h"

#include "api/encode_job.h"
#include "api/model_document.h"
#include "api/negotiation.h"
#include "api/number_block.h"
#include "api/preprocess_document.h"
#include "core/named_table.h"

namespace mlpd::api {
namespace {

using core::name_of;

void write_initializer(JsonWriter& out, const core::InitializerOptions& initializer) {
  for (const core::InitializerRow& row : core::initializers()) {
    if (row.value != initializer.kind) continue;
    if (row.parameter_name.empty())
      out.value(row.name);
    else
      out.begin_object()
          .field("type", row.name)
          .field(row.parameter_name, initializer.parameter)
          .end_object();
  }
}

void write_dense(JsonWriter& out, const core::LayerSpec& layer, StartNumbers start_numbers) {
  out.field("units", layer.units).field("activation", name_of(core::activations(), layer.activation));
  const bool start = start_numbers == StartNumbers::include;
  if (start && layer.bias && !layer.start_bias.empty()) {
    const std::size_t shape[] = {layer.start_bias.size()};
    out.key("bias");
    write_numbers(out, layer.start_bias, shape, layer.start_bias.size() > kReadableNumbersMax);
  } else {
    out.field("bias", layer.bias);
  }
  if (layer.initializer) {
    out.key("initializer");
    write_initializer(out, *layer.initializer);
  }
  if (start && !layer.start_weights.empty() && layer.units > 0) {
    const std::size_t shape[] = {layer.start_weights.size() / layer.units, layer.units};
    out.key("weights");
    write_numbers(out, layer.start_weights, shape, layer.start_weights.size() > kReadableNumbersMax);
  }
}

void write_layers(JsonWriter& out, const std::vector<core::LayerSpec>& layers, StartNumbers start_numbers) {
  out.begin_array();
  for (const core::LayerSpec& layer : layers) {
    out.begin_object().field("type", name_of(core::layer_kinds(), layer.kind));
    switch (layer.kind) {
      case core::LayerKind::dense:
        write_dense(out, layer, start_numbers);
        break;
      case core::LayerKind::dropout:
        out.field("rate", layer.rate);
        break;
      case core::LayerKind::layer_norm:
        out.field("epsilon", layer.epsilon);
        break;
      case core::LayerKind::batch_norm:
        out.field("momentum", layer.momentum).field("epsilon", layer.epsilon);
        break;
      case core::LayerKind::residual:
        out.key("layers");
        write_layers(out, layer.layers, start_numbers);
        break;
    }
    out.end_object();
  }
  out.end_array();
}

void write_optimizer(JsonWriter& out, const core::OptimizerOptions& optimizer) {
  out.begin_object().field("type", name_of(core::optimizers(), optimizer.kind));
  out.field("learning_rate", optimizer.learning_rate);
  for (const core::OptimizerRow& row : core::optimizers()) {
    if (row.value != optimizer.kind) continue;
    for (std::string_view field : row.fields) {
      if (field == "momentum") out.field(field, optimizer.momentum);
      if (field == "nesterov") out.field(field, optimizer.nesterov);
      if (field == "decay") out.field(field, optimizer.decay);
      if (field == "betas") out.key(field).values(std::vector<double>{optimizer.beta1, optimizer.beta2});
      if (field == "epsilon") out.field(field, optimizer.epsilon);
      if (field == "weight_decay") out.field(field, optimizer.weight_decay);
    }
  }
  out.end_object();
}

void write_schedule(JsonWriter& out, const core::ScheduleOptions& schedule) {
  out.begin_object().field("type", name_of(core::schedules(), schedule.kind));
  for (const core::ScheduleRow& row : core::schedules()) {
    if (row.value != schedule.kind) continue;
    for (std::string_view field : row.fields) {
      if (field == "every") out.field(field, schedule.every);
      if (field == "factor") out.field(field, schedule.factor);
      if (field == "decay") out.field(field, schedule.decay);
      if (field == "steps") out.field(field, schedule.steps);
      if (field == "minimum") out.field(field, schedule.minimum);
      if (field == "maximum") out.field(field, schedule.maximum);
      if (field == "patience") out.field(field, schedule.patience);
      if (field == "then" && !schedule.then.empty()) {
        out.key(field);
        write_schedule(out, schedule.then.front());
      }
    }
  }
  out.end_object();
}

void write_loss(JsonWriter& out, const core::LossOptions& loss) {
  const std::string_view name = name_of(core::losses(), loss.kind);
  if (loss.label_smoothing == 0)
    out.value(name);
  else
    out.begin_object().field("type", name).field("label_smoothing", loss.label_smoothing).end_object();
}

void write_preprocess_field(JsonWriter& out, const std::shared_ptr<const core::Preprocess>& preprocess) {
  if (!preprocess) return;
  out.key("preprocess");
  write_preprocess(out, *preprocess);
}

}  // namespace

void write_labels(JsonWriter& out, const Labels& labels) {
  out.begin_object();
  for (const auto& [key, value] : labels) out.field(key, value);
  out.end_object();
}

void write_hyper_parameter_fields(JsonWriter& out, const core::HyperParameters& hyper_parameters) {
  out.key("optimizer");
  write_optimizer(out, hyper_parameters.optimizer);
  out.key("schedule");
  write_schedule(out, hyper_parameters.schedule);
  out.key("regularization").begin_object();
  out.field("l1", hyper_parameters.regularization.l1)
      .field("l2", hyper_parameters.regularization.l2)
      .end_object();
  out.key("gradient_clip").begin_object();
  out.field("norm", hyper_parameters.gradient_clip.norm).field("value", hyper_parameters.gradient_clip.value);
  out.end_object();
}

void write_spec_fields(JsonWriter& out, const core::NetworkSpec& spec, StartNumbers start_numbers) {
  out.field("inputs", spec.inputs);
  if (!spec.input_names.empty()) out.key("input_names").values(spec.input_names);
  if (!spec.class_labels.empty()) out.key("class_labels").values(spec.class_labels);
  out.key("layers");
  write_layers(out, spec.layers, start_numbers);
  out.key("loss");
  write_loss(out, spec.loss);
  write_hyper_parameter_fields(out, spec.hyper_parameters);
  out.field("ema", spec.ema).field("seed", spec.seed).field("dtype", core::name_of(spec.dtype));
}

void write_network(JsonWriter& out, const NetworkView& network) {
  out.begin_object().field("name", network.name);
  out.field("state", network.state).field("step", network.step).field("parameters", network.parameters);
  write_spec_fields(out, network.spec, StartNumbers::leave_out);
  out.key("labels");
  write_labels(out, network.labels);
  out.optional_field("ttl_s", network.ttl_s);
  if (network.last_record) {
    out.key("last_record");
    write_record(out, *network.last_record);
  }
  if (network.last_job) {
    out.key("last_job");
    write_job_view(out, *network.last_job);
  }
  out.field("state_sha256", network.state_sha256);
  out.field("created_at", network.created_at).field("updated_at", network.updated_at);
  if (network.forked_from)
    out.key("forked_from")
        .begin_object()
        .field("network", network.forked_from->first)
        .field("step", network.forked_from->second)
        .end_object();
  out.field("replayable_from", network.replayable_from).optional_field("disk_bytes", network.disk_bytes);
  if (!network.datasets.empty()) out.key("datasets").values(network.datasets);
  write_preprocess_field(out, network.preprocess);
  out.end_object();
}

Response network_response(const NetworkView& network, int status) {
  std::string body;
  JsonWriter out(body);
  write_network(out, network);
  Response response = json_response(std::move(body), status);
  response.set_header("ETag", quoted_etag(network.etag));
  return response;
}

void write_network_preview(JsonWriter& out, const CreateNetwork& request) {
  const std::size_t parameters = core::parameter_count(request.spec);
  const std::size_t width = request.spec.dtype == core::Dtype::float32 ? 4 : 8;
  // Parameters, gradient, two optimizer states at most, and the snapshot that serves.
  static constexpr std::size_t kCopies = 5;
  out.begin_object().field("dry_run", true);
  if (!request.name.empty()) out.field("name", request.name);
  out.field("parameters", parameters).field("memory_bytes", parameters * width * kCopies);
  out.field("outputs", core::output_count(request.spec));
  write_spec_fields(out, request.spec, StartNumbers::leave_out);
  out.key("labels");
  write_labels(out, request.labels);
  out.optional_field("ttl_s", request.ttl_s);
  write_preprocess_field(out, request.preprocess);
  out.end_object();
}

}  // namespace mlpd::api
