#pragma once

#include <chrono>
#include <string>

#include "server/engine_parts.h"

namespace mlpd::server {

/// What the process says about itself.
class SystemServiceImplementation final : public api::SystemService {
 public:
  explicit SystemServiceImplementation(EngineParts& parts) : parts_(parts) {}

  const api::Limits& limits() const override { return parts_.limits; }
  api::SystemView system() override;
  bool ready() const override { return !parts_.stopping; }
  std::string new_id() override { return parts_.new_id(); }

 private:
  EngineParts& parts_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

/// 16 random hexadecimal digits from the system's generator.
std::string random_id();

}  // namespace mlpd::server
