#include "api/learning_rate_handlers.h"

#include "api/decode_train.h"
#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "core/learning_rate_test.h"

namespace mlpd::api {
namespace {

struct RateTestRequest {
  std::optional<DataSource> data;
  core::RateTestOptions options;
};

core::Result<RateTestRequest> decode(const Json& json, const core::NetworkSpec& spec) {
  Faults faults;
  ObjectReader body(json, "#", faults);
  RateTestRequest request;
  request.data = decode_data_source(body, spec);
  core::RateTestOptions& options = request.options;
  options.from = body.number("from").value_or(options.from);
  options.to = body.number("to").value_or(options.to);
  options.steps = body.integer("steps").value_or(options.steps);
  options.batches.batch_size = body.integer("batch_size").value_or(options.batches.batch_size);
  options.batches.shuffle = body.boolean("shuffle").value_or(options.batches.shuffle);
  body.finish();
  if (!faults.empty()) return faults.error();
  return request;
}

}  // namespace

Response learning_rate_test(const Call& call) {
  Response refused;
  const std::string& name = call.parameter("network");
  const auto network = call.services.networks.read(name);
  if (!network) return problem(network.error(), call.request);
  const auto json = read_json_body(call, refused, true);
  if (!json) return refused;
  const auto request = decode(*json, network->spec);
  if (!request) return problem(request.error(), call.request);
  const auto data = call.services.networks.data(name, request->data);
  if (!data) return problem(data.error(), call.request);
  const auto learner = call.services.networks.learner(name, std::nullopt);
  if (!learner) return problem(learner.error(), call.request);
  const std::uint64_t step = (*learner)->step();
  const auto test = core::test_learning_rates(**learner, *data, request->options);
  if (!test) return problem(test.error(), call.request);
  std::string body;
  JsonWriter out(body);
  out.begin_object().field("network", name).field("step", step).field("suggestion", test->suggestion);
  out.field("burst", test->burst).key("learning_rate").values(test->rates).key("loss").values(test->losses);
  out.key("request").begin_object().field("method", "PATCH").field("path", "/v1/networks/" + name);
  out.key("body").begin_object().key("optimizer").begin_object();
  out.field("learning_rate", test->suggestion).end_object().end_object().end_object().end_object();
  return json_response(std::move(body));
}

}  // namespace mlpd::api
