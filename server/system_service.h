#pragma once

#include <chrono>
#include <string>

#include "server/engine_parts.h"

namespace mlpd::server {

/// What the process says about itself.
class SystemServiceImplementation final : public api::SystemService {
 public:
  /// `named` is borrowed.
  SystemServiceImplementation(EngineParts& parts, const api::NamedLimits& named)
      : parts_(parts), named_limits_(named) {}

  const api::Limits& limits() const override { return parts_.limits; }
  const api::NamedLimits& named_limits() const override { return named_limits_; }
  api::SystemView system() override;
  bool ready() const override { return !parts_.stopping; }
  std::string new_id() override { return parts_.new_id(); }

 private:
  EngineParts& parts_;
  const api::NamedLimits& named_limits_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

/// 16 random hexadecimal digits from the system's generator.
std::string random_id();

}  // namespace mlpd::server
