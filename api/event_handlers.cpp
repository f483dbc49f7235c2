#include "api/event_handlers.h"

#include <optional>
#include <string>

#include "api/event_service.h"
#include "api/negotiation.h"
#include "api/problem.h"

namespace mlpd::api {
namespace {

Response follow_network(const Call& call) {
  static constexpr Media kOffered[] = {Media::event_stream};
  const auto media = choose_media(call.request, kOffered);
  if (!media) return problem(406, media.error().message, call.request);
  const auto network = call.services.networks.read(call.parameter("network"));
  if (!network) return problem(network.error(), call.request);
  Response response;
  response.set_header("Content-Type", std::string(content_type(*media)));
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Accel-Buffering", "no");  // a proxy in between must not collect events
  if (call.request.method == "HEAD") return response;
  std::optional<std::string> last_id;
  if (const auto given = call.request.header("Last-Event-ID")) last_id = std::string(*given);
  response.stream = call.services.events->open(network->name, last_id);
  return response;
}

}  // namespace

std::vector<Route> event_routes() {
  return {{.method = "GET",
           .pattern = "/v1/networks/{network}/events",
           .handler = follow_network,
           .operation = "followNetwork",
           .summary = "Server-sent events: record, job, checkpoint, gap, closing; Last-Event-ID goes on",
           .answers = {{200, "Record", "the stream; the data of a record event is a Record"}},
           .problems = {404, 406, 503},
           .headers = {"Last-Event-ID"},
           .answer_media = {Media::event_stream}}};
}

}  // namespace mlpd::api
