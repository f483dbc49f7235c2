#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/http_message.h"

namespace mlpd::server {

/// One request and its answer, as cpp-httplib sees them.
struct Exchange {
  std::string_view method;  ///< GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS
  bool http_1_0 = false;
  bool keep_alive = true;  ///< false: the answer says Connection: close
  std::string_view request_id;
  /// Gives the answer. Must not throw.
  std::function<api::Response()> respond;

  std::string head;                          ///< out: status line and header fields, with the empty line
  std::string body;                          ///< out: empty for HEAD
  std::shared_ptr<api::EventStream> stream;  ///< out: the body follows from here, chunked unless http_1_0
  int status = 0;                            ///< out
};

/// The one door to cpp-httplib, which routes a request to us and writes the answer's head. Targets, header
/// fields and bodies of requests never reach it: framing.h reads those strictly, so that its leniency (a
/// second
/// '?' or '=' in a query, percent-decoded fields, unread bodies) can't matter. Thread-safe.
class HttplibAdapter {
 public:
  HttplibAdapter();
  ~HttplibAdapter();
  /// False where no answer could be made (memory); then the connection must be closed.
  bool run(Exchange& exchange);

 private:
  class Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace mlpd::server
