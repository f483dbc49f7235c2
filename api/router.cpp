#include "api/router.h"

#include <algorithm>
#include <map>

#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/negotiation.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/time_travel_handlers.h"

namespace mlpd::api {
namespace {

// A node of the trie: the routes that end here, and what may follow.
struct Node {
  std::map<std::string, Node, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::vector<const Route*> routes;
};

// Takes the first segment off: "/a/b" gives "a" and leaves "/b"; "/" gives an empty one.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

bool is_parameter(std::string_view segment) { return segment.size() > 2 && segment.front() == '{'; }

class Router final : public Handler {
 public:
  explicit Router(Services services) : services_(services), routes_(make_routes(services)) {
    for (const Route& route : routes_) {
      Node* node = &root_;
      for (std::string_view pattern = route.pattern; !pattern.empty();) {
        const std::string_view segment = take_segment(pattern);
        if (is_parameter(segment)) {
          if (!node->parameter) node->parameter = std::make_unique<Node>();
          node = node->parameter.get();
        } else {
          node = &node->literals[std::string(segment)];
        }
      }
      node->routes.push_back(&route);
    }
  }

  RouteInfo route(std::string_view method, std::string_view path) const override {
    RouteInfo info;
    const Node* node = find(path);
    const Route* route = node ? pick(*node, method) : nullptr;
    if (!route) return info;
    info.found = true;
    info.streams_body = route->streams_body;
    info.body_bytes_max = limit_of(*route);
    info.scope = route->scope;
    info.pattern = route->pattern;
    for_each_parameter(*route, path, [&](std::string_view name, std::string_view value) {
      if (name == "network") info.network = value;
    });
    return info;
  }

  Response handle(const Request& request) override {
    Response response = dispatch(request);
    finish(request, response);
    return response;
  }

  Response refuse(int status, std::string_view path, std::string_view detail,
                  std::string_view request_id) const override {
    return refusal(status, path, detail, request_id);
  }

 private:
  // The Open Inference Protocol knows its root by both forms.
  const Node* find(std::string_view path) const { return find_below(root_, path == "/v2/" ? "/v2" : path); }

  // A literal goes before a parameter, but not in the way of one: a network may be called "stats".
  static const Node* find_below(const Node& node, std::string_view path) {
    if (path.empty()) return node.routes.empty() ? nullptr : &node;
    const std::string_view segment = take_segment(path);
    if (const auto literal = node.literals.find(segment); literal != node.literals.end())
      if (const Node* found = find_below(literal->second, path)) return found;
    return segment.empty() || !node.parameter ? nullptr : find_below(*node.parameter, path);
  }

  // HEAD is answered as GET without the body.
  static const Route* pick(const Node& node, std::string_view method) {
    if (method == "HEAD") method = "GET";
    for (const Route* route : node.routes)
      if (route->method == method) return route;
    return nullptr;
  }

  template <class Visit>
  static void for_each_parameter(const Route& route, std::string_view path, Visit visit) {
    for (std::string_view pattern = route.pattern; !pattern.empty();) {
      const std::string_view name = take_segment(pattern), value = take_segment(path);
      if (is_parameter(name)) visit(name.substr(1, name.size() - 2), value);
    }
  }

  std::size_t limit_of(const Route& route) const {
    const Limits& limits = services_.system.limits();
    switch (route.limit) {
      case BodyLimit::none:
        return 0;
      case BodyLimit::body:
        return limits.body_bytes_max;
      case BodyLimit::model:
        return limits.model_body_bytes_max;
      case BodyLimit::dataset:
        return limits.dataset_body_bytes_max;
    }
    return 0;
  }

  static std::string allowed(const Node& node) {
    std::string allow;
    for (const Route* route : node.routes) {
      allow += std::string(route->method) + ", ";
      if (route->method == "GET") allow += "HEAD, ";
    }
    return allow + "OPTIONS";
  }

  Response dispatch(const Request& request) {
    const Node* node = find(request.path);
    if (!node)
      return problem(404, "there is no route " + request.path + "; GET /openapi.json lists all", request);
    const Route* route = pick(*node, request.method);
    if (!route) {
      Response response;
      if (request.method == "OPTIONS")
        response.status = 204;
      else
        response = problem(405, request.method + " is not allowed here; allowed: " + allowed(*node), request);
      response.set_header("Allow", allowed(*node));
      return response;
    }
    if (!route->streams_body && route->limit != BodyLimit::none && request.body.size() > limit_of(*route))
      return problem(413, "the body is limited to " + std::to_string(limit_of(*route)) + " bytes", request);
    if (auto unknown = check_query(*route, request); !unknown) return problem(unknown.error(), request);
    Call call{request, services_, {}};
    for_each_parameter(*route, request.path, [&](std::string_view name, std::string_view value) {
      call.path.emplace_back(name, value);
    });
    if (const auto step = query_integer(request, "step"); step && *step && takes_step(*route)) {
      if (auto later = long_replay(call, **step)) return *std::move(later);
    }
    return route->handler(call);
  }

  static bool takes_step(const Route& route) {
    return std::any_of(route.query.begin(), route.query.end(),
                       [](const QueryParameter& parameter) { return parameter.name == "step"; });
  }

  static core::Result<void> check_query(const Route& route, const Request& request) {
    if (request.query.empty()) return {};
    std::vector<std::string_view> known;
    for (const QueryParameter& parameter : route.query) known.push_back(parameter.name);
    known.push_back("pretty");
    Faults faults;
    for (std::size_t i = 0; i < request.query.size(); ++i) {
      const std::string& name = request.query[i].first;
      const auto same = [&](const auto& other) { return other.first == name; };
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        const auto near = nearest_name(name, known);
        faults.add("?" + name, "is an unknown query parameter; " +
                                   (near.empty() ? "known: " + list_names(known)
                                                 : "did you mean \"" + std::string(near) + "\"?"));
      } else if (std::any_of(request.query.begin(), request.query.begin() + static_cast<std::ptrdiff_t>(i),
                             same)) {
        faults.add("?" + name, "is there twice");
      }
    }
    if (!faults.empty()) return faults.error();
    if (const auto pretty = query_flag(request, "pretty"); !pretty) return pretty.error();
    return {};
  }

  static bool is_binary(std::string_view type) {
    return type == content_type(Media::png) || type == content_type(Media::onnx) ||
           type == content_type(Media::binary);
  }

  static void finish(const Request& request, Response& response) {
    const auto type = response.header("Content-Type");
    const bool json = type && type->find("json") != std::string_view::npos && *type != "application/x-ndjson";
    const auto pretty = query_flag(request, "pretty");
    if (json && pretty && *pretty) response.body = prettify(response.body);
    const bool text = json || !type || !is_binary(*type);
    if (text && !response.body.empty() && !response.stream && response.body.back() != '\n')
      response.body += '\n';
    if (request.method == "HEAD") response.body.clear();
  }

  Services services_;
  std::vector<Route> routes_;
  Node root_;
};

}  // namespace

const std::string& Call::parameter(std::string_view name) const {
  const auto found = std::find_if(path.begin(), path.end(), [&](const auto& p) { return p.first == name; });
  return found->second;
}

std::unique_ptr<Handler> make_handler(Services services) { return std::make_unique<Router>(services); }

}  // namespace mlpd::api
