#include "server/publication.h"

#include <cmath>
#include <memory>
#include <optional>
#include <utility>

namespace mlpd::server {

using core::Result;

api::Publication publish_if_better(Versions& versions, const std::string& network, const std::string& job,
                                   const api::PublishIf& wanted, const core::Learner& learner,
                                   const core::Split& split) {
  api::Publication publication{wanted.alias, wanted.metric, {}, {}, {}, {}};
  const auto because = [&](std::string reason) {
    publication.reason = std::move(reason);
    return publication;
  };
  const Result<double> value = core::judged_value(learner, split, wanted.metric);
  if (!value.ok()) return because(value.error().message);
  if (!std::isfinite(*value)) return because(wanted.metric + " is not known for this network");
  publication.value = *value;
  if (const std::optional<api::VersionView> done = versions.published_by(network, job)) {
    publication.version = done->version;
    return publication;
  }
  if (const Result<std::uint64_t> named = versions.read_alias(network, wanted.alias); named.ok()) {
    const Result<std::unique_ptr<core::Learner>> incumbent = versions.learner(network, *named);
    if (!incumbent.ok()) return because(incumbent.error().message);
    const Result<double> old = core::judged_value(**incumbent, split, wanted.metric);
    if (!old.ok()) return because("version " + std::to_string(*named) + ": " + old.error().message);
    if (std::isfinite(*old)) publication.incumbent = *old;
    if (publication.incumbent && !core::is_better(*value, *old, wanted.metric, wanted.better_by))
      return because(wanted.metric + " is not better than that of version " + std::to_string(*named) +
                     " by more than better_by");
  }
  const Result<api::VersionView> published =
      versions.publish_from(network, learner.checkpoint(), job, wanted.alias);
  if (!published.ok()) return because(published.error().message);
  publication.version = published->version;
  return publication;
}

}  // namespace mlpd::server
