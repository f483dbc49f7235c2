#include "api/model_handlers.h"

#include "api/decode_network.h"
#include "api/encode_network.h"
#include "api/json_writer.h"
#include "api/model_document.h"
#include "api/negotiation.h"
#include "api/onnx.h"
#include "api/problem.h"

namespace mlpd::api {
namespace {

core::Result<std::string> read_body(const Request& request) {
  static constexpr std::size_t kPieceBytes = 1u << 18;
  if (!request.body_stream) return request.body;
  std::string body;
  while (true) {
    const std::size_t size = body.size();
    body.resize(size + kPieceBytes);
    const auto read = request.body_stream->read(body.data() + size, kPieceBytes);
    if (!read) return read.error();
    body.resize(size + *read);
    if (*read == 0) return body;
  }
}

/// If-None-Match: * keeps what is there. Other tags have no use here.
core::Result<bool> wants_new(const Request& request) {
  const auto tags = entity_tags(request, "If-None-Match");
  if (tags.empty()) return false;
  if (tags.size() == 1 && tags.front() == "*") return true;
  return core::Error{core::ErrorCode::invalid_argument, "If-None-Match takes * alone here", {}};
}

/// The model document, or an ONNX model where the content type says so.
core::Result<ModelExport> read_any_model(const Call& call, const std::string& body) {
  const core::NetworkLimits& limits = call.services.system.limits().network;
  if (call.request.header("Content-Type") != content_type(Media::onnx)) return read_model(body, limits);
  auto checkpoint = read_onnx(body, limits);
  if (!checkpoint) return checkpoint.error();
  ModelExport model;
  model.checkpoint = std::move(*checkpoint);
  return model;
}

}  // namespace

Response export_model(const Call& call) {
  static constexpr Media kOffered[] = {Media::json, Media::onnx};
  const auto media = choose_media(call.request, kOffered);
  if (!media) return problem(406, media.error().message, call.request);
  const auto step = query_integer(call.request, "step");
  if (!step) return problem(step.error(), call.request);
  const auto with_history = query_flag(call.request, "history");
  if (!with_history) return problem(with_history.error(), call.request);
  const auto model = call.services.networks.export_model(call.parameter("network"), *step, *with_history);
  if (!model) return problem(model.error(), call.request);
  if (*media == Media::json) return json_response(write_model(*model, ArrayForm::readable));
  auto onnx = write_onnx(model->checkpoint, model->name);
  if (!onnx) return problem(onnx.error(), call.request);
  return media_response(*media, std::move(*onnx));
}

Response import_model(const Call& call) {
  const std::string& name = call.parameter("network");
  if (!is_valid_name(name)) {
    core::Error error{core::ErrorCode::invalid_argument, "the name in the path " + name_rule(), {}};
    return problem(error, call.request);
  }
  const auto only_new = wants_new(call.request);
  if (!only_new) return problem(only_new.error(), call.request);
  const auto body = read_body(call.request);
  if (!body && body.error().code == core::ErrorCode::resource_exhausted)
    return problem(413, body.error().message, call.request);
  if (!body) return problem(body.error(), call.request);
  auto model = read_any_model(call, *body);
  if (!model) {
    core::Error error = std::move(model).error();
    if (error.code == core::ErrorCode::invalid_argument && error.fields.empty())  // it isn't JSON at all
      return problem(400, error.message, call.request);
    error.code = core::ErrorCode::invalid_argument;  // a damaged document is the sender's, not the store's
    return problem(error, call.request);
  }
  model->name = name;
  const auto present = [&] {
    const auto network = call.services.networks.read(name);
    return network ? network->etag : std::string();
  };
  const auto imported = call.services.networks.import_model(name, if_match(call.request, present),
                                                            std::move(*model), *only_new);
  if (!imported) return problem(imported.error(), call.request);
  std::string text;
  JsonWriter out(text);
  write_network(out, imported->first);
  Response response = json_response(std::move(text), imported->second ? 201 : 200);
  response.set_header("ETag", quoted_etag(imported->first.etag));
  if (imported->second) response.set_header("Location", "/v1/networks/" + name);
  return response;
}

}  // namespace mlpd::api
