#include "server/build_info.h"

namespace mlpd::server {

std::string_view version() { return MLPD_VERSION; }

}  // namespace mlpd::server
