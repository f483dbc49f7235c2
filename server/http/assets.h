#pragma once

#include <span>
#include <string_view>

#include "api/http_message.h"

namespace mlpd::server {

/// One file of the dashboard, compressed at build time by cmake/embed_assets.cpp. All views are of static
/// storage.
struct Asset {
  std::string_view path;  ///< as requested, "/index.html"
  std::string_view content_type;
  std::string_view etag;      ///< quoted, a digest of the content
  bool immutable = false;     ///< its name holds a hash of its content, so it never changes
  std::string_view identity;  ///< the plain bytes
  std::string_view gzip;      ///< empty where compression does not pay
  std::string_view brotli;    ///< empty where compression does not pay
};

/// Every embedded file, sorted by path; defined by the generated table.
std::span<const Asset> embedded_assets();

/// Whether GET of this path is answered by serve_asset ("/" and the embedded files).
bool is_asset(std::string_view path);

/// The answer to GET or HEAD of a file of the dashboard: 200 in the best encoding that `accept_encoding` (the
/// request's header, empty where absent) takes, or 304 where `if_none_match` names it. A path that is no
/// asset gives 404 in plain text. "/" is the page itself. Under a strict Content-Security-Policy. Pure.
api::Response serve_asset(std::string_view path, std::string_view accept_encoding,
                          std::string_view if_none_match);

}  // namespace mlpd::server
