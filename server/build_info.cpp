#include "server/build_info.h"

namespace mlpd::server {

std::string_view version() { return MLPD_VERSION; }

std::string build() {
#ifdef __clang__
  std::string text = "clang " __clang_version__;
#else
  std::string text = "g++ " __VERSION__;
#endif
#ifdef __OPTIMIZE__
  return text + ", optimized";
#else
  return text + ", not optimized";
#endif
}

}  // namespace mlpd::server
