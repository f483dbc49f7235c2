# The dashboard inside the program: web/ is built by npm into the build tree, and every file of it becomes one row of
# a generated table (server/http/assets.h).
#   MLPD_DASHBOARD=AUTO  the dashboard where Node.js >= 20.19 and its packages are to be had, else the plain page of
#                        web/fallback, with a loud message
#   MLPD_DASHBOARD=ON    the dashboard, or the build fails (CI, packages)
#   MLPD_DASHBOARD=OFF   the plain page
set(MLPD_DASHBOARD AUTO CACHE STRING "Embed the dashboard: AUTO, ON or OFF")
set_property(CACHE MLPD_DASHBOARD PROPERTY STRINGS AUTO ON OFF)
set(MLPD_NODE_MINIMUM 20.19)

pkg_check_modules(BROTLI_ENCODER REQUIRED IMPORTED_TARGET libbrotlienc)
find_package(ZLIB REQUIRED)

set(dashboard_mode ${MLPD_DASHBOARD})
if(NOT dashboard_mode STREQUAL "OFF")
  find_program(MLPD_NODE node)
  find_program(MLPD_NPM npm)
  set(node_version 0)
  if(MLPD_NODE AND MLPD_NPM)
    execute_process(COMMAND ${MLPD_NODE} --version OUTPUT_VARIABLE node_version OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REPLACE "v" "" node_version "${node_version}")
  endif()
  if(node_version VERSION_LESS MLPD_NODE_MINIMUM)
    string(CONCAT message
      "The dashboard needs Node.js >= ${MLPD_NODE_MINIMUM} and npm (found: ${node_version}). Debian 12 ships 18; where npm is "
      "there, `npm install --prefix ~/.cache/mlpd-node node@22` brings one: put ~/.cache/mlpd-node/node_modules/node/bin "
      "first in PATH, or pass -DMLPD_NODE=/path/to/node.")
    if(dashboard_mode STREQUAL "ON")
      message(FATAL_ERROR "${message}")
    endif()
    message(WARNING "THE PROGRAM IS BUILT WITHOUT ITS DASHBOARD: GET / will be a plain page.\n${message}")
    set(dashboard_mode OFF)
  endif()
endif()

add_executable(embed_assets ${PROJECT_SOURCE_DIR}/cmake/embed_assets.cpp)
target_link_libraries(embed_assets PRIVATE PkgConfig::BROTLI_ENCODER ZLIB::ZLIB)

set(dashboard_build ${PROJECT_BINARY_DIR}/web)
set(dashboard_table ${PROJECT_BINARY_DIR}/embedded_assets.cpp)
file(GLOB_RECURSE DASHBOARD_SOURCES CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/web/src/* ${PROJECT_SOURCE_DIR}/web/public/* ${PROJECT_SOURCE_DIR}/web/fallback/*)
list(FILTER DASHBOARD_SOURCES EXCLUDE REGEX "\\.test\\.ts$")

add_custom_command(
  OUTPUT ${dashboard_build}/built
  COMMAND ${CMAKE_COMMAND} -DMODE=${dashboard_mode} -DSOURCE=${PROJECT_SOURCE_DIR}/web -DBUILD=${dashboard_build}
          -DNODE=${MLPD_NODE} -DNPM=${MLPD_NPM} -P ${PROJECT_SOURCE_DIR}/cmake/build_dashboard.cmake
  DEPENDS ${DASHBOARD_SOURCES} ${PROJECT_SOURCE_DIR}/web/package-lock.json ${PROJECT_SOURCE_DIR}/web/package.json
          ${PROJECT_SOURCE_DIR}/web/index.html ${PROJECT_SOURCE_DIR}/web/vite.config.ts
          ${PROJECT_SOURCE_DIR}/cmake/build_dashboard.cmake
  COMMENT "Building the dashboard (${dashboard_mode})"
  VERBATIM)
add_custom_command(
  OUTPUT ${dashboard_table}
  COMMAND embed_assets ${dashboard_table} ${dashboard_build}/dist
  DEPENDS embed_assets ${dashboard_build}/built
  VERBATIM)
target_sources(mlpd_server PRIVATE ${dashboard_table})
