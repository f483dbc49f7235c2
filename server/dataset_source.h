#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/dataset.h"
#include "core/network_spec.h"
#include "core/preprocess.h"
#include "core/result.h"

namespace mlpd::server {

/// Stored data sets by name, as training rows for a network. Thread-safe.
class DatasetSource {
 public:
  virtual ~DatasetSource() = default;
  /// The rows of data set `name`, encoded by `preprocess` where the network has one. not_found where there is
  /// none; invalid_argument where it doesn't fit the network.
  virtual core::Result<std::shared_ptr<const core::Dataset>> rows(
      const std::string& name, const core::NetworkSpec& spec,
      const std::shared_ptr<const core::Preprocess>& preprocess) = 0;
};

}  // namespace mlpd::server
