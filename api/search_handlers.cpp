#include "api/search_handlers.h"

#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "api/search_document.h"

namespace mlpd::api {
namespace {

Response search_response(const SearchView& search, int status = 200) {
  std::string body;
  JsonWriter out(body);
  write_search(out, search, true);
  return json_response(std::move(body), status);
}

Response answer(const Call& call, const core::Result<SearchView>& search) {
  return search ? search_response(*search) : problem(search.error(), call.request);
}

}  // namespace

Response create_search(const Call& call) {
  Response refused;
  const auto dry_run = query_flag(call.request, "dry_run");
  if (!dry_run) return problem(dry_run.error(), call.request);
  const auto key = idempotency(call.request);
  if (!key) return problem(key.error(), call.request);
  if (call.request.body.size() > kSearchBytesMax)
    return problem(413, "a search's definition has at most " + std::to_string(kSearchBytesMax) + " bytes",
                   call.request);
  const auto json = read_json_body(call, refused);
  if (!json) return refused;
  const Limits& limits = call.services.system.limits();
  auto plan = decode_search(*json, "search-" + call.services.system.new_id(), limits);
  if (!plan) return problem(plan.error(), call.request);
  if (const auto checked = check_candidates(*plan, *call.services.datasets, limits); !checked)
    return problem(checked.error(), call.request);
  if (*dry_run) {
    SearchView view;
    view.plan = std::make_shared<const SearchPlan>(*std::move(plan));
    return search_response(view);
  }
  const auto search = call.services.searches->create(*std::move(plan), *key);
  if (!search) return problem(search.error(), call.request);
  Response response = search_response(*search, 201);
  response.set_header("Location", "/v1/searches/" + search->plan->name);
  return response;
}

Response list_searches(const Call& call) {
  const auto query = page_query(call.request, CursorForm::number);
  if (!query) return problem(query.error(), call.request);
  const auto page = call.services.searches->list(*query);
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("searches").begin_array();
  for (const SearchView& search : page.items) write_search(out, search, false);
  out.end_array();
  if (!page.next_cursor.empty()) out.field("next_cursor", page.next_cursor);
  out.end_object();
  return json_response(std::move(body));
}

Response read_search(const Call& call) {
  return answer(call, call.services.searches->read(call.parameter("search")));
}

Response cancel_search(const Call& call) {
  return answer(call, call.services.searches->cancel(call.parameter("search")));
}

Response delete_search(const Call& call) {
  const auto removed = call.services.searches->remove(call.parameter("search"));
  if (!removed) return problem(removed.error(), call.request);
  Response response;
  response.status = 204;
  return response;
}

}  // namespace mlpd::api
