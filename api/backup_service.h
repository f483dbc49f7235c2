#pragma once

#include <memory>

#include "api/http_message.h"
#include "core/result.h"

namespace mlpd::api {

/// Archives of the whole store. Thread-safe.
class BackupService {
 public:
  virtual ~BackupService() = default;
  /// A tar archive of everything acknowledged before this call, made while it is being taken; changes and
  /// training go on. conflict while another one is being made.
  virtual core::Result<std::shared_ptr<EventStream>> start() = 0;
};

}  // namespace mlpd::api
