#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/http_message.h"

namespace mlpd::api {

/// What happens to a network, as server-sent events. Thread-safe.
class EventService {
 public:
  virtual ~EventService() = default;
  /// A stream of this network's events from now on, or from after the event `last_id` on: what the ring no
  /// longer holds is told by a `gap` event.
  virtual std::shared_ptr<EventStream> open(const std::string& network,
                                            const std::optional<std::string>& last_id) = 0;
};

}  // namespace mlpd::api
