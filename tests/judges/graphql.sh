#!/usr/bin/env bash
# The audits of graphql-http hold the endpoint to the GraphQL over HTTP specification; Schemathesis asks what the schema
# allows and forbids.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/serve.bash
source tests/serve.bash

tools=$cache/graphql-judge-$(sha256sum tests/graphql/package-lock.json | cut -c1-16)
if [ ! -e "$tools/installed" ]; then
  mkdir -p "$tools"
  cp tests/graphql/package.json tests/graphql/package-lock.json "$tools/"
  (cd "$tools" && npm ci --no-audit --no-fund --ignore-scripts)
  touch "$tools/installed"
fi
cp tests/graphql/audit.js "$tools/audit.js"
version=4.32.5
python=$cache/schemathesis-$version
if [ ! -e "$python/installed" ]; then
  rm -rf "$python"
  python3 -m venv "$python"
  "$python/bin/pip" install -q "schemathesis==$version"
  touch "$python/installed"
fi

start_serve
create_admin
token=$(access_token judge)
[ "$(curl -s -o /dev/null -w '%{http_code}' "$base/graphql?query=%7B__typename%7D")" = 401 ] || { echo "anybody may ask" >&2; exit 1; }
failed=0
node "$tools/audit.js" "$base/graphql" "$token" || failed=1
(cd "$work" && "$python/bin/schemathesis" run "$base/graphql" -H "Authorization: Bearer $token" --checks not_a_server_error,status_code_conformance \
  --max-examples 50 --max-time 60 --seed 1 --workers 1 --no-shrink --continue-on-failure --output-truncate true) || failed=1
kill -0 "$served" || { echo "the server did not survive:" >&2; tail -n 50 "$work/serve.log" >&2; failed=1; }
echo "$((1 - failed)) passed, $failed failed"
[ "$failed" = 0 ]
