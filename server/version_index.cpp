#include "server/version_index.h"

#include <algorithm>
#include <utility>

#include "api/model_document.h"
#include "server/journal_record.h"
#include "server/raw_object.h"

namespace mlpd::server {

using core::Error;
using core::ErrorCode;
using core::Result;

namespace {

constexpr std::uint64_t kLive = 0;  ///< in the index; versions begin with 1

api::Timestamp time_of(const RawObject& in, const char* name) {
  return api::Timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(in.number(name))));
}

}  // namespace

bool VersionIndex::holds(std::uint64_t version) const {
  if (shadow && shadow->version == version) return true;
  return std::any_of(aliases.begin(), aliases.end(),
                     [&](const auto& alias) { return alias.second == version; });
}

std::string write_version_index(const VersionIndex& index) {
  const std::size_t lines = 1 + index.versions.size() + index.aliases.size() + (index.shadow ? 1 : 0);
  RawObjectWriter head;
  std::string text =
      api::seal_document(head.number("next", index.next).number("lines", lines).finish()) + "\n";
  for (const auto& [number, view] : index.versions) {
    RawObjectWriter line;
    line.number("version", number).number("step", view.step).plain("state_sha256", view.state_sha256);
    if (!view.job.empty()) line.plain("job", view.job);
    if (const auto key = index.keys.find(number); key != index.keys.end())
      line.raw("idempotency_key", write_idempotency_key(key->second.key))
          .plain("request_digest", key->second.request_digest.hex());
    line.number("bytes", view.bytes)
        .number("created_at", static_cast<std::uint64_t>(view.created_at.time_since_epoch().count()));
    text += api::seal_document(line.finish()) + "\n";
  }
  for (const auto& [alias, number] : index.aliases) {
    RawObjectWriter line;
    text += api::seal_document(line.plain("alias", alias).number("names", number).finish()) + "\n";
  }
  if (index.shadow) {
    RawObjectWriter line;
    line.number("shadow", index.shadow->version.value_or(kLive))
        .number("since", static_cast<std::uint64_t>(index.shadow->since.time_since_epoch().count()));
    text += api::seal_document(line.finish()) + "\n";
  }
  return text;
}

Result<VersionIndex> read_version_index(std::string_view text) {
  VersionIndex index;
  std::optional<std::uint64_t> lines_said;  // an older mlpd didn't
  std::uint64_t lines = 0;
  bool begun = false;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (Result<void> sealed = api::check_seal(line); !sealed.ok()) return sealed.error();
    const std::optional<RawObject> in = RawObject::parse(line);
    if (!in) return Error{ErrorCode::corrupted, "a line is no object", {}};
    ++lines;
    begun = begun || in->has("next");
    if (in->has("next")) index.next = in->number("next");
    if (in->has("lines")) lines_said = in->number("lines");
    if (in->has("alias")) index.aliases[in->plain("alias")] = in->number("names");
    if (in->has("shadow")) {
      const std::uint64_t number = in->number("shadow");
      index.shadow =
          Shadow{number == kLive ? std::nullopt : api::VersionNumber(number), time_of(*in, "since")};
    }
    if (!in->has("version")) continue;
    api::VersionView view;
    view.version = in->number("version");
    view.step = in->number("step");
    view.state_sha256 = in->plain("state_sha256");
    if (in->has("job")) view.job = in->plain("job");
    view.bytes = in->number("bytes");
    view.created_at = time_of(*in, "created_at");
    if (in->has("idempotency_key")) {
      api::Idempotency& key = index.keys[view.version];
      key.key = read_idempotency_key(in->raw("idempotency_key"));
      if (!parse_digest(in->plain("request_digest"), key.request_digest))
        return Error{ErrorCode::corrupted, "a request digest is none", {}};
    }
    index.versions[view.version] = std::move(view);
  }
  if (!begun || lines != lines_said.value_or(lines))
    return Error{ErrorCode::corrupted, "index.ndjson has lost lines", {}};
  return index;
}

}  // namespace mlpd::server
