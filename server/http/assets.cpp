#include "server/http/assets.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace mlpd::server {
namespace {

constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Calls `visit` with each element of a comma-separated header until it returns true; whether one did.
template <class Visit>
bool any_element(std::string_view header, Visit visit) {
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    if (visit(trimmed(header.substr(0, comma)))) return true;
    header.remove_prefix(std::min(comma + 1, header.size()));
  }
  return false;
}

/// RFC 9110, 12.5.3: listed, and not with weight 0.
bool accepts(std::string_view accept_encoding, std::string_view coding) {
  return any_element(accept_encoding, [&](std::string_view element) {
    const std::size_t semicolon = std::min(element.find(';'), element.size());
    if (trimmed(element.substr(0, semicolon)) != coding) return false;
    const std::string_view weight = trimmed(element.substr(std::min(semicolon + 1, element.size())));
    return weight.substr(0, 2) != "q=" || std::strtod(std::string(weight.substr(2)).c_str(), nullptr) > 0;
  });
}

bool matches(std::string_view if_none_match, std::string_view etag) {
  return any_element(if_none_match, [&](std::string_view element) {
    if (element.substr(0, 2) == "W/") element.remove_prefix(2);
    return element == "*" || element == etag;
  });
}

const Asset* find_asset(std::string_view path) {
  if (path == "/") path = "/index.html";
  const std::span<const Asset> assets = embedded_assets();
  const auto found =
      std::lower_bound(assets.begin(), assets.end(), path,
                       [](const Asset& asset, std::string_view key) { return asset.path < key; });
  return found != assets.end() && found->path == path ? &*found : nullptr;
}

}  // namespace

bool is_asset(std::string_view path) { return find_asset(path) != nullptr; }

api::Response serve_asset(std::string_view path, std::string_view accept_encoding,
                          std::string_view if_none_match) {
  api::Response response;
  const Asset* asset = find_asset(path);
  if (!asset) {
    response.status = 404;
    response.set_header("Content-Type", "text/plain; charset=utf-8");
    response.body = "The dashboard has no such file.\n";
    return response;
  }
  response.set_header("ETag", std::string(asset->etag));
  response.set_header("Vary", "Accept-Encoding");
  response.set_header("Cache-Control", asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  // On a 304 too: a browser puts the fields of a 304 in place of those it kept (RFC 9111, 4.3.4).
  response.set_header("Content-Security-Policy", std::string(kContentSecurityPolicy));
  response.set_header("Referrer-Policy", "no-referrer");
  if (matches(if_none_match, asset->etag)) {
    response.status = 304;
    return response;
  }
  response.set_header("Content-Type", std::string(asset->content_type));
  std::string_view body = asset->identity;
  if (!asset->brotli.empty() && accepts(accept_encoding, "br")) {
    response.set_header("Content-Encoding", "br");
    body = asset->brotli;
  } else if (!asset->gzip.empty() && accepts(accept_encoding, "gzip")) {
    response.set_header("Content-Encoding", "gzip");
    body = asset->gzip;
  }
  response.body = std::string(body);
  return response;
}

}  // namespace mlpd::server
