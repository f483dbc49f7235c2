#include "server/key_command.h"

#include <iomanip>

#include "server/keys.h"

namespace mlpd::server {
namespace {

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

core::Result<void> create(const std::string& path, const KeyRequest& request, std::ostream& out,
                          std::ostream& notes) {
  Key wanted;
  wanted.name = request.name;
  wanted.scope = *scope_named(request.scope);
  wanted.network_prefix = request.network_prefix;
  wanted.requests_per_second = request.requests_per_second;
  const auto key = create_key(path, wanted);
  if (!key) return key.error();
  out << *key << "\n";
  notes << "Keep it: it is not shown again; " << path << " holds only its hash.\n"
        << "Use it:  curl -H 'Authorization: Bearer KEY' …\n"
        << "A running server takes it after SIGHUP.\n";
  return {};
}

core::Result<void> list(const std::string& path, std::ostream& out) {
  const auto keys = read_keys(path);
  if (!keys) return keys.error();
  const auto row = [&out](const std::string& id, const std::string& scope, const std::string& created,
                          const std::string& revoked, const std::string& rate, const std::string& prefix,
                          const std::string& name) {
    out << std::left << std::setw(10) << id << std::setw(9) << scope << std::setw(22) << created
        << std::setw(22) << revoked << std::setw(10) << rate << std::setw(16) << prefix << name << "\n";
  };
  row("ID", "SCOPE", "CREATED", "REVOKED", "RATE", "NETWORKS", "NAME");
  for (const Key& key : *keys) {
    std::string rate = std::to_string(key.requests_per_second);
    rate.erase(rate.find_last_not_of('0') + 1);
    if (rate.ends_with('.')) rate.pop_back();
    row(key.id, std::string(name_of(key.scope)), key.created_at, or_dash(key.revoked_at),
        key.requests_per_second > 0 ? rate + "/s" : "-",
        key.network_prefix.empty() ? "all" : key.network_prefix + "…", or_dash(key.name));
  }
  return {};
}

}  // namespace

core::Result<void> run_key_command(const Config& config, const KeyRequest& request, std::ostream& out,
                                   std::ostream& notes) {
  const std::string path = keys_path(config);
  switch (request.action) {
    case KeyRequest::Action::create:
      return create(path, request, out, notes);
    case KeyRequest::Action::list:
      return list(path, out);
    case KeyRequest::Action::revoke:
      break;
  }
  if (auto revoked = revoke_key(path, request.id); !revoked) return revoked;
  notes << "A running server refuses " << request.id << " after SIGHUP.\n";
  return {};
}

}  // namespace mlpd::server
