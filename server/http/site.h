#pragma once

#include "api/http_message.h"

namespace mlpd::server {

/// The whole address space: the dashboard's files and, everywhere else, the API. Thread-safe.
class Site final : public api::Handler {
 public:
  /// `contract` must outlive the site.
  explicit Site(api::Handler& contract) : contract_(contract) {}

  api::RouteInfo route(std::string_view method, std::string_view path) const override;
  api::Response handle(const api::Request& request) override;
  api::Response refuse(int status, std::string_view path, std::string_view detail,
                       std::string_view request_id) const override;

 private:
  api::Handler& contract_;
};

}  // namespace mlpd::server
