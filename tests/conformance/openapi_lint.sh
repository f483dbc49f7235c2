#!/usr/bin/env bash
# usage: openapi_lint.sh [BUILD_DIR]: lints the OpenAPI document that the api tests of that build print.
# Needs Node.js; the linter is installed into the build directory, once.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:-$root/build/release}" && pwd)
tools=$build/openapi_lint
linter=$tools/node_modules/.bin/redocly
mkdir -p "$tools"
[ -x "$linter" ] || npm install --prefix "$tools" --no-audit --no-fund --silent @redocly/cli@2.77.0
MLPD_OPENAPI_FILE=$tools/openapi.json "$build/api_tests" --gtest_brief=1 \
  --gtest_filter=OpenapiTest.CoversExactlyTheRoutes
"$linter" lint --extends recommended "$tools/openapi.json"
