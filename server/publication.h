#pragma once

#include <string>

#include "api/service.h"
#include "core/learner.h"
#include "core/trainer.h"
#include "server/versions.h"

namespace mlpd::server {

/// Carries out a job's publish_if: judges what the job ended in and what the alias names on the job's own
/// rows, and publishes the former under the alias where it is better, or where the alias names nothing yet.
/// Doing it again for the same job (a crash came before the job's end was stored) publishes nothing more.
/// What stands in the way becomes the reason; the job has succeeded all the same. The caller keeps the
/// network from being removed.
api::Publication publish_if_better(Versions& versions, const std::string& network, const std::string& job,
                                   const api::PublishIf& wanted, const core::Learner& learner,
                                   const core::Split& split);

}  // namespace mlpd::server
