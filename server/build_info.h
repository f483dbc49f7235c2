#pragma once

#include <string>
#include <string_view>

namespace mlpd::server {

/// The program's version, "0.1.0".
std::string_view version();

/// Compiler and kind of build, "g++ 12.2.0, optimized".
std::string build();

}  // namespace mlpd::server
